"""Collect the results of probing on all sites, even while probing is still running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.probing.verdict import PROBLEMS, ProbeResult

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Baseline:
    """The response to the call that any valid token may make (`GET /api/v2/current_user`).

    `status` is None if no response arrived. `evidence` says why a token counts as dead.
    """

    site: str
    alive: bool
    status: int | None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """One result for each site and scope, in the requested order.

    `complete` is false if results are missing because probing was cancelled. `seconds` is the total
    wall time. `asked` is the number of requested results, or 0 if it is unknown.
    """

    results: tuple[ProbeResult, ...]
    baselines: tuple[Baseline, ...]
    complete: bool = True
    seconds: float = 0.0
    asked: int = 0

    @property
    def missing(self) -> int:
        """Return how many results are missing because they were requested but never tried."""
        grid = len(self.scopes) * len(self.sites)
        return max(self.asked or grid, len(self.results)) - len(self.results)

    @property
    def sites(self) -> tuple[str, ...]:
        """Return the sites, in order."""
        return tuple(baseline.site for baseline in self.baselines)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes, in order."""
        return tuple(dict.fromkeys(result.scope for result in self.results))

    @property
    def problems(self) -> tuple[ProbeResult, ...]:
        """Return the results that need attention because they were refused or failed."""
        return tuple(result for result in self.results if result.verdict in PROBLEMS)

    @property
    def is_good(self) -> bool:
        """Return whether every token is valid and no scope was refused or failed."""
        return not self.problems and all(baseline.alive for baseline in self.baselines)


def merged(reports: Sequence[ProbeReport]) -> ProbeReport:
    """Combine the reports of several sites; the time is the longest, because they ran at once."""
    return ProbeReport(
        results=tuple(result for report in reports for result in report.results),
        baselines=tuple(baseline for report in reports for baseline in report.baselines),
        complete=all(report.complete for report in reports),
        seconds=max((report.seconds for report in reports), default=0.0),
        asked=sum(report.asked for report in reports),
    )
