"""Probe many scopes on many sites at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.sender import CONNECTIONS_PER_SITE, AsyncHttp
from ddoauth_kit.oauth.grant import failed_check
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.probe_report import Baseline, ProbeReport, merged
from ddoauth_kit.probing.prober import Prober, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.oauth.grant import Grant
    from ddoauth_kit.probing.prober import ProbeTarget
    from ddoauth_kit.probing.verdict import ProbeResult

_OK: Final = 200


class SiteProbing:
    """Probe one target; its results so far are available at any time."""

    def __init__(self, target: ProbeTarget, *, writes: Writes, now: datetime) -> None:
        self._target = target
        self._writes = writes
        self._now = now
        self._results: dict[int, ProbeResult] = {}
        self._baseline = Baseline(target.site.name, alive=False, status=None, evidence="not asked")
        self._seconds = 0.0

    async def run(self, http: AsyncHttp, *, found: Callable[[ProbeResult], None]) -> None:
        """Test every scope; call `found` with each result when it arrives."""
        started = time.perf_counter()
        try:
            await self._run(http, found)
        finally:
            self._seconds = time.perf_counter() - started

    async def _run(self, http: AsyncHttp, found: Callable[[ProbeResult], None]) -> None:
        target = self._target
        grant = target.grant
        if grant is None:
            self._give_up(found)
            return
        self._baseline = await first_call(http, grant, site=target.site.name)
        prober = Prober(
            http,
            target,
            grant=grant,
            baseline=self._baseline,
            writes=self._writes,
            now=self._now,
        )
        waiting = iter(tuple(enumerate(target.scopes)))

        async def work() -> None:
            for place, scope in waiting:
                self._results[place] = await prober.try_scope(scope)
                found(self._results[place])
                # A cancelled round trip cleans up before it returns.
                if (task := asyncio.current_task()) and task.cancelling():
                    raise asyncio.CancelledError

        async with asyncio.TaskGroup() as group:
            for _ in range(min(CONNECTIONS_PER_SITE, len(target.scopes))):
                group.create_task(work())

    def _give_up(self, found: Callable[[ProbeResult], None]) -> None:
        target = self._target
        self._baseline = Baseline(
            target.site.name, alive=False, status=None, evidence=target.reason
        )
        for place, scope in enumerate(target.scopes):
            self._results[place] = failed(scope, site=target.site, evidence=target.reason)
            found(self._results[place])

    def report(self) -> ProbeReport:
        """Return the results so far, in the order of the scopes."""
        return ProbeReport(
            results=tuple(result for _, result in sorted(self._results.items())),
            baselines=(self._baseline,),
            complete=len(self._results) == len(self._target.scopes),
            seconds=self._seconds,
            asked=len(self._target.scopes),
        )


async def first_call(http: AsyncHttp, grant: Grant, *, site: str) -> Baseline:
    """Refresh an expired token, then make the call that any valid token may make."""
    try:
        response = await grant.asend(http, current_user_request)
    except DdoauthError as error:
        status = error.exchange.status if error.exchange else None
        return Baseline(site, alive=False, status=status, evidence=error.evidence)
    alive = response.status == _OK
    what = "" if alive else failed_check(response)
    return Baseline(site, alive=alive, status=response.status, evidence=what)


@dataclass(frozen=True, slots=True)
class ProbeProgress:
    """One new result, the number of results so far, and the total."""

    result: ProbeResult
    done: int
    total: int


class Probing:
    """Probe targets on all sites at once, with at most ten calls in flight on each.

    If probing is cancelled, `report` returns the results so far. `now` is the time that calls
    contain, and `watch` is called with each result. `open_http` opens the sender for all calls when
    probing begins.
    """

    def __init__(
        self,
        targets: Iterable[ProbeTarget],
        *,
        writes: Writes = Writes.NONE,
        now: datetime | None = None,
        watch: Callable[[ProbeProgress], None] | None = None,
        open_http: Callable[[], AsyncHttp] = AsyncHttp,
    ) -> None:
        when = now or datetime.now(UTC)
        self._targets = tuple(targets)
        self._sites = [SiteProbing(target, writes=writes, now=when) for target in self._targets]
        self._total = sum(len(target.scopes) for target in self._targets)
        self._done = 0
        self._open_http = open_http
        self.watch = watch
        self._stop: Callable[[], object] | None = None
        self._stopped = False

    def report(self) -> ProbeReport:
        """Return the results so far."""
        return merged([site.report() for site in self._sites])

    async def run(self) -> ProbeReport:
        """Probe everything, and return the results; after `cancel`, some of them are missing.

        Any exception other than the kit's own, such as one raised by `watch` or a store, ends
        probing and is raised unchanged.
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
        """Stop probing soon, from any thread; `run` then closes its connections and returns."""
        self._stopped = True  # set before `_stop` is read; `run` sets `_stop` before it reads this
        stop, self._stop = self._stop, None
        if stop:
            with suppress(RuntimeError):  # the loop has ended, and so has the probing
                stop()

    async def _work(self) -> None:
        async with self._open_http() as http, asyncio.TaskGroup() as group:
            for site in self._sites:
                group.create_task(site.run(http, found=self._found))

    def _found(self, result: ProbeResult) -> None:
        self._done += 1
        if self.watch:
            self.watch(ProbeProgress(result, self._done, self._total))


def _is_cancelled() -> bool:
    """Return whether somebody else has cancelled the current task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error itself, without the group that each level of tasks adds around it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
