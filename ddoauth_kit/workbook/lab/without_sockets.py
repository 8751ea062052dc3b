"""Run a lab without sockets or threads, as in a browser tab."""

from __future__ import annotations

import asyncio
import selectors
import socket
import sys
from asyncio import events, tasks
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from ddoauth_kit.without_threads import pause

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

Result = TypeVar("Result")


@cache
def sockets_exist() -> bool:
    """Return whether this process can listen on loopback; it tries, except in WebAssembly.

    In WebAssembly, a socket is only a stand-in, and trying to listen on one crashes the whole
    runtime.
    """
    if sys.platform in {"emscripten", "wasi"}:
        return False
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
    except OSError:
        return False
    return True


def run_inline(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to completion in this thread, even inside a running event loop.

    The coroutine runs in a separate loop that has timers and callbacks but no sockets; meanwhile,
    the outer loop is blocked.
    """
    with _outside_of_the_loop(), asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop without sockets, not even the pair that other threads use to wake it."""

    def __init__(self) -> None:
        super().__init__(_Timer())

    def _make_self_pipe(self) -> None:
        self._ssock = self._csock = None
        self._internal_fds = 0

    def _close_self_pipe(self) -> None:
        """Do nothing, because there is no pipe to close."""

    def _write_to_self(self) -> None:
        """Do nothing, because only this thread schedules work."""


class _Timer(selectors.SelectSelector):
    """A selector that waits only for timers."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Sleep for `timeout` seconds, and refuse None, which would mean waiting forever."""
        if timeout is None:
            raise RuntimeError("this loop waits for something that can't happen")
        if timeout > 0:
            pause(timeout)
        return []


@contextmanager
def _outside_of_the_loop() -> Iterator[None]:
    """Hide the running loop and its task, because asyncio would refuse a nested loop."""
    outer = events._get_running_loop()  # noqa: SLF001 - asyncio's own way for other loops
    if outer is None:
        yield
        return
    # Since Python 3.12, asyncio records the current task for each thread instead of each loop.
    swap = getattr(tasks, "_swap_current_task", None) if sys.version_info >= (3, 12) else None
    task = swap(outer, None) if swap else None
    events._set_running_loop(None)  # noqa: SLF001
    try:
        yield
    finally:
        events._set_running_loop(outer)  # noqa: SLF001
        if swap:
            swap(outer, task)
