"""Run cases side by side: one process, one event loop, many kernels."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.socket_folder import remove_left_over
from ddoauth_kit.workbook.runs.collect import result
from ddoauth_kit.workbook.runs.kernel_template import KernelTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun, RunSettings

KERNELS_PER_CORE: Final = 4
KERNEL_BYTES: Final = 200 * 1024 * 1024
CGROUP: Final = Path("/sys/fs/cgroup")


class LocalRunner:
    """Runs cases on this machine.

    `jobs` is the number of kernels that run at once, and `timeout` is the number of seconds that a
    notebook may take. `cold` starts each kernel normally instead of forking one that has loaded the
    lessons' imports.
    """

    def __init__(
        self, *, jobs: int | None = None, timeout: float | None = None, cold: bool = False
    ) -> None:
        self.jobs = jobs or kernels_at_once()
        self.timeout = timeout
        self.cold = cold or not KernelTemplate.available

    def run(
        self,
        cases: Iterable[Case],
        *,
        settings: RunSettings,
        out: Path,
        done: Callable[[NotebookRun], None],
    ) -> bool:
        """Execute all cases, and call `done` as each one ends; return False if interrupted.

        SIGINT, SIGTERM and SIGHUP stop the running kernels; finished results are on disk. In a
        notebook, which has its own event loop, this waits in a thread.
        """
        remove_left_over()
        work = self._all(list(cases), settings=settings, out=out, done=done)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work).result()

    async def _all(
        self,
        cases: list[Case],
        *,
        settings: RunSettings,
        out: Path,
        done: Callable[[NotebookRun], None],
    ) -> bool:
        free = asyncio.Semaphore(self.jobs)

        async def run(case: Case, template: KernelTemplate | None) -> None:
            async with free:
                done(await self._one(case, settings=settings, out=out, template=template))

        with self._template(len(cases)) as template:
            tasks = [asyncio.create_task(run(case, template)) for case in cases]
            with _cancelling(tasks):
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [outcome for outcome in ended if outcome is not None]
        for failure in failures:
            if not isinstance(failure, asyncio.CancelledError):
                raise failure
        return not failures

    def _template(self, cases: int) -> AbstractContextManager[KernelTemplate | None]:
        """Return the template for forking kernels; a single kernel starts faster without it."""
        if self.cold:
            return nullcontext()
        if KernelTemplate.inherited or cases == 1:
            return nullcontext(KernelTemplate.inherited)
        return KernelTemplate.started()

    async def _one(
        self, case: Case, *, settings: RunSettings, out: Path, template: KernelTemplate | None
    ) -> NotebookRun:
        from ddoauth_kit.workbook.runs.execution import execute  # long, so the template is first

        try:
            execution = await execute(
                case.notebook,
                output=out / f"{case.name}.ipynb",
                parameters=settings.parameters(case),
                seconds=self.timeout,
                template=template,
            )
        except Exception as error:  # noqa: BLE001 - a full disk, a notebook that is broken
            return result(case, error=f"{type(error).__name__}: {error}", seconds=0.0)
        return result(
            case,
            error=execution.error,
            seconds=execution.seconds,
            notebook=execution.notebook,
        )


@contextmanager
def _cancelling(tasks: list[asyncio.Task[None]]) -> Iterator[None]:
    """Cancel the tasks on SIGINT, SIGTERM or SIGHUP during the block.

    Signals reach only the main thread, and on Windows they don't reach event loops.
    """
    loop = asyncio.get_running_loop()
    main = threading.current_thread() is threading.main_thread()
    handled: tuple[signal.Signals, ...] = ()
    if main and sys.platform != "win32":
        handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def cancel() -> None:
        for task in tasks:
            task.cancel()

    for number in handled:
        loop.add_signal_handler(number, cancel)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def kernels_at_once(*, cgroup: Path = CGROUP) -> int:
    """Return how many kernels this machine can run at once, at least one.

    A kernel spends much of its time waiting for sockets, for the sandbox and for its own shutdown.
    A lesson's kernel uses about 110 MB; the calculation assumes nearly twice that, for notebooks
    that do more.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min((cores or 1) * KERNELS_PER_CORE, free_bytes(cgroup=cgroup) // KERNEL_BYTES))


def free_bytes(*, cgroup: Path = CGROUP) -> int:
    """Return the available memory of the machine or the container."""
    import psutil

    machine = int(psutil.virtual_memory().available)
    try:
        given = int((cgroup / "memory.max").read_text("ascii"))
        used = int((cgroup / "memory.current").read_text("ascii"))
    except (OSError, ValueError):  # no container, or "max"
        return machine
    return min(machine, max(0, given - used))
