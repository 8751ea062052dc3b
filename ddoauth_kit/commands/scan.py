"""The command `ddoauth scan`: find secrets in files, and say where they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, answer, document, say
from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.leaks.scan import Scan

EXAMPLES: Final = (
    "ddoauth scan notebooks ddoauth-runs",
    "ddoauth scan report.html --format json",
)


def configure(scan: Parser) -> None:
    """Describe the command and add its options."""
    scan.describe(
        "Find values that look like a Datadog key, a token or a sandbox credential, values under "
        "names such as client_secret, and the secrets in the environment and the store. If any "
        "are found, exit 1 and print their places, never their values. Lines with the comment "
        "`ddoauth: allow (reason)` are skipped, and so are values whose fingerprint is in the "
        "list of allowed values.",
        examples=EXAMPLES,
    )
    scan.set_defaults(command=run_scan)
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    scan.add_argument(
        "--allow",
        metavar="FILE",
        help=(
            "a list of allowed values, with a fingerprint and a reason on each line "
            "(.ddoauth-allow in this folder)"
        ),
    )
    scan.add_argument(
        "--format", choices=["table", "json"], default="table", help="how to print (table)"
    )


def run_scan(options: argparse.Namespace) -> int:
    """Scan, and print the findings and the number of skipped folders."""
    from ddoauth_kit.leaks.allowed import FILE, read_allowed
    from ddoauth_kit.leaks.known_secrets import environment_secrets
    from ddoauth_kit.leaks.scan import Scan
    from ddoauth_kit.leaks.stored_secrets import secrets_of_this_user
    from ddoauth_kit.masking.redaction import Masker

    stored = secrets_of_this_user()
    for what in stored.unread:
        say(f"warning: the scan does not look for the secrets of this store: {what}")
    allowed = options.allow if options.allow is not None else FILE if Path(FILE).is_file() else ""
    scan = Scan(
        Masker((*environment_secrets(), *stored.secrets)),
        read_allowed(Path(allowed)) if allowed else frozenset(),
    )
    for path in dict.fromkeys(options.paths):
        scan.path(Path(path))
    found = list(scan.findings)
    if options.format == "json":
        document(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            mark = f" [{finding.fingerprint}]" if finding.fingerprint else ""
            answer(f"{finding}{mark}")
        say(f"{counted(len(found) or 'no', 'secret')} found")
    _say_left_out(scan)
    return FOUND if found else SUCCESS


def _say_left_out(scan: Scan) -> None:
    if scan.suppressed:
        say(f"{scan.suppressed} allowed by a comment or by the list")
    for folder in scan.skipped:
        say(f"not checked: {folder}")
