"""The command `ddoauth scan`: find secrets in files, and say where."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, answer, document, say

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
EXAMPLES: Final = (
    "ddoauth scan notebooks ddoauth-runs",
    "ddoauth scan report.html --format json",
)


def configure(scan: Parser) -> None:
    """Describe the command and add its options."""
    scan.describe(
        "Look for what has the shape of a Datadog key or of a credential of the "
        "sandbox, and for the secrets of the environment and the store. Exit 1 and say where, "
        "never what.",
        examples=EXAMPLES,
    )
    scan.set_defaults(command=run_scan)
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    scan.add_argument(
        "--format", choices=["table", "json"], default="table", help="how to print (table)"
    )


def run_scan(options: argparse.Namespace) -> int:
    """Scan and print what was found."""
    from ddoauth_kit.masking.known_secrets import environment_secrets
    from ddoauth_kit.masking.scan import scan_paths
    from ddoauth_kit.store.contents import secrets_of_this_user

    stored = secrets_of_this_user()
    for what in stored.unread:
        say(f"warning: what the store holds there is not looked for: {what}")
    found = scan_paths(options.paths, secrets=(*environment_secrets(), *stored.secrets))
    if options.format == "json":
        document(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            answer(str(finding))
        say(f"{len(found) or 'no'} secret{'' if len(found) == 1 else 's'} found")
    return FOUND if found else SUCCESS
