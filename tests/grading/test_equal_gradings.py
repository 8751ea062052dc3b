"""A grading is the same each time: ten in a row, on a quiet machine and on a busy one."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, reference_settings

from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict

if TYPE_CHECKING:
    from pathlib import Path

TIMES = 10
SPINNING = (sys.executable, "-c", "while True: pass")


@pytest.mark.judge
@pytest.mark.parametrize("spinning", [0, len(os.sched_getaffinity(0))], ids=["quiet", "busy"])
def test_ten_gradings_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spinning: int
) -> None:
    """Ten complete runs give the same verdicts, even while a program keeps each core busy."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        for _ in range(spinning):
            program = stack.enter_context(subprocess.Popen(SPINNING))
            stack.callback(program.kill)
        for number in range(TIMES):
            folder = tmp_path / str(number)
            folder.mkdir()
            report = grade(reference_settings(folder))
            others = {
                result.requirement.id: (str(result.verdict), result.actual, result.reason)
                for result in report.results
                if result.verdict is not Verdict.MET
            }
            assert others == {}, f"grading {number + 1}"
