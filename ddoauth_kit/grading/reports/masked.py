"""Mask all text in a report once more, just before it goes to a file or a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.leaks.known_secrets import environment_secrets
from ddoauth_kit.leaks.stored_secrets import secrets_of_this_user
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.grading.results import CheckResult, GradeReport


def masked(report: GradeReport) -> GradeReport:
    """Return the report with every string masked, printable and on one line.

    A server can log or show any secret in its environment or in this user's stores.
    """
    secrets = dict.fromkeys((*environment_secrets(), *secrets_of_this_user().secrets))
    masker = Masker(secrets)

    def line(text: str) -> str:
        return one_line(" ".join(masker(text).split()))

    return replace(
        report,
        results=tuple(_masked(each, line) for each in report.results),
        notes=tuple(map(line, report.notes)),
        left_out={line(name): line(reason) for name, reason in report.left_out.items()},
    )


def _masked(result: CheckResult, line: Callable[[str], str]) -> CheckResult:
    return replace(
        result,
        expected=line(result.expected),
        actual=line(result.actual),
        evidence=tuple(map(line, result.evidence)),
        excerpt=line(result.excerpt),
        reason=line(result.reason),
    )
