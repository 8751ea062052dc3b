"""Print the matrix of mutants and checks that a run of `tests/grading/test_matrix.py` recorded.

`python -m support.matrix REPORT.xml ...` reads the files that `--junit-xml` wrote, one per shard.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from support.mutants import MUTANTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.mutant import Mutant

PROPERTY = "verdicts"
HEAD = "| mutant | own check | verdict | broken beside it | other verdicts |\n|---|---|---|---|---|"


def half(mutant: Mutant) -> str:
    """Return a mutant's name for `-k half1` and `-k half2`, which split the matrix in two."""
    return f"half{MUTANTS.index(mutant) % 2 + 1} {mutant.name}"


def recorded(path: Path) -> dict[str, dict[str, str]]:
    """Return the verdicts of each mutant in the report, by name."""
    found = {}
    for case in ET.parse(path).iter("testcase"):
        name = case.attrib["name"].partition("[")[2].partition(" ")[2].rstrip("]")
        for each in case.iter("property"):
            if each.attrib["name"] == PROPERTY:
                found[name] = json.loads(each.attrib["value"])
    return found


def row(mutant: Mutant, verdicts: Mapping[str, str]) -> str:
    """Return a mutant's line: the broken checks with reasons, and the other unmet checks."""
    reasons = dict(mutant.also)
    broken = [
        f"{name}: {reasons.get(name, '**no reason**')}"
        for name, verdict in verdicts.items()
        if verdict == "broken" and name != mutant.check
    ]
    others = [
        f"{name} {verdict}"
        for name, verdict in verdicts.items()
        if verdict not in {"met", "broken"} and name != mutant.check
    ]
    cells = mutant.name, mutant.check, verdicts[mutant.check], "; ".join(broken), _counted(others)
    return f"| {' | '.join(cells)} |"


def _counted(others: list[str]) -> str:
    """Return the names if they are few, or else their number: one mistake can end the good run."""
    return ", ".join(others) if len(others) <= 12 else f"{len(others)} are not met"


def matrix(paths: Iterable[Path]) -> str:
    """Return the table, in the order of the mutants."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        found |= recorded(path)
    rows = [row(mutant, found[mutant.name]) for mutant in MUTANTS if mutant.name in found]
    return "\n".join((HEAD, *rows))


if __name__ == "__main__":
    sys.stdout.write(f"{matrix(map(Path, sys.argv[1:]))}\n")
