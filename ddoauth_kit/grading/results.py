"""The result of a grading run: a verdict for each requirement, and the overall grade."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(StrEnum):
    """The result for one requirement; `VERDICT_MEANINGS` explains each value."""

    MET = "met"
    RISK = "risk"
    BROKEN = "broken"
    NOT_SEEN = "not_seen"
    NOT_TESTED = "not_tested"

    @property
    def words(self) -> str:
        """Return the verdict's name in plain words."""
        return self.value.replace("_", " ")


VERDICT_MEANINGS: Final = MappingProxyType(
    {
        Verdict.MET: "The server did what it must do here.",
        Verdict.RISK: (
            "The server did something else, and another protection applies or is unknown."
        ),
        Verdict.BROKEN: "The server breaks a rule, or can't work with Datadog.",
        Verdict.NOT_SEEN: (
            "The scenario ran, but the server did not do the thing that this requirement checks."
        ),
        Verdict.NOT_TESTED: "The scenario did not run.",
    }
)
# From worst to best.
GRAVITY: Final = (
    Verdict.BROKEN,
    Verdict.NOT_SEEN,
    Verdict.NOT_TESTED,
    Verdict.RISK,
    Verdict.MET,
)
_UNTRIED: Final = frozenset({Verdict.NOT_SEEN, Verdict.NOT_TESTED})


class Grade(StrEnum):
    """The overall rating of a server: its worst verdict, never a percentage.

    `incomplete` means that a *must* was not seen or not tested.
    """

    BROKEN = "broken"
    INCOMPLETE = "incomplete"
    RISK = "risk"
    MET = "met"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement; it is tested only if the settings have the tables in `needs`."""

    id: str
    sentence: str
    source: str
    worst: Verdict
    fix: str
    needs: tuple[str, ...] = ()

    @property
    def is_must(self) -> bool:
        """Return whether breaking this requirement makes the grade broken."""
        return self.worst is Verdict.BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The verdict for one requirement on one site.

    `evidence` has lines from the sandbox's journal, and `excerpt` is part of a page or a log; both
    are masked. `reason` says why something was not tested or not seen, or why it is at most a risk.
    """

    requirement: Requirement
    verdict: Verdict
    expected: str
    actual: str
    evidence: tuple[str, ...] = ()
    excerpt: str = ""
    reason: str = ""
    site: str = "us1"

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "id": self.requirement.id,
            "verdict": str(self.verdict),
            "requirement": self.requirement.sentence,
            "source": self.requirement.source,
            "expected": self.expected,
            "actual": self.actual,
            "evidence": list(self.evidence),
            "excerpt": self.excerpt,
            "reason": self.reason,
            "fix": self.requirement.fix if self.verdict is not Verdict.MET else "",
            "site": self.site,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeReport:
    """A complete grading report.

    `connects` counts how often customers returned to the server; `seconds` is wall time.
    `tolerated` names the mistakes that the sandbox tolerated so that grading could continue.
    `left_out` maps requirement ids to the reasons that the settings give for skipping them.
    """

    results: tuple[CheckResult, ...]
    sites: tuple[str, ...]
    connects: int
    seconds: float
    tolerated: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def grade(self) -> Grade:
        """Return the worst of broken, incomplete, risk and met; without results, incomplete."""
        verdicts = {result.verdict for result in self.results}
        if Verdict.BROKEN in verdicts:
            return Grade.BROKEN
        musts = [r for r in self.results if r.requirement.is_must and r.verdict in _UNTRIED]
        if musts or not verdicts - _UNTRIED:
            return Grade.INCOMPLETE
        return Grade.RISK if Verdict.RISK in verdicts else Grade.MET

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Return how many requirements have each verdict, worst first, without zeros."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in GRAVITY if found[verdict]}

    @property
    def headline(self) -> str:
        """Summarize the grade, what was tested, and what one more setting would add."""
        tried = sum(result.verdict not in _UNTRIED for result in self.results)
        counted = ", ".join(f"{number} {verdict.words}" for verdict, number in self.counts.items())
        sites = f"{len(self.sites)} site{'' if len(self.sites) == 1 else 's'}"
        said = f"{self.grade}: {tried} of {len(self.results)} requirements were tried on {sites}"
        return f"{said} ({counted}).{self._next_setting()}"

    def _next_setting(self) -> str:
        """Return the settings table that would add the most requirements."""
        wanted = Counter(
            need
            for result in self.results
            if result.verdict is Verdict.NOT_TESTED
            for need in result.requirement.needs
        )
        if not wanted:
            return ""
        table, number = min(wanted.items(), key=lambda item: (-item[1], item[0]))
        return f" The table [{table}] would add {number}."

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values: `grade`, `verdicts` and all other fields."""
        return {
            "grade": str(self.grade),
            "headline": self.headline,
            "sites": list(self.sites),
            "connects": self.connects,
            "seconds": round(self.seconds, 1),
            "tolerated": list(self.tolerated),
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
            "verdicts": [result.as_dict() for result in self.results],
        }
