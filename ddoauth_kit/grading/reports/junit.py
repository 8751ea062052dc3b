"""Write a grading report as JUnit XML, which CI services show as test results."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from ddoauth_kit.grading.reports.masked import masked
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.printable import many_lines, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.grading.results import CheckResult, GradeReport

_SKIPPED = frozenset({Verdict.NOT_SEEN, Verdict.NOT_TESTED})


def grade_junit(report: GradeReport) -> str:
    """Return the XML: *broken* counts as a failure, *risk* passes, and untested means skipped."""
    report = masked(report)
    verdicts = [result.verdict for result in report.results]
    counts = (
        f'tests="{len(verdicts)}" failures="{verdicts.count(Verdict.BROKEN)}" errors="0" '
        f'skipped="{sum(each in _SKIPPED for each in verdicts)}" time="{report.seconds:.2f}"'
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="ddoauth grade" {counts}>',
        f'<testsuite name="ddoauth grade" {counts}>',
        *(line for result in report.results for line in _case(result)),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(result: CheckResult) -> Iterator[str]:
    name = quoteattr(result.requirement.id)
    yield f'<testcase classname={quoteattr(f"ddoauth.grade.{result.site}")} name={name} time="0">'
    yield f'<properties><property name="verdict" value="{result.verdict}"/></properties>'
    if result.verdict is Verdict.BROKEN:
        yield f"<failure type={name} message={_quoted(result.actual)}>{_details(result)}</failure>"
    elif result.verdict in _SKIPPED:
        yield f"<skipped message={_quoted(result.reason or result.actual)}/>"
    elif result.verdict is Verdict.RISK:
        yield f"<system-out>{_details(result)}</system-out>"
    yield "</testcase>"


def _details(result: CheckResult) -> str:
    requirement = result.requirement
    lines = [
        f"{requirement.sentence} ({requirement.source})",
        f"expected: {result.expected}",
        f"actual: {result.actual}",
        *((f"why: {result.reason}",) if result.reason else ()),
        f"fix: {requirement.fix}",
        *result.evidence,
    ]
    return escape(many_lines("\n".join(lines)))


def _quoted(text: str) -> str:
    return quoteattr(one_line(text))
