"""Add up how long each folder's tests take, in wall time and processor time."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

COST = "processor seconds"


class FolderSeconds:
    """Prints the table for CONTRIBUTING if `--durations` asks for the slowest tests."""

    def __init__(self) -> None:
        self._before = 0.0

    def pytest_runtest_logstart(self) -> None:
        """Start counting; a child process counts once it has ended."""
        self._before = _processor()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
        """Attach the cost of the whole test to its last report."""
        report = yield
        if call.when == "teardown":
            report.user_properties = [
                *report.user_properties,
                (COST, round(_processor() - self._before, 3)),
            ]
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Add set-up and tear-down to the folder of the test that they belong to."""
        if terminalreporter.config.option.durations is None:
            return
        clock: defaultdict[str, float] = defaultdict(float)
        processor: defaultdict[str, float] = defaultdict(float)
        for reports in terminalreporter.stats.values():
            for report in reports:
                if isinstance(report, pytest.TestReport):
                    clock[_folder(report.nodeid)] += report.duration
                    costs = (each for name, each in report.user_properties if name == COST)
                    processor[_folder(report.nodeid)] += sum(costs)
        terminalreporter.section("folder, processor seconds, seconds")
        for folder, took in sorted(clock.items()):
            terminalreporter.write_line(f"| `{folder}` | {processor[folder]:.0f} | {took:.0f} |")
        terminalreporter.write_line(f"| all | {sum(processor.values()):.0f} | |")


def _processor() -> float:
    """Return the seconds used by this process and by those that it waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _folder(nodeid: str) -> str:
    """Return the room of a test; files at the top of the tests form one room."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parts[:-1]
    return "/".join(parts[:3] if parts[:2] == ("tests", "workbook") else parts[:2])
