"""Write a report as text: for a 60-column terminal, and as Markdown for a CI job's summary."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.reports.masked import masked
from ddoauth_kit.grading.results import GRAVITY, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ddoauth_kit.grading.reports.comparison import VerdictChange
    from ddoauth_kit.grading.results import CheckResult, GradeReport

WIDTH: Final = 60
_COLOURS: Final = {
    Verdict.BROKEN: "\x1b[31m",
    Verdict.RISK: "\x1b[33m",
    Verdict.MET: "\x1b[32m",
}
_PLAIN: Final = "\x1b[0m"
_WORD: Final = max(len(verdict) for verdict in Verdict)


def grade_text(
    report: GradeReport, *, colour: bool = False, changed: Sequence[VerdictChange] = ()
) -> str:
    """Return the headline, the table, and each unmet requirement's reason, evidence and fix."""
    report = masked(report)
    lines = textwrap.wrap(report.headline, WIDTH)
    lines += _wrapped("Tolerated so that grading could continue: ", report.tolerated)
    for name, reason in report.left_out.items():
        lines += textwrap.wrap(f"Left out: {name} ({reason})", WIDTH, subsequent_indent="  ")
    for note in report.notes:
        lines += textwrap.wrap(f"Note: {note}", WIDTH, subsequent_indent="  ")
    lines.append("")
    for result in _by_gravity(report.results):
        lines += _entry(result, colour=colour)
    if changed:
        lines += ["", "What changed:", *(f"  {each.line}" for each in changed)]
    return "\n".join(lines)


def _wrapped(head: str, names: Sequence[str]) -> list[str]:
    return textwrap.wrap(head + ", ".join(names), WIDTH) if names else []


def _by_gravity(results: Iterable[CheckResult]) -> list[CheckResult]:
    return sorted(results, key=lambda result: GRAVITY.index(result.verdict))


def _entry(result: CheckResult, *, colour: bool) -> Iterator[str]:
    word = f"{result.verdict.replace('_', ' '):<{_WORD}}"
    if colour and result.verdict in _COLOURS:
        word = f"{_COLOURS[result.verdict]}{word}{_PLAIN}"
    yield f"{word}  {result.requirement.id}"
    if result.verdict is Verdict.MET:
        return
    indent = " " * (_WORD + 2)
    untried = result.verdict in {Verdict.NOT_SEEN, Verdict.NOT_TESTED}
    texts = [result.reason or result.actual] if untried else [result.actual, result.reason]
    if not untried:
        texts += [*(f"> {line}" for line in result.evidence), f"Fix: {result.requirement.fix}"]
    for text in filter(None, texts):
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=True
        )


def grade_markdown(report: GradeReport, *, changed: Sequence[VerdictChange] = ()) -> str:
    """Return a summary for code-hosting sites: grade, unmet requirements and coverage."""
    report = masked(report)
    lines = [f"## ddoauth grade: {report.grade}", "", _cell(report.headline), ""]
    lines += [f"- tolerated: `{name}`" for name in report.tolerated]
    lines += [f"- left out: `{name}`: {_cell(reason)}" for name, reason in report.left_out.items()]
    if changed:
        lines += ["", "### What changed", "", *(f"- {_cell(each.line)}" for each in changed)]
    lines += ["", "| verdict | requirement | what happened | fix |", "|---|---|---|---|"]
    for result in _by_gravity(report.results):
        open_ = result.verdict is not Verdict.MET
        happened = result.reason if result.actual in {"", "Not tried."} else result.actual
        lines.append(
            f"| {result.verdict.replace('_', ' ')} | `{result.requirement.id}`: "
            f"{_cell(result.requirement.sentence)} | {_cell(happened)} | "
            f"{_cell(result.requirement.fix) if open_ else ''} |"
        )
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Escape characters that would end a table cell or count as markup."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{letter}" if letter in "|`*_[]\\#" else letter for letter in plain)
