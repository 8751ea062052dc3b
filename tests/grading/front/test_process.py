"""Somebody else's command runs in its own group, and its output is not captured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.process import ForeignProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are of POSIX")

# Runs a command as the command line does, and ends with its exit code.
RUNNER = """
import os, sys
from ddoauth_kit.grading.front.process import ForeignProcess
process = ForeignProcess(sys.argv[1:], environment=os.environ)
raise SystemExit(process.run())
"""
# Starts a child that ignores Ctrl-C less politely than its parent, and says when both are ready.
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
try:
    print(child.pid, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(7)
"""


def runner(*command: str) -> subprocess.Popen[str]:
    """Start the runner with pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_codes_and_output_pass_through(code: int) -> None:
    """The command inherits the stdout and stderr of the process that runs it."""
    script = f"echo out; echo err >&2; exit {code}"
    with runner("sh", "-c", script) as process:
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("out\n", "err\n", code)


def _said(process: subprocess.Popen[str]) -> str:
    """Return the command's first line, once its runner has taken the signals over."""
    assert process.stdout is not None
    line = process.stdout.readline()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        if caught >> (signal.SIGWINCH - 1) & 1:
            return line
        time.sleep(0.01)
    raise AssertionError("the runner never took the signals over")


def test_ctrl_c_ends_the_whole_group() -> None:
    """The command's children end with it, and its exit code is reported."""
    with runner(sys.executable, "-c", FAMILY) as process:
        child = psutil.Process(int(_said(process)))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 7
    _gone(child)


def test_a_second_ctrl_c_ends_what_ignores_the_first() -> None:
    """A group that does not end is killed, and the exit code shows the signal."""
    script = "trap 'echo heard' INT; echo ready; while :; do sleep 1; done"
    with runner("sh", "-c", script) as process:
        _said(process)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "heard\n"
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_pass_through(number: signal.Signals) -> None:
    """The command gets the signal that its runner got."""
    script = (
        "import signal, sys\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}])\n"
        "print('ready', flush=True)\n"
        f"signal.sigwait([{int(number)}])\n"
        "sys.exit(42)\n"
    )
    with runner(sys.executable, "-c", script) as process:
        _said(process)
        process.send_signal(number)
        assert process.wait(60) == 42


def test_stop_ends_what_the_command_left_behind() -> None:
    """Leaving the `with` block ends the group, whatever it does."""
    script = "trap '' TERM; sleep 60 & echo $!; while :; do sleep 1; done"
    read, write = os.pipe()
    with os.fdopen(read, "rb") as out, os.fdopen(write, "wb") as sink:
        process = ForeignProcess(
            ["sh", "-c", script], environment=os.environ, output=sink, grace=0.3
        )
        with process:
            child = psutil.Process(int(out.readline()))
            assert process.alive
        assert not process.alive
    _gone(child)


def test_waiting_has_an_end() -> None:
    """A command that still runs is a timeout and not an exit code."""
    with (
        ForeignProcess(["sleep", "60"], environment=os.environ) as process,
        pytest.raises(TimeoutError, match="still running"),
    ):
        process.wait(0.1)


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["no-such-command"], "Check its spelling and PATH"),
        (["./no-such-file"], "Check its spelling and PATH"),
        (["PORT=3000", "npm", "start"], "env PORT=3000 PROGRAM"),
        (["cd app && npm start"], "sh -c"),
        (["no-such-command", "&&", "npm", "start"], "sh -c"),
    ],
)
def test_a_command_that_is_missing_is_one_line(command: Sequence[str], advice: str) -> None:
    """The line names the command and says what to check, or what a shell would do."""
    with pytest.raises(FrontError, match="was not found") as caught:
        ForeignProcess(command, environment=os.environ)
    assert caught.value.code == "command_not_found"
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_a_program_is_one_line(tmp_path: Path) -> None:
    """A file without a format that the system runs is named."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    with pytest.raises(FrontError, match="cannot be started") as caught:
        ForeignProcess([str(broken)], environment=os.environ)
    assert caught.value.code == "command_not_started"


def test_a_command_is_looked_for_in_its_folder(tmp_path: Path) -> None:
    """`./serve` is the file in the folder that the command runs in."""
    script = tmp_path / "serve"
    script.write_text('#!/bin/sh\n[ "$PWD" = "$1" ]\n')
    script.chmod(0o755)
    process = ForeignProcess(["./serve", str(tmp_path)], environment=os.environ, folder=tmp_path)
    assert process.wait(60) == 0


def _gone(process: psutil.Process) -> None:
    """Wait for the end of a process that nobody may reap."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
                continue
        return
    pytest.fail(f"{process} still runs")
