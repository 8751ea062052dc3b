"""Write down what came of a run: a summary, and each result table over all notebooks and sites."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.workbook.runs import NotebookRun, RunSettings


def write_results(runs: list[NotebookRun], *, settings: RunSettings, out: Path) -> None:
    """Write `summary.json`, and each result table as `tables/NAME.csv` over all runs."""
    summary = {
        "ddoauth_kit": version("ddoauth-kit"),
        "mode": settings.mode,
        "passed": sum(run.status == "passed" for run in runs),
        "failed": sum(run.status == "failed" for run in runs),
        "runs": [_without_tables(run) for run in runs],
    }
    text = json.dumps(summary, indent=2) + "\n"
    (out / "summary.json").write_text(text, encoding="utf-8")
    folder = out / "tables"
    folder.mkdir(exist_ok=True)
    for name in dict.fromkeys(name for run in runs for name in run.tables):
        _write_table(name, runs, folder)


def _without_tables(run: NotebookRun) -> dict[str, Any]:
    return {name: value for name, value in asdict(run).items() if name != "tables"}


def _write_table(name: str, runs: list[NotebookRun], folder: Path) -> None:
    rows = [
        {"notebook": run.notebook, "site": run.site, **row}
        for run in runs
        for row in run.tables.get(name, ())
    ]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns)
        writer.writeheader()
        writer.writerows(rows)
