"""All results of a run, before they are written in any format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddoauth_kit.workbook.runs.comparison import Comparison, compare
from ddoauth_kit.workbook.runs.run_verdicts import verdicts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.leaks.scan import SecretFinding
    from ddoauth_kit.workbook.runs.comparison import EarlierRun
    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun, RunSettings
    from ddoauth_kit.workbook.runs.run_verdicts import RunVerdict


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run: its cases, its results, and its duration.

    `started` is UTC in ISO 8601; `seconds` is wall time. `findings` are the results of scanning the
    run's files, or None before the scan. `titles` are the notebooks' own titles, masked.
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
        """Return the cases without a result, in an interrupted run."""
        ended = {run.name for run in self.runs}
        return [case for case in self.cases if case.name not in ended]

    @property
    def verdicts(self) -> list[RunVerdict]:
        """Return the verdicts from the notebooks."""
        return verdicts_of(self.runs)

    @property
    def comparison(self) -> Comparison:
        """Return the changes since the earlier run, or None without one."""
        if self.earlier is None:
            return Comparison()
        return compare(self.runs, verdicts=self.verdicts, earlier=self.earlier)
