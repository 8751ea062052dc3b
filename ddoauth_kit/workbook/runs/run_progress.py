"""Show a run's progress: as a bar in a terminal, or a line per result elsewhere, as in CI."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddoauth_kit.printable import one_line
from ddoauth_kit.workbook.runs.run_matrix import run_title

if TYPE_CHECKING:
    from typing import TextIO

    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun

_WIDTH: Final = 30
_CLEAR: Final = "\r\x1b[K"


class RunProgress:
    """Counts results against a total on stderr; a closed stderr doesn't stop the run."""

    def __init__(self, total: int, *, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._total = total
        self._done = self._failed = 0
        self._bar = self._stream.isatty()

    def add(self, run: NotebookRun) -> None:
        """Count one more result; in a terminal, only failures get their own lines."""
        self._done += 1
        self._failed += run.status == "failed"
        line = f"{self._done}/{self._total} {describe(run)}"
        if not self._bar:
            self._write(f"{line}\n")
            return
        if run.status == "failed":
            self._write(f"{_CLEAR}{line}\n")
        full = _WIDTH * self._done // self._total
        bar = f"[{'#' * full}{'.' * (_WIDTH - full)}] {self._done}/{self._total}"
        self._write(f"{_CLEAR}{bar}, {self._failed} failed")

    def end(self) -> None:
        """Remove the bar."""
        if self._bar:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)
            self._stream.flush()


def describe(run: NotebookRun) -> str:
    """Return a result in one line."""
    again = f", started {run.attempts} times" if run.attempts > 1 else ""
    where = run_title(run.notebook, run.site, run.client)
    return one_line(f"{run.status} {where} in {run.seconds:.1f} s{again}")
