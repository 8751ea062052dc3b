"""Read probe results from a report, a frame, rows, or a saved file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ddoauth_kit.edited_text import edited_text
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.probing.probe_report import ProbeReport
from ddoauth_kit.workbook.show.spreadsheet import read_csv
from ddoauth_kit.workbook.verdicts.probe_table import report_from_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd


class HoldsReport(Protocol):
    """Anything that contains and shows a report, such as `ProbeTables`."""

    @property
    def report(self) -> ProbeReport:
        """Return the report."""


Source: TypeAlias = (
    "ProbeReport | HoldsReport | pd.DataFrame | Iterable[Mapping[str, Any]] | str | Path"
)


def report_of(source: Source) -> ProbeReport:
    """Return the report behind a report, a frame, rows, or the path of a saved JSON or CSV file.

    Raises:
        InputError: `bad_probe_rows` if something does not contain probe results.
    """
    if isinstance(source, ProbeReport):
        return source
    if isinstance(source, (str, Path)):
        return report_from_rows(_read(Path(source)))
    rows: Any = source
    held = getattr(rows, "report", None)
    return held if isinstance(held, ProbeReport) else report_from_rows(rows)


def _read(path: Path) -> list[Any]:
    try:
        text = edited_text(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or "it is not text") from None
    return _csv_rows(text, path) if path.suffix.lower() == ".csv" else _json_rows(text, path)


def _csv_rows(text: str, path: Path) -> list[dict[str, str]]:
    try:
        return read_csv(text)
    except csv.Error as error:
        raise _unreadable(path, str(error)) from None


def _json_rows(text: str, path: Path) -> list[Any]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(path, "it is not JSON, and its name does not end in .csv") from None
    if not isinstance(rows, list):
        raise _unreadable(path, "it is not a list of rows")
    return rows


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        "bad_probe_rows", f"{quoted_path(path)} can't be read as probe results: {why}."
    )
