"""The list of behaviours, the README, the code and these tests say the same."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from support.places import TESTS

from ddoauth_kit import sandbox
from ddoauth_kit.maintenance.behaviours import BEHAVIOURS
from ddoauth_kit.sandbox import FAULTS, PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = Path(sandbox.__file__).parent
README = (CODE / "README.md").read_text(encoding="utf-8")
REFUSALS = {
    "page_refusal",
    "redirect_refusal",
    "oauth_refusal",
    "api_refusal",
    "refusal",
    "bearer_refusal",
    "_invalid",
}


def rows(head: str) -> list[tuple[str, ...]]:
    """Read the README's table whose first heading is this."""
    lines = README.split(f"| {head} |", 1)[1].splitlines()[2:]
    found = []
    for line in lines:
        if not line.startswith("| "):
            break
        found.append(tuple(cell.strip(" `") for cell in line.strip("|").split(" | ")))
    return found


def calls(folder: Path) -> Iterator[ast.Call]:
    """Walk over all calls in a folder's code."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def marked(name: str) -> set[str]:
    """Return the ids that tests are marked with."""
    return {
        node.args[0].value
        for node in calls(TESTS / "sandbox")
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr == "mark"
        and isinstance(node.args[0], ast.Constant)
    }


def test_readme_lists_the_behaviours() -> None:
    """One line each, in the same order and words."""
    assert rows("behaviour") == [(b.id, b.summary, b.evidence) for b in BEHAVIOURS]


def test_readme_lists_profiles_and_faults() -> None:
    """One line each, in the same order and words."""
    assert rows("profile") == [(p.name, p.summary) for p in PROFILES.values()]
    assert rows("fault") == [(f.name, f.summary) for f in FAULTS.values()]


def test_readme_has_one_sentence_a_line() -> None:
    """Prose changes line by line in a diff."""
    prose = README.split("```")[0] + README.split("```")[-1]
    lines = [line for line in prose.splitlines() if not line.startswith(("|", "#"))]
    assert not [line for line in lines if ". " in line]


def test_every_behaviour_is_proven() -> None:
    """Each id is on a test, and no test is marked with an unknown one."""
    ids = [b.id for b in BEHAVIOURS]
    assert len(ids) == len(set(ids))
    assert marked("behaviour") == set(ids)


def test_every_refusal_is_listed() -> None:
    """Every refusal names a listed behaviour, as a literal where it is raised."""
    ids = {b.id for b in BEHAVIOURS}
    named = [
        node.args[0]
        for node in calls(CODE)
        if isinstance(node.func, ast.Name) and node.func.id in REFUSALS
    ]
    values = {arg.value for arg in named if isinstance(arg, ast.Constant)}
    variables = [arg for arg in named if not isinstance(arg, ast.Constant)]
    assert values <= ids
    # The two helpers that pass their own first argument on.
    assert [ast.unparse(arg) for arg in variables] == ["behaviour", "behaviour"]


def test_security_checklist_is_covered() -> None:
    """Each item of the checklist's sandbox part has a test."""
    assert marked("checklist") >= {f"S{number}" for number in range(1, 10)}


def test_evidence_is_public() -> None:
    """Each behaviour names its source, in words that a stranger can follow."""
    assert all(b.summary.endswith(".") and b.evidence for b in BEHAVIOURS)
