"""Write the tables of the sandbox's README from the code: behaviours, profiles, faults, kinds.

`python -m ddoauth_kit.maintenance.sandbox_page` rewrites them; `--check` only compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit import sandbox
from ddoauth_kit.maintenance.behaviours import BEHAVIOURS
from ddoauth_kit.maintenance.kinds_of_resources import kinds_of_resources
from ddoauth_kit.maintenance.lesson_navigation import rewrite
from ddoauth_kit.sandbox.facts.profiles import PROFILES
from ddoauth_kit.sandbox.facts.unserved import UNSERVED
from ddoauth_kit.sandbox.state.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

README: Final = Path(sandbox.__file__).parent / "README.md"


def page(text: str) -> str:
    """Return the README with updated tables and unchanged prose."""
    for head, rows in _tables().items():
        text = _replaced(text, head=head, rows=rows)
    return text


def rewritten() -> dict[Path, str]:
    """Return the README's path and new text if it is out of date, or else nothing."""
    text = README.read_text("utf-8")
    fresh = page(text)
    return {} if fresh == text else {README: fresh}


def _tables() -> dict[str, Iterable[tuple[str, ...]]]:
    return {
        "| behaviour |": ((f"`{b.id}`", b.summary, b.evidence) for b in BEHAVIOURS),
        "| profile |": ((f"`{p.name}`", p.summary) for p in PROFILES.values()),
        "| operation that is not served |": ((f"`{u.address}`", u.why) for u in UNSERVED),
        "| kind of resource |": ((f"`{k.path}`", k.store, k.why) for k in kinds_of_resources()),
        "| fault |": ((f"`{f.name}`", f.summary) for f in FAULTS.values()),
    }


def _replaced(text: str, *, head: str, rows: Iterable[tuple[str, ...]]) -> str:
    """Replace the rows below a table's header."""
    before, found, after = text.partition(head)
    heading, rule, *lines = after.splitlines(keepends=True)
    while lines and lines[0].startswith("|"):
        lines.pop(0)
    table = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([before, found, heading, rule, *table, *lines])


def main(arguments: list[str]) -> int:
    """Update the tables if necessary; with `--check`, only print the file name and exit with 1."""
    return rewrite(rewritten(), check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
