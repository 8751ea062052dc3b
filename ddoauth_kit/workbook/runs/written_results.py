"""Write down what came of a run: pages, tables, a summary, JUnit XML and the report."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nbformat import v4

from ddoauth_kit.masking.people import mask_people, mask_row
from ddoauth_kit.masking.scan import scan_paths
from ddoauth_kit.workbook.runs.junit import junit
from ddoauth_kit.workbook.runs.notebook_pages import notebook_page
from ddoauth_kit.workbook.runs.run_report import report
from ddoauth_kit.workbook.show.spreadsheet import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.runs.outcome import RunOutcome
    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun


def write_results(outcome: RunOutcome, *, out: Path, secrets: Iterable[Secret] = ()) -> RunOutcome:
    """Write everything under `out`, then look for secrets in all of it.

    The executed notebooks are there already, and all else is made of what was masked with them.
    `secrets` are the values that are known in memory. Return the outcome with what the scan found.
    """
    names = {run.name for run in outcome.runs}
    for run in outcome.runs:
        _write_page(run, out=out, siblings=names)
    _write_tables(outcome.runs, out / "tables")
    (out / "junit.xml").write_text(junit(outcome), encoding="utf-8")
    _write_summaries(outcome, out=out)
    scanned = replace(outcome, findings=scan_paths([out], secrets=secrets))
    _write_summaries(scanned, out=out)
    return scanned


def _write_summaries(outcome: RunOutcome, *, out: Path) -> None:
    (out / "summary.json").write_text(_summary(outcome), encoding="utf-8")
    (out / "report.html").write_text(report(outcome), encoding="utf-8")


def _write_page(run: NotebookRun, *, out: Path, siblings: set[str]) -> None:
    path = out / run.output
    if not path.is_file():
        return
    text = notebook_page(
        v4.reads(path.read_text("utf-8")),  # type: ignore[no-untyped-call]
        title=f"{run.notebook} on {run.site}",
        suffix=run.name.removeprefix(run.notebook),
        siblings=siblings,
    )
    (out / f"{run.name}.html").write_text(text, encoding="utf-8")


def _summary(outcome: RunOutcome) -> str:
    summary = {
        "ddoauth_kit": version("ddoauth-kit"),
        "mode": outcome.settings.mode,
        "started": outcome.started,
        "seconds": outcome.seconds,
        "passed": outcome.passed,
        "failed": len(outcome.failed),
        "not_run": [case.name for case in outcome.not_run],
        "runs": [_without_tables(run) for run in outcome.runs],
        "differences": [asdict(difference) for difference in outcome.differences],
        "findings": [asdict(finding) for finding in outcome.findings or ()],
    }
    return mask_people(json.dumps(summary, indent=2, ensure_ascii=False)) + "\n"


def _without_tables(run: NotebookRun) -> dict[str, Any]:
    return {name: value for name, value in run.as_dict().items() if name != "tables"}


def _write_tables(runs: list[NotebookRun], folder: Path) -> None:
    """Write each result table as CSV over all runs, and all rows of all tables as one file."""
    folder.mkdir(exist_ok=True)
    rows: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        where = {"notebook": run.notebook, "site": run.site, "client": run.client}
        for name, table in run.tables.items():
            rows.setdefault(name, []).extend({**where, **mask_row(row)} for row in table)
    for name, table in rows.items():
        _write_csv(folder / f"{_file_name(name)}.csv", table)
    _write_csv(folder.parent / "rows.csv", [{"table": n, **r} for n, t in rows.items() for r in t])


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    path.write_text(write_csv(columns, rows), encoding="utf-8", newline="")


def _file_name(name: str) -> str:
    """Return a table's name without what would lead to another folder."""
    return "".join(c if c.isalnum() or c in " ._-" else "_" for c in name).lstrip(".") or "table"
