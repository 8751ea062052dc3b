"""Probe from an ordinary cell, which waits for the results."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from ddoauth_kit.without_threads import threads_exist
from ddoauth_kit.workbook.lab.without_sockets import run_inline

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.probe_run import ProbeProgress, Probing

_GLANCE: Final = 0.1


def run_blocking(probing: Probing) -> ProbeReport:
    """Probe everything from synchronous code, even in a notebook cell.

    An interrupt (Ctrl-C, or the notebook's stop button) cancels probing and returns the results so
    far. Without threads, probing runs in this thread while the caller's event loop waits.
    """
    if not threads_exist():
        with suppress(KeyboardInterrupt):
            return run_inline(probing.run())
        return probing.report()
    events: SimpleQueue[ProbeProgress | None] = SimpleQueue()
    watch, probing.watch = probing.watch, events.put
    failures: list[BaseException] = []
    thread = threading.Thread(target=_run, args=(probing, events, failures), name="probing")
    try:
        thread.start()
        _pass_on(events, watch)
    except KeyboardInterrupt:
        probing.cancel()
    except BaseException:
        probing.cancel()
        raise
    finally:
        thread.join()
        probing.watch = watch
    if failures:
        raise failures[0]
    return probing.report()


def _run(
    probing: Probing, events: SimpleQueue[ProbeProgress | None], failures: list[BaseException]
) -> None:
    try:
        asyncio.run(probing.run())
    except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
        failures.append(error)
    finally:
        events.put(None)


def _pass_on(
    events: SimpleQueue[ProbeProgress | None], watch: Callable[[ProbeProgress], None] | None
) -> None:
    """Pass results to the caller's thread, where a notebook can show them."""
    while True:
        try:
            # On some systems, a wait without a timeout can't be interrupted.
            event = events.get(timeout=_GLANCE)
        except Empty:
            continue
        if event is None:
            return
        if watch:
            watch(event)
