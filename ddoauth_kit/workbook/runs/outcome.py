"""Hold all that came of a run, before it is written down in one form or another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddoauth_kit.workbook.runs.comparison import differences
from ddoauth_kit.workbook.runs.run_verdicts import verdicts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.masking.scan import SecretFinding
    from ddoauth_kit.workbook.runs.comparison import EarlierRun, RunDifference
    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun, RunSettings
    from ddoauth_kit.workbook.runs.run_verdicts import RunVerdict


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """Hold a run: what was asked for, what ended, and how long it took.

    `started` is UTC in ISO 8601; `seconds` is wall time. `findings` is what the scan found in the
    files that the run left, None before it was made. `titles` are the notebooks' own, masked.
    """

    cases: list[Case]
    runs: list[NotebookRun]
    settings: RunSettings
    started: str
    seconds: float
    earlier: EarlierRun | None = None
    findings: list[SecretFinding] | None = None
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        """Return how many cases passed."""
        return sum(run.status == "passed" for run in self.runs)

    @property
    def failed(self) -> list[NotebookRun]:
        """Return the cases that failed."""
        return [run for run in self.runs if run.status == "failed"]

    @property
    def not_run(self) -> list[Case]:
        """Return the cases that never ended, in a run that was interrupted."""
        ended = {run.name for run in self.runs}
        return [case for case in self.cases if case.name not in ended]

    @property
    def verdicts(self) -> list[RunVerdict]:
        """Return the verdicts that the notebooks handed over."""
        return verdicts_of(self.runs)

    @property
    def differences(self) -> list[RunDifference]:
        """Return what is different from the earlier run; nothing without one."""
        if self.earlier is None:
            return []
        return differences(self.runs, verdicts=self.verdicts, earlier=self.earlier)
