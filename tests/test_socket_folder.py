"""Kernels have sockets wherever the temporary folder is, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit import socket_folder
from ddoauth_kit.socket_folder import new_socket_folder, remove_left_over, short_parent

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("length", [20, 60, 85, 120, 180])
def test_a_long_temporary_folder_is_gone_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """A path of any length leads to a folder whose sockets the system accepts."""
    long = tmp_path / ("x" * length)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder, is_short = new_socket_folder()
    assert is_short
    assert len(os.fsencode(folder / "k-65535")) <= socket_folder.LONGEST
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_without_a_short_folder_ports_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no path is short enough, this is reported, and the folder is created anyway."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(socket_folder, "LONGEST", 10)
    folder, is_short = new_socket_folder()
    assert (folder.parent, is_short) == (tmp_path, False)


def test_folders_of_killed_processes_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed cannot clean up; the next run does, and touches no living one's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(socket_folder, "LONGEST", 4096)
    assert short_parent() == tmp_path
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    dead, alive = tmp_path / f"ddoauth-{ended.pid}-abc", new_socket_folder()[0]
    dead.mkdir()
    (dead / "kernel.json").touch()
    other = tmp_path / "ddoauth-kit"
    other.mkdir()
    remove_left_over()
    assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)
