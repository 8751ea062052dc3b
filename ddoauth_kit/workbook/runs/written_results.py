"""Write the results of a run: pages, tables, a summary, JUnit XML and the report."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nbformat import v4

from ddoauth_kit.leaks.people import mask_row, mask_values
from ddoauth_kit.leaks.scan import Scan
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.result_files import folder_within, write_text
from ddoauth_kit.workbook.runs.junit import junit
from ddoauth_kit.workbook.runs.ledger import NAME as LEDGER
from ddoauth_kit.workbook.runs.notebook_pages import empty_page, notebook_page
from ddoauth_kit.workbook.runs.run_matrix import distinct_file_names, file_name
from ddoauth_kit.workbook.runs.run_report import report
from ddoauth_kit.workbook.show.spreadsheet import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.runs.outcome import RunOutcome
    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun


def write_results(
    outcome: RunOutcome,
    *,
    out: Path,
    secrets: Iterable[Secret] = (),
    seconds: float | None = None,
) -> RunOutcome:
    """Write everything under `out`, then scan only the run's own files for secrets.

    The executed notebooks already exist, and everything else is derived from their masked contents.
    `secrets` contains the values known in memory, and `seconds` is the time limit for one page. If
    a page or table can't be created, a note replaces it, and the run still ends with a report and a
    scan. Return the outcome with the scan's findings.
    """
    masker = Masker(secrets)
    scan = Scan(masker)
    titles = {case.notebook.stem: masker(_title(case.notebook)) for case in outcome.cases}
    runs = [_masked(run, masker) for run in outcome.runs]
    outcome = replace(outcome, runs=runs, titles=titles)
    names = {run.name for run in outcome.runs}
    for run in outcome.runs:
        if (out / run.output).is_file():
            data = scan.file(out / run.output)
            _write_page(run, data, out=out, siblings=names, seconds=seconds)
    tables = _write_tables(outcome.runs, folder_within(out, "tables"))
    write_text(out / "junit.xml", junit(outcome))
    _write_summaries(outcome, out=out)
    for path in [*_written(outcome, out=out), *tables]:
        scan.file(path)
    scanned = replace(outcome, findings=list(scan.findings))
    _write_summaries(scanned, out=out)
    return scanned


def _masked(run: NotebookRun, masker: Masker) -> NotebookRun:
    return replace(run, error=masker(run.error), tables=_masked_value(run.tables, masker))


def _title(notebook: Path) -> str:
    """Return the heading at the start of a notebook, or an empty string."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        found = re.match(r"# (.+)", "".join(cells[0]["source"]))
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    return found[1].strip() if found else ""


def _masked_value(value: Any, masker: Masker) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return masker(value)
    if isinstance(value, (list, tuple)):
        return [_masked_value(item, masker) for item in value]
    if isinstance(value, dict):
        return {name: _masked_value(item, masker) for name, item in value.items()}
    return value


def _written(outcome: RunOutcome, *, out: Path) -> list[Path]:
    """Return the files of a run; the folder may contain many other files."""
    names = [f"{run.name}.html" for run in outcome.runs]
    names += ["junit.xml", "summary.json", "report.html", "rows.csv", LEDGER]
    return [out / name for name in dict.fromkeys(names) if (out / name).is_file()]


def _write_summaries(outcome: RunOutcome, *, out: Path) -> None:
    write_text(out / "summary.json", _summary(outcome))
    write_text(out / "report.html", report(outcome))


def _write_page(
    run: NotebookRun, data: bytes, *, out: Path, siblings: set[str], seconds: float | None
) -> None:
    title = f"{run.notebook} on {run.site}"
    try:
        text = notebook_page(
            v4.reads(data.decode("utf-8")),  # type: ignore[no-untyped-call]
            title=title,
            suffix=run.name.removeprefix(file_name(run.notebook, otherwise="notebook")),
            siblings=siblings,
            until=None if seconds is None else time.monotonic() + seconds,
        )
    except Exception as error:  # noqa: BLE001 - whatever a notebook holds, the others have pages
        text = empty_page(title, why=type(error).__name__)
    with suppress(OSError):
        write_text(out / f"{run.name}.html", text)


def _summary(outcome: RunOutcome) -> str:
    comparison = outcome.comparison
    summary = {
        "ddoauth_kit": version("ddoauth-kit"),
        "mode": outcome.settings.mode,
        "started": outcome.started,
        "seconds": outcome.seconds,
        "passed": outcome.passed,
        "failed": len(outcome.failed),
        "not_run": [case.name for case in outcome.not_run],
        "runs": [_without_tables(run) for run in outcome.runs],
        "only_in_one_run": [asdict(part) for part in comparison.parts],
        "differences": [asdict(difference) for difference in comparison.differences],
        "findings": [asdict(finding) for finding in outcome.findings or ()],
    }
    return json.dumps(mask_values(summary), indent=2, ensure_ascii=False) + "\n"


def _without_tables(run: NotebookRun) -> dict[str, Any]:
    return {name: value for name, value in run.as_dict().items() if name != "tables"}


def _write_tables(runs: list[NotebookRun], folder: Path) -> list[Path]:
    """Write each result table for all cases as CSV, and all rows of all tables as one file."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        where = {"notebook": run.notebook, "site": run.site, "client": run.client}
        for name, table in run.tables.items():
            rows.setdefault(name, []).extend({**where, **mask_row(row)} for row in table)
    files = distinct_file_names(rows, otherwise="table")
    paths: dict[Path, None] = {}
    for name, table in rows.items():
        path = folder / f"{files[name]}.csv"
        paths[path] = None
        _write_csv(path, table)
    _write_csv(folder.parent / "rows.csv", [{"table": n, **r} for n, t in rows.items() for r in t])
    return list(paths)


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    write_text(path, write_csv(columns, rows))
