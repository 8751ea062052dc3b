"""The number of simultaneous kernels depends on cores and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.workbook.runs.local_runner import KERNEL_BYTES, free_bytes, kernels_at_once

if TYPE_CHECKING:
    from pathlib import Path


def _container(folder: Path, *, given: str, used: int) -> Path:
    (folder / "memory.max").write_text(f"{given}\n", "ascii")
    (folder / "memory.current").write_text(f"{used}\n", "ascii")
    return folder


def test_a_container_may_use_what_it_is_given(tmp_path: Path) -> None:
    """A control group's limit counts if it is lower than the machine's free memory."""
    machine = free_bytes(cgroup=tmp_path)
    assert machine > 0
    assert free_bytes(cgroup=_container(tmp_path, given="max", used=1)) > 0
    assert free_bytes(cgroup=_container(tmp_path, given="1000", used=400)) == 600
    assert free_bytes(cgroup=_container(tmp_path, given="1000", used=4000)) == 0


def test_there_is_always_one_kernel(tmp_path: Path) -> None:
    """Little memory means few kernels, and never none."""
    few = _container(tmp_path, given=str(2 * KERNEL_BYTES + 10), used=5)
    assert kernels_at_once(cgroup=few) == 2
    assert kernels_at_once(cgroup=_container(tmp_path, given="10", used=5)) == 1
    assert kernels_at_once() >= 1
