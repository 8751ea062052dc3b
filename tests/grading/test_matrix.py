"""The whole matrix, mutants by checks: only checks with a reason turn broken beside the own one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, mutant_settings
from support.matrix import PROPERTY, half
from support.mutants import MUTANTS

from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from support.mutant import Mutant


@pytest.mark.judge
@pytest.mark.parametrize("mutant", MUTANTS, ids=half)
def test_a_check_that_turns_broken_has_its_reason(
    mutant: Mutant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """A whole grading finds the mistake by its own check, and by no other without a reason."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    report = grade(mutant_settings(tmp_path, mutant))
    verdicts = {result.requirement.id: result.verdict for result in report.results}
    request.node.user_properties.append((PROPERTY, json.dumps(verdicts)))
    assert verdicts[mutant.check] == mutant.verdict
    others = {name for name, verdict in verdicts.items() if verdict is Verdict.BROKEN}
    assert others - {mutant.check} == set(dict(mutant.also))
