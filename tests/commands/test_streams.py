"""A stream that is full, closed or poor in letters changes no result and shows no traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from ddoauth_kit.cli import main

FULL = Path("/dev/full")
LETTERS = '{"integration": {"name": "\u0410\u043a\u043c\u0435 \u2713"}}'


def _shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell, where $D is the command."""
    command = f"{sys.executable} -m ddoauth_kit"
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env={**os.environ, "D": command, "DDOAUTH_STORE": "memory", **environ},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    "line", ["", "--version", "--help", "run --help", "help probe", "completion bash", "skill"]
)
def test_help_and_version_are_output_like_any_other(line: str) -> None:
    """They are written before any command starts, and end the same way on a full disk."""
    with FULL.open("w") as full, mock.patch.object(sys, "stdout", full):
        with mock.patch.object(sys, "stderr", io.StringIO()) as said:
            assert main(line.split()) == 1
        assert "[output_not_written]" in said.getvalue()


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
def test_a_full_output_is_one_line_and_a_failure() -> None:
    """A failed write is reported on stderr, in the system's words."""
    done = _shell("$D explain wrong_state >/dev/full")
    assert done.returncode == 1
    assert "[output_not_written]" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("close", ["2>&-", "2>/dev/full"])
def test_a_missing_stderr_changes_nothing(close: str) -> None:
    """A daemon has no stderr: stdout has the result, and nothing else."""
    if "full" in close and not FULL.exists():
        pytest.skip("only Linux has a device that is always full")
    done = _shell(f"$D doctor --offline --format json {close}")
    assert done.returncode == 0
    assert json.loads(done.stdout)["findings"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_a_stream_does_not_know_are_replaced(tmp_path: Path, encoding: str) -> None:
    """The exit code is the command's own, and the text says where a letter was."""
    path = tmp_path / "\u0410\u043a\u043c\u0435.json"
    path.write_text(LETTERS, "utf-8")
    done = _shell(f"$D doctor --offline --client '{path}'", PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert "[bad_client_file]" in done.stderr
    assert "Traceback" not in done.stderr
