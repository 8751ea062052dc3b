"""Compare a run's cases and verdicts with an earlier run."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.printable import one_line, quoted_path
from ddoauth_kit.workbook.runs.run_secrets import secrets_here
from ddoauth_kit.workbook.runs.run_verdicts import TABLE, read_verdicts
from ddoauth_kit.workbook.show.spreadsheet import read_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun
    from ddoauth_kit.workbook.runs.run_verdicts import RunVerdict

ABSENT: Final = "not there"


@dataclass(frozen=True, slots=True)
class RunDifference:
    """Hold one difference: what differs, and its old and new values."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """Hold an earlier run's statuses by case, and verdicts by client, scope and site."""

    name: str
    seconds: float
    cases: Mapping[str, str]
    verdicts: Mapping[str, str]


def read_earlier(folder: Path) -> EarlierRun:
    """Read the folder of an earlier run; its texts are masked again and made printable.

    Raises:
        InputError: `not_a_run`.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        plain = _plain(secrets_here())
        cases = {plain(_case(run)): plain(str(run["status"])) for run in summary["runs"]}
        seconds = float(summary.get("seconds", 0.0))
        rows = [
            {name: plain(cell) for name, cell in row.items()}
            for row in _rows(folder / "tables" / f"{TABLE}.csv")
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{quoted_path(folder)} contains no results of a run: {type(error).__name__}."
        raise InputError("not_a_run", what) from None
    return EarlierRun(plain(folder.name), seconds, cases, _by_key(read_verdicts(rows)))


def _plain(secrets: tuple[Secret, ...]) -> Callable[[str], str]:
    """Return a function that makes another run's texts safe for this one's report.

    Nobody knows who wrote them, and their run may have known other secrets.
    """
    mask = Masker(secrets)
    return lambda text: one_line(mask(text))


def differences(
    runs: Iterable[NotebookRun], *, verdicts: Iterable[RunVerdict], earlier: EarlierRun
) -> list[RunDifference]:
    """Return what was changed, added or removed, cases first; don't compare seconds."""
    cases = {run.name: run.status for run in runs}
    return [
        *_changes(earlier.cases, cases),
        *_changes(earlier.verdicts, _by_key(verdicts)),
    ]


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[RunDifference]:
    names = dict.fromkeys([*now, *before])
    pairs = ((name, before.get(name, ABSENT), now.get(name, ABSENT)) for name in names)
    return [RunDifference(*pair) for pair in pairs if pair[1] != pair[2]]


def _by_key(verdicts: Iterable[RunVerdict]) -> dict[str, str]:
    return {f"{v.scope} on {v.site} ({v.client})": v.words for v in verdicts}


def _case(run: dict[str, Any]) -> str:
    return str(run["output"]).removesuffix(".ipynb")


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    try:
        return read_csv(path.read_bytes().decode("utf-8"))
    except csv.Error as error:
        raise ValueError(str(error)) from None
