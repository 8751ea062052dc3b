"""Decide how many kernels run at once: what the cores can feed, and what the memory can hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

KERNELS_PER_CORE: Final = 4
KERNEL_BYTES: Final = 200 * 1024 * 1024
CGROUP: Final = Path("/sys/fs/cgroup")


def kernels_at_once(*, cgroup: Path = CGROUP) -> int:
    """Return a number of kernels that suits this machine, at least one.

    A kernel waits much of its time: for its sockets, its sandbox, its end. One that did the
    lessons holds about 110 MB; nearly twice that is reckoned, for notebooks that do more.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min((cores or 1) * KERNELS_PER_CORE, free_bytes(cgroup=cgroup) // KERNEL_BYTES))


def free_bytes(*, cgroup: Path = CGROUP) -> int:
    """Return the memory that may still be used: the machine's, or what a container is given."""
    import psutil

    machine = int(psutil.virtual_memory().available)
    try:
        given = int((cgroup / "memory.max").read_text("ascii"))
        used = int((cgroup / "memory.current").read_text("ascii"))
    except (OSError, ValueError):  # no container, or "max"
        return machine
    return min(machine, max(0, given - used))
