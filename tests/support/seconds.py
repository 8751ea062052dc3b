"""Add up how long the tests of each folder took."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class FolderSeconds:
    """Print the table for CONTRIBUTING where `--durations` asks for the slowest tests."""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Add set-up and tear-down to the folder of the test that they belong to."""
        if terminalreporter.config.option.durations is None:
            return
        seconds: defaultdict[str, float] = defaultdict(float)
        for reports in terminalreporter.stats.values():
            for report in reports:
                if hasattr(report, "when"):
                    seconds[_folder(report.nodeid)] += report.duration
        terminalreporter.section("seconds of each folder")
        for folder, took in sorted(seconds.items()):
            terminalreporter.write_line(f"| `{folder}` | {took:.0f} |")


def _folder(nodeid: str) -> str:
    """Return the room of a test; files at the root of the tests are one more."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parts[:-1]
    return "/".join(parts[:3] if parts[:2] == ("tests", "workbook") else parts[:2])
