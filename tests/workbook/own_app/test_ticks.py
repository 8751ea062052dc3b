"""Ticks outlive the kernel if they can be written, and the panel says so if they can't."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.workbook.own_app.ticks import Ticks

if TYPE_CHECKING:
    from pathlib import Path

WRITES = """
import sys
from ddoauth_kit.workbook.own_app.ticks import Ticks
for _ in range(200):
    Ticks("app").write(map(str, range(int(sys.argv[1]))))
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Name a config folder that does not exist yet."""
    return {"DDOAUTH_CONFIG_FOLDER": str(tmp_path / "config")}


def test_ticks_survive_a_restart(environ: dict[str, str], tmp_path: Path) -> None:
    """The next kernel reads what one kernel wrote, list by list."""
    Ticks("app", environ=environ).write({"save", "open"})
    assert Ticks("app", environ=environ).read() == {"open", "save"}
    assert Ticks("eu", environ=environ).read() == frozenset()
    assert Ticks("app", environ=environ).where == str(tmp_path / "config" / "ticks-app.json")


def test_a_folder_at_home_is_named_as_people_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page with the panel does not tell whose machine it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Ticks("app", environ={"HOME": str(tmp_path)}).where == (
        "~/.config/ddoauth-kit/ticks-app.json"
    )


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX systems")
def test_only_this_user_reads_them(environ: dict[str, str], tmp_path: Path) -> None:
    """The folder and file are readable only by one user."""
    Ticks("app", environ=environ).write({"open"})
    modes = [stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "config", *files(tmp_path)]]
    assert modes == [0o700, 0o600]


def files(folder: Path) -> list[Path]:
    """Return all files of a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "content",
    [b'["open"', b"", b"\xff\xfe", b"[" * 100_000, b"{}", b"7", b'["open", 2, null]'],
    ids=["cut off", "empty", "no text", "too deep", "no list", "a number", "other types"],
)
def test_what_cannot_be_read_counts_as_empty(
    environ: dict[str, str], tmp_path: Path, content: bytes
) -> None:
    """A broken file gives no ticks and no error, is reported, and is replaced by the next tick."""
    path = tmp_path / "config" / "ticks-app.json"
    path.parent.mkdir()
    path.write_bytes(content)
    ticks = Ticks("app", environ=environ)
    assert ticks.read() == frozenset()
    assert ticks.broken
    ticks.write({"open"})
    assert Ticks("app", environ=environ).read() == {"open"}
    assert not ticks.broken


def test_a_folder_that_cannot_be_written_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    """The kernel has the ticks, `where` gives the reason, and they are written once that works."""
    blocked = tmp_path / "config"
    blocked.write_bytes(b"a file in the folder's place")
    ticks = Ticks("app", environ=environ)
    ticks.write({"open"})
    assert ticks.read() == {"open"}
    assert ticks.where.startswith(f"this kernel ({blocked / 'ticks-app.json'} cannot be written")
    assert "Binder" not in ticks.where
    blocked.unlink()
    ticks.write({"open", "save"})
    assert ticks.where == str(blocked / "ticks-app.json")
    assert Ticks("app", environ=environ).read() == {"open", "save"}


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "the environment names no home folder"),
        ({"BINDER_REPO_URL": "x"}, "nothing is written to disk"),
    ],
)
def test_without_a_folder_the_kernel_has_them(
    environ: dict[str, str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, the ticks last for this kernel, and the stated reason is correct."""
    monkeypatch.chdir(tmp_path)
    ticks = Ticks("app", environ={**environ})
    ticks.write({"open"})
    assert ticks.read() == {"open"}
    assert reason in ticks.where
    assert not list(tmp_path.iterdir())


def test_two_kernels_that_write_at_once(environ: dict[str, str], tmp_path: Path) -> None:
    """At any time the list of one of them is there, whole, and in the end no draft is left."""
    ticks = Ticks("app", environ=environ)
    ticks.write(map(str, range(9)))
    both = [
        subprocess.Popen([sys.executable, "-c", WRITES, size], env={**os.environ, **environ})
        for size in ("3", "9")
    ]
    seen = set()
    while any(kernel.poll() is None for kernel in both):
        seen.add(len(json.loads((tmp_path / "config" / "ticks-app.json").read_bytes())))
    assert [kernel.wait() for kernel in both] == [0, 0]
    assert seen <= {3, 9}
    assert [path.name for path in files(tmp_path)] == ["ticks-app.json"]
