"""Extract the result from an executed notebook: how it ended, and its result tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.workbook.runs.run_matrix import NotebookRun, digest
from ddoauth_kit.workbook.runs.run_secrets import secrets_here
from ddoauth_kit.workbook.show.result_table import TABLE_MIME, collected_table

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ddoauth_kit.workbook.runs.run_matrix import Case


def result(
    case: Case,
    *,
    error: str,
    seconds: float,
    notebook: NotebookNode | None = None,
    attempts: int = 1,
) -> NotebookRun:
    """Return the result of a case; `notebook` is None if there is no notebook to read."""
    error = Masker(secrets_here())(" ".join(error.split())) if error else ""
    return NotebookRun(
        notebook=case.label,
        site=case.site,
        client=case.client.label,
        status="failed" if error else "passed",
        seconds=seconds,
        error=error,
        output=f"{case.name}.ipynb",
        attempts=attempts,
        digest=digest(case),
        tables={} if notebook is None else tables(notebook),
    )


def tables(notebook: NotebookNode) -> dict[str, list[dict[str, Any]]]:
    """Return the notebook's result tables; if several have the same name, the last one counts."""
    outputs = (
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    readable = (o for o in outputs if _is_table(o.get("data", {}).get(TABLE_MIME)))
    return dict(table for output in readable if (table := _collected(output)))


def _collected(output: Any) -> tuple[str, list[dict[str, Any]]] | None:  # noqa: ANN401 - as below
    try:
        return collected_table(output)
    except (TypeError, ValueError, LookupError, AttributeError):
        return None


def _is_table(value: Any) -> bool:  # noqa: ANN401 - whatever a notebook wrote
    """Return whether an output can be read as a table; a notebook may write anything."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return False
    rows = value.get("rows")
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
