"""Record each result when it arrives, so that an interrupted run can be resumed."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.result_files import write_text
from ddoauth_kit.workbook.runs.run_matrix import NotebookRun, digest

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.workbook.runs.run_matrix import Case, RunSettings

NAME: Final = "ledger.jsonl"


class Ledger:
    """The file `DIR/ledger.jsonl`: a line of settings, then a line for each result.

    With `resume`, the results of an earlier run with the same settings are kept.

    Raises:
        InputError: `other_settings`.
    """

    def __init__(self, out: Path, *, settings: RunSettings, resume: bool = False) -> None:
        self._path = out / NAME
        self._head = {"ddoauth_kit": version("ddoauth-kit"), **asdict(settings)}
        self._runs: dict[str, NotebookRun] = {}
        if resume and self._path.exists():
            self._read()
        self._rewrite()

    def passed(self, case: Case) -> bool:
        """Return whether a case passed with the same files and so doesn't need to run again."""
        run = self._runs.get(case.name)
        return (
            run is not None
            and run.status == "passed"
            and run.digest == digest(case)
            and (self._path.parent / run.output).is_file()
        )

    def add(self, run: NotebookRun) -> None:
        """Record a result; it is on disk when this returns."""
        self._runs[run.name] = run
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(run.as_dict()))

    def runs(self, cases: list[Case]) -> list[NotebookRun]:
        """Return the existing results of these cases, in order."""
        return [self._runs[case.name] for case in cases if case.name in self._runs]

    def _read(self) -> None:
        """Read an earlier run; a line that was truncated by a crash counts as missing."""
        head, *lines = [_parsed(line) for line in self._path.read_text("utf-8").splitlines()] or [
            {}
        ]
        if head != self._head:
            what = f"The run in {quoted_path(self._path.parent)} had different settings: {head}."
            raise InputError("other_settings", what)
        runs = [NotebookRun(**line) for line in lines if "notebook" in line]
        self._runs = {run.name: run for run in runs}

    def _rewrite(self) -> None:
        lines = [self._head, *(run.as_dict() for run in self._runs.values())]
        write_text(self._path, "".join(map(_line, lines)))


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
