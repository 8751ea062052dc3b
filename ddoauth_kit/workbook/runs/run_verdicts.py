"""Read the notebooks' result table `verdicts`, which has a verdict per scope and site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun

TABLE: Final = "verdicts"
TONES: Final[dict[str, str]] = {
    "confirmed": "good",
    "let_through": "good",
    "refused": "bad",
    "failed": "bad",
    "not_oauth": "odd",
    "rate_limited": "odd",
    "inconclusive": "odd",
    "not_on_site": "none",
    "no_operation": "none",
    "not_tried": "none",
}


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """One verdict with its evidence; every field is a string, as in the CSV file."""

    client: str
    site: str
    scope: str
    verdict: str
    method: str = ""
    path: str = ""
    status: str = ""
    seconds: str = ""
    evidence: str = ""
    notebook: str = ""

    @property
    def tone(self) -> str:
        """Return `good`, `bad`, `odd` (neither) or `none` (nothing was tested)."""
        return TONES.get(self.verdict, "odd")

    @property
    def words(self) -> str:
        """Return the verdict in readable words."""
        return self.verdict.replace("_", " ")


def verdicts_of(runs: Iterable[NotebookRun]) -> list[RunVerdict]:
    """Return all verdicts from a run; for the same scope and site, the last one counts."""
    rows = (
        {"client": run.client, "site": run.site, **row, "notebook": run.notebook}
        for run in runs
        for row in run.tables.get(TABLE, ())
    )
    return read_verdicts(rows)


def read_verdicts(rows: Iterable[Mapping[str, Any]]) -> list[RunVerdict]:
    """Return the verdicts in rows; skip rows without a scope or a verdict."""
    fields = RunVerdict.__dataclass_fields__
    read = (
        RunVerdict(**{name: _text(row.get(name)) for name in fields})
        for row in rows
        if row.get("scope") and row.get("verdict")
    )
    return list({(v.client, v.scope, v.site): v for v in read}.values())


def _text(value: object) -> str:
    """Return a cell as text; a number that pandas turned into a float loses its `.0`."""
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
