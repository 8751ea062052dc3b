"""Make do without threads where they don't exist, as in a browser tab."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


@cache
def threads_exist() -> bool:
    """Return whether this process can start a thread, by trying to start one."""
    try:
        thread = threading.Thread(target=int)
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


async def apart(
    call: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Return a blocking call's result; if there are threads, run it outside the event loop."""
    if threads_exist():
        return await asyncio.to_thread(call, *args, **kwargs)
    return call(*args, **kwargs)


def pause(seconds: float) -> None:
    """Wait, and block this thread.

    In a browser tab, `time.sleep` waits for the running event loop. Under `run_inline` that loop is
    blocked until the wait is over, so the wait would never end.
    """
    if sys.platform != "emscripten":
        time.sleep(seconds)
        return
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
