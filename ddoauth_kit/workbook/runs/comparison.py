"""Compare a run's cases and verdicts with an earlier run."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.printable import counted, one_line, quoted_path
from ddoauth_kit.workbook.runs.run_secrets import secrets_here
from ddoauth_kit.workbook.runs.run_verdicts import TABLE, read_verdicts
from ddoauth_kit.workbook.show.spreadsheet import read_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun
    from ddoauth_kit.workbook.runs.run_verdicts import RunVerdict

ABSENT: Final = "not there"
# From the largest part of a run to the smallest: the first one that a run lacks is named.
_PARTS: Final = (
    ("notebook",),
    ("site",),
    ("client",),
    ("notebook", "site"),
    ("notebook", "client"),
    ("site", "client"),
)


@dataclass(frozen=True, slots=True)
class RunDifference:
    """One difference, with its old and new values."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class RunPart:
    """A part, such as a lesson or a site, that only one of two runs has.

    `now` is true if this run has it; `runs` and `verdicts` count the results that belong to it.
    """

    name: str
    now: bool
    runs: int
    verdicts: int

    @property
    def words(self) -> str:
        """Return a sentence without its full stop."""
        if not self.runs:
            where = "this run" if self.now else "the earlier run"
            return f"{self.name} has verdicts only in {where} ({counted(self.verdicts, 'verdict')})"
        many = [counted(self.runs, "run")]
        if self.verdicts:
            many.append(counted(self.verdicts, "verdict"))
        where = "is new in this run" if self.now else "is only in the earlier run"
        return f"{self.name} {where} ({', '.join(many)})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The parts that only one run has, and the differences between the parts that both have."""

    parts: tuple[RunPart, ...] = ()
    differences: tuple[RunDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """The status of a case or a verdict, as a word, with the parts that it belongs to."""

    notebook: str
    site: str
    client: str
    word: str

    def part(self, names: Sequence[str]) -> str:
        """Return the name of a part that this result belongs to, or an empty string."""
        values = [getattr(self, name) for name in names]
        return " on ".join(values) if all(values) else ""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """An earlier run's cases by name, and its verdicts by scope, site and client."""

    name: str
    seconds: float
    cases: Mapping[str, RunResult]
    verdicts: Mapping[str, RunResult]


def read_earlier(folder: Path) -> EarlierRun:
    """Read the folder of an earlier run; its text is masked again and made printable.

    Raises:
        InputError: `not_a_run`.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        plain = _plain(secrets_here())
        cases = {plain(_case(run)): _result(run, plain) for run in summary["runs"]}
        seconds = float(summary.get("seconds", 0.0))
        rows = [
            {name: plain(cell) for name, cell in row.items()}
            for row in _rows(folder / "tables" / f"{TABLE}.csv")
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{quoted_path(folder)} contains no results of a run: {type(error).__name__}."
        raise InputError("not_a_run", what) from None
    # Tables from an earlier run in the same folder may still be there.
    ran = {case.notebook for case in cases.values()}
    verdicts = _by_key(v for v in read_verdicts(rows) if v.notebook in ran or not v.notebook)
    return EarlierRun(plain(folder.name), seconds, cases, verdicts)


def _plain(secrets: tuple[Secret, ...]) -> Callable[[str], str]:
    """Return a function that makes text from another run safe for this run's report.

    Nobody knows who wrote the text, and the other run may have known different secrets.
    """
    mask = Masker(secrets)
    return lambda text: one_line(mask(text))


def compare(
    runs: Iterable[NotebookRun], *, verdicts: Iterable[RunVerdict], earlier: EarlierRun
) -> Comparison:
    """Return the changes, cases first, and list each added or removed part once.

    Seconds are not compared.
    """
    one_sided: dict[tuple[str, bool], list[int]] = {}
    found = []
    for kind, before, now in (
        (0, earlier.cases, results_of(runs)),
        (1, earlier.verdicts, _by_key(verdicts)),
    ):
        lacks = {True: _lacking(before.values()), False: _lacking(now.values())}
        for name in dict.fromkeys([*now, *before]):
            old, new = before.get(name), now.get(name)
            words = [ABSENT if item is None else item.word for item in (old, new)]
            alone = (old or new) if old is None or new is None else None
            if alone and (part := lacks[new is not None](alone)):
                one_sided.setdefault((part, new is not None), [0, 0])[kind] += 1
            elif words[0] != words[1]:
                found.append(RunDifference(name, *words))
    parts = (RunPart(name, now, *many) for (name, now), many in one_sided.items())
    return Comparison(tuple(parts), tuple(found))


def results_of(runs: Iterable[NotebookRun]) -> dict[str, RunResult]:
    """Return the results of a run's cases by name."""
    return {run.name: RunResult(run.notebook, run.site, run.client, run.status) for run in runs}


def _lacking(results: Iterable[RunResult]) -> Callable[[RunResult], str]:
    """Return a function that names the largest part of a result that these results lack."""
    has = {names: {result.part(names) for result in results} for names in _PARTS}

    def part(result: RunResult) -> str:
        named = ((names, result.part(names)) for names in _PARTS)
        return next((name for names, name in named if name and name not in has[names]), "")

    return part


def _by_key(verdicts: Iterable[RunVerdict]) -> dict[str, RunResult]:
    return {
        f"{v.scope} on {v.site} ({v.client})": RunResult(v.notebook, v.site, v.client, v.words)
        for v in verdicts
    }


def _result(run: dict[str, Any], plain: Callable[[str], str]) -> RunResult:
    notebook, site, client = (plain(str(run.get(n, ""))) for n in ("notebook", "site", "client"))
    return RunResult(notebook, site, client, plain(str(run["status"])))


def _case(run: dict[str, Any]) -> str:
    return str(run["output"]).removesuffix(".ipynb")


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    try:
        return read_csv(path.read_bytes().decode("utf-8"))
    except csv.Error as error:
        raise ValueError(str(error)) from None
