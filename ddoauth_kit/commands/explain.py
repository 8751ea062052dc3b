"""The command `ddoauth explain`: say what an error code means and what to do about it."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.known_values import codes, offer
from ddoauth_kit.commands.parser import NARROWEST, WIDEST
from ddoauth_kit.commands.terminal import SUCCESS, complain, document
from ddoauth_kit.errors.near_names import nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.errors.explainer import Explanation

_MOST_MEANT: Final = 4
EXAMPLES: Final = (
    "ddoauth explain invalid_grant",
    "ddoauth explain wrong_state --format json",
    "ddoauth explain --list",
)


def configure(explain: Parser) -> None:
    """Describe the command and add its options."""
    explain.describe(
        "Print the cause, the evidence and the fix of an error code. Works offline. Exit 2 if "
        "no error has this code.",
        examples=EXAMPLES,
    )
    explain.set_defaults(command=run_explain)
    which = explain.add_mutually_exclusive_group(required=True)
    code = which.add_argument("code", nargs="?", metavar="CODE", help="such as invalid_grant")
    offer(code, codes)
    which.add_argument("--list", action="store_true", help="list all codes, one per line")
    explain.add_argument(
        "--format", choices=["table", "json"], default="table", help="how to print (table)"
    )


def run_explain(options: argparse.Namespace) -> int:
    """Print one explanation, or the list of codes."""
    from ddoauth_kit.errors.explainer import by_code

    known = by_code()
    if options.list:
        as_json = options.format == "json"
        document(json.dumps(sorted(known), indent=2) if as_json else "\n".join(sorted(known)))
        return SUCCESS
    code = options.code.strip().strip("[]").lower()
    if code not in known:
        hint = _meant(code, known)
        return complain(f"There is no explanation for {options.code[:60]!a}.{hint}")
    found = known[code]
    document(json.dumps(asdict(found), indent=2) if options.format == "json" else _as_text(found))
    return SUCCESS


def _meant(code: str, known: Iterable[str]) -> str:
    """Name the codes that share words with the input, or that have a similar spelling.

    People also type the name of a sandbox fault, such as denied-consent instead of access_denied.
    """
    words = set(code.replace("-", "_").split("_"))
    by_code = {each: set(each.split("_")) for each in known}
    shared = [each for each, parts in by_code.items() if words & parts]
    misspelt = not words <= set().union(*by_code.values())
    if misspelt or len(shared) > _MOST_MEANT:
        return nearest(code, known) or " `ddoauth explain --list` lists all of them."
    return f" Did you mean {' or '.join(shared)}?"


def _as_text(explanation: Explanation) -> str:
    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    parts = [explanation.code]
    for title in ("cause", "evidence", "fix"):
        text = getattr(explanation, title)
        lines = textwrap.wrap(text, width - 2, initial_indent="  ", subsequent_indent="  ")
        parts.append("\n".join([title, *lines]))
    sources = [f"  {title}\n  {url}" for title, url in explanation.sources]
    return "\n\n".join([*parts, *(["\n".join(["sources", *sources])] if sources else [])])
