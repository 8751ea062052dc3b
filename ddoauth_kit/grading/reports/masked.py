"""Mask every text of a report once more: this is the last door before a file or a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.masking.redaction import redact
from ddoauth_kit.printable import one_line

if TYPE_CHECKING:
    from ddoauth_kit.grading.results import CheckResult, GradeReport


def masked(report: GradeReport) -> GradeReport:
    """Return the report with its texts masked, each on one line and printable."""
    return replace(
        report,
        results=tuple(map(_masked, report.results)),
        notes=tuple(map(_line, report.notes)),
        left_out={name: _line(reason) for name, reason in report.left_out.items()},
    )


def _masked(result: CheckResult) -> CheckResult:
    return replace(
        result,
        expected=_line(result.expected),
        actual=_line(result.actual),
        evidence=tuple(map(_line, result.evidence)),
        excerpt=_line(result.excerpt),
        reason=_line(result.reason),
    )


def _line(text: str) -> str:
    return one_line(" ".join(redact(text).split()))
