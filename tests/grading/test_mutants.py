"""Each mistake of the catalogue, made in a copy of the reference server, is found by its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, mutant_settings
from support.mutants import MUTANTS

from ddoauth_kit.grading.grader import grade

if TYPE_CHECKING:
    from pathlib import Path

    from support.mutant import Mutant


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_found(
    mutant: Mutant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant's own check gives the verdict that the mistake deserves."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    report = grade(mutant_settings(tmp_path, mutant), only=[mutant.check])
    (result,) = report.results
    assert result.verdict == mutant.verdict, (result.actual, result.reason, report.notes)
