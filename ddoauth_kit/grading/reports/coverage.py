"""Show the result for every requirement in the catalogue, including those that were left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from ddoauth_kit.grading.results import CheckResult, GradeReport, Requirement

NOT_ASKED: Final = "not asked for"
LEFT_OUT: Final = "left out"


@dataclass(frozen=True, slots=True)
class Covered:
    """One requirement with its result; `word` is the verdict, or the reason there is none."""

    requirement: Requirement
    word: str
    said: str
    result: CheckResult | None = None


def coverage(report: GradeReport) -> tuple[Covered, ...]:
    """Return all requirements in the catalogue's order, with a row for each site."""
    return tuple(row for each in REQUIREMENTS.values() for row in _rows(each, report))


def _rows(requirement: Requirement, report: GradeReport) -> list[Covered]:
    if requirement.id in report.left_out:
        return [Covered(requirement, LEFT_OUT, report.left_out[requirement.id])]
    found = [each for each in report.results if each.requirement.id == requirement.id]
    if not found:
        return [Covered(requirement, NOT_ASKED, "")]
    return [
        Covered(requirement, each.verdict.words, each.reason or each.actual, each) for each in found
    ]
