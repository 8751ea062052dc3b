"""The reference server is met, and each mistake made in a copy of it is found by its check."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, clock_limit, mutant_settings, reference_settings
from support.mutants import MUTANTS

from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from support.mutant import Mutant

AT_ONCE = 4


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the settings of the reference server name."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.long
def test_the_server_is_met_and_every_mistake_in_it_is_found(tmp_path: Path) -> None:
    """The server to copy is met in every check, in 90 seconds where nothing else runs.

    A mutant's own check gives the verdict that its mistake deserves.
    """
    report = grade(reference_settings(tmp_path, durable=True))
    wrong = {
        result.requirement.id: (str(result.verdict), result.actual, result.reason)
        for result in report.results
        if result.verdict is not Verdict.MET
    }
    assert wrong == {}
    assert report.seconds < clock_limit(90)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        missed = filter(None, pool.map(partial(_missed, tmp_path), MUTANTS))
    assert dict(missed) == {}


def _missed(folder: Path, mutant: Mutant) -> tuple[str, tuple[object, ...]] | None:
    """Grade a mutant, and return its name with what was seen if the verdict is another."""
    own = folder / mutant.name
    own.mkdir()
    report = grade(mutant_settings(own, mutant), only=[mutant.check])
    (result,) = report.results
    if result.verdict == mutant.verdict:
        return None
    return mutant.name, (str(result.verdict), result.actual, result.reason, report.notes)
