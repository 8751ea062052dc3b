"""Write a run as JUnit XML, which CI services show as test results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from ddoauth_kit.leaks.people import mask_people
from ddoauth_kit.workbook.runs.run_verdicts import verdicts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.workbook.runs.outcome import RunOutcome
    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun

# Characters that XML 1.0 can't contain, not even escaped (section 2.2).
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(outcome: RunOutcome) -> str:
    """Return the XML: a test case per notebook, site and client, with verdicts as properties."""
    runs = {run.name: run for run in outcome.runs}
    counts = (
        f'tests="{len(outcome.cases)}" failures="{len(outcome.failed)}" errors="0" '
        f'skipped="{len(outcome.not_run)}" time="{outcome.seconds:.2f}"'
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="ddoauth run" {counts}>',
        f'<testsuite name="ddoauth run" {counts} timestamp={_quoted(outcome.started)}>',
        *(line for case in outcome.cases for line in _case(case, runs.get(case.name))),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(case: Case, run: NotebookRun | None) -> Iterator[str]:
    seconds = run.seconds if run else 0.0
    name = f"{case.site} [{case.client.label}]"
    yield (f'<testcase classname={_quoted(case.label)} name={_quoted(name)} time="{seconds:.2f}">')
    if run is None:
        yield '<skipped message="not run: the run was interrupted"/>'
    else:
        yield "<properties>"
        yield from _properties(run)
        yield "</properties>"
        if run.error:
            kind = run.error.partition(":")[0]
            yield f"<failure type={_quoted(kind)} message={_quoted(run.complaint)}/>"
    yield "</testcase>"


def _properties(run: NotebookRun) -> Iterator[str]:
    yield f'<property name="attempts" value="{run.attempts}"/>'
    yield f'<property name="output" value={_quoted(run.output)}/>'
    for verdict in verdicts_of([run]):
        name = f"verdict {verdict.scope} on {verdict.site}"
        yield f"<property name={_quoted(name)} value={_quoted(verdict.verdict)}/>"


def _quoted(text: str) -> str:
    return quoteattr(_UNWRITABLE.sub("?", mask_people(text)))
