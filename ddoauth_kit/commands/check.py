"""The command `ddoauth check`: check an integration's folder before a reviewer does."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, document, say

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
EXAMPLES: Final = (
    "ddoauth check my_integration",
    "ddoauth check my_integration --format diff",
)


def configure(check: Parser) -> None:
    """Describe the command and add its options."""
    check.describe(
        "Check an integration's README.md, manifest.json and OAuth client file. Nothing is sent "
        "or changed. Exit 1 only if a rule of severity `must` is broken.",
        examples=EXAMPLES,
    )
    check.set_defaults(command=run_check)
    check.add_argument("path", metavar="PATH", help="the integration's folder")
    before = check.add_mutually_exclusive_group()
    before.add_argument(
        "--base",
        metavar="REF",
        default="",
        help=("the git branch, tag or commit with the earlier app_uuid (the main branch)"),
    )
    before.add_argument(
        "--earlier", metavar="MANIFEST", default="", help="a manifest with the earlier app_uuid"
    )
    check.add_argument("--probes", metavar="FILE", help="the output of probe --format json")
    check.add_argument(
        "--format",
        choices=["table", "json", "diff"],
        default="table",
        help="diff prints a patch with the safe fixes, for git apply (table)",
    )


def run_check(options: argparse.Namespace) -> int:
    """Check and print the findings, or the patch."""
    from ddoauth_kit.publishing.folder_check import check_folder, listing
    from ddoauth_kit.publishing.requested_scopes import read_probes

    probes = None if options.probes is None else read_probes(options.probes)
    report = check_folder(options.path, base=options.base, earlier=options.earlier, probes=probes)
    for note in report.notes:
        say(f"note: {note}")
    if options.format == "diff":
        _print_patch(report.patch)
    else:
        as_json = options.format == "json"
        document(json.dumps(report.as_json(), indent=2) if as_json else listing(report))
    return SUCCESS if report.passed else FOUND


def _print_patch(patch: str) -> None:
    """Write the files' bytes to a pipe or a file, but only printable text to a terminal."""
    if sys.stdout.isatty():
        document(patch.rstrip("\n"))
    else:
        sys.stdout.buffer.write(os.fsencode(patch))
