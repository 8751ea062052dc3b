"""Probe many scopes on many sites at once, from a coroutine or from a plain cell."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from ddoauth_kit.api.probe_report import ProbeReport, merged
from ddoauth_kit.api.probes import Writes
from ddoauth_kit.api.site_probing import SiteProbing
from ddoauth_kit.http import AsyncHttp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ddoauth_kit.api.prober import ProbeTarget
    from ddoauth_kit.api.verdicts import ProbeResult
    from ddoauth_kit.transcript import Transcript

_GLANCE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """Hold one result as it comes, and how many of how many there are."""

    result: ProbeResult
    done: int
    total: int


class Probing:
    """Probe targets, all sites at once, at most ten calls in flight on each.

    Every result counts, so `report` has those that were found when probing was cancelled. `now` is
    the time that calls name; `sleep` is awaited with seconds where a limit was reached. `timeout`
    is in seconds, for each phase of a call.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of the caller
        self,
        targets: Iterable[ProbeTarget],
        *,
        writes: Writes = Writes.NONE,
        now: datetime | None = None,
        transcript: Transcript | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        watch: Callable[[Progress], None] | None = None,
        timeout: float = 10.0,
    ) -> None:
        when = now or datetime.now(UTC)
        self._targets = tuple(targets)
        self._sites = [SiteProbing(target, writes=writes, now=when) for target in self._targets]
        self._total = sum(len(target.scopes) for target in self._targets)
        self._done = 0
        self._transcript = transcript
        self._sleep = sleep
        self._timeout = timeout
        self._watch = watch
        self._stop: Callable[[], object] | None = None
        self._stopped = False

    def report(self) -> ProbeReport:
        """Return what was found so far."""
        return merged([site.report() for site in self._sites])

    async def run(self) -> ProbeReport:
        """Probe everything and return what was found; less, if `cancel` was called meanwhile.

        An error of `watch` or of a target's `refresh` ends everything and is raised as it is.
        """
        loop = asyncio.get_running_loop()
        work = loop.create_task(self._work())
        self._stop = lambda: loop.call_soon_threadsafe(work.cancel)
        if self._stopped:
            work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            if not self._stopped or _is_cancelled():
                raise
        except BaseExceptionGroup as group:
            raise _first(group) from None
        return self.report()

    def cancel(self) -> None:
        """End probing soon, from any thread; connections are closed and `run` returns."""
        self._stopped = True  # before the look at `_stop`, which `run` sets before it looks here
        stop, self._stop = self._stop, None
        if stop:
            with suppress(RuntimeError):  # the loop has ended, and with it the probing
                stop()

    def run_blocking(self) -> ProbeReport:
        """Probe everything from code that is not a coroutine, in a notebook's cell as well.

        An interrupt (Ctrl-C, or the notebook's stop button) cancels, and returns what was found.
        """
        events: SimpleQueue[Progress | None] = SimpleQueue()
        watch, self._watch = self._watch, events.put
        failures: list[BaseException] = []
        thread = threading.Thread(target=self._in_thread, args=(events, failures), name="probing")
        thread.start()
        try:
            _pass_on(events, watch)
        except KeyboardInterrupt:
            self.cancel()
        except BaseException:
            self.cancel()
            raise
        finally:
            thread.join()
            self._watch = watch
        if failures:
            raise failures[0]
        return self.report()

    def _in_thread(
        self, events: SimpleQueue[Progress | None], failures: list[BaseException]
    ) -> None:
        try:
            asyncio.run(self.run())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            failures.append(error)
        finally:
            events.put(None)

    async def _work(self) -> None:
        http = AsyncHttp(transcript=self._transcript, sleep=self._sleep, timeout=self._timeout)
        async with http, asyncio.TaskGroup() as group:
            for site in self._sites:
                group.create_task(site.run(http, found=self._found))

    def _found(self, result: ProbeResult) -> None:
        self._done += 1
        if self._watch:
            self._watch(Progress(result, self._done, self._total))


def _is_cancelled() -> bool:
    """Tell whether somebody else wants the present task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error itself: tasks wrap it in a group for each of their levels."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _pass_on(
    events: SimpleQueue[Progress | None], watch: Callable[[Progress], None] | None
) -> None:
    """Hand results to the caller's thread, which is where a notebook can show them."""
    while True:
        try:
            # A wait without an end could not be interrupted on every system.
            event = events.get(timeout=_GLANCE)
        except Empty:
            continue
        if event is None:
            return
        if watch:
            watch(event)
