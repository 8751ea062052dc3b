"""Progress is a bar in a terminal, and plain lines elsewhere."""

from __future__ import annotations

import io

from ddoauth_kit.workbook.runs.run_matrix import DEMO, NotebookRun
from ddoauth_kit.workbook.runs.run_progress import RunProgress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _run(status: str, *, attempts: int = 1, client: str = DEMO) -> NotebookRun:
    return NotebookRun("01_a", "us1", client, status, 1.25, "", "any.ipynb", attempts)


def _shown(stream: io.StringIO) -> str:
    progress = RunProgress(3, stream=stream)
    progress.add(_run("passed"))
    progress.add(_run("failed", attempts=2))
    progress.add(_run("passed", client="Acme"))
    progress.end()
    return stream.getvalue()


def test_lines() -> None:
    """Without a terminal each result is a line of plain text, with a client that a file names."""
    assert _shown(io.StringIO()).splitlines() == [
        "1/3 passed 01_a on us1 in 1.2 s",
        "2/3 failed 01_a on us1 in 1.2 s, started 2 times",
        "3/3 passed 01_a on us1 for Acme in 1.2 s",
    ]


def test_bar() -> None:
    """In a terminal there is one line that changes, and a line for each failure."""
    shown = _shown(_Terminal())
    assert shown.count("\n") == 1
    assert "[##########....................] 1/3, 0 failed" in shown
    assert "2/3 failed 01_a on us1" in shown
    assert shown.endswith("\r\x1b[K")
