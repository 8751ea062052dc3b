"""Probe the scopes of one site: a baseline first, then at most ten calls at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ddoauth_kit.api.live_token import LiveToken
from ddoauth_kit.api.probe_report import Baseline, ProbeReport
from ddoauth_kit.api.prober import Prober, failed
from ddoauth_kit.http import CONNECTIONS_PER_SITE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ddoauth_kit.api.prober import ProbeTarget
    from ddoauth_kit.api.probes import Writes
    from ddoauth_kit.api.verdicts import ProbeResult
    from ddoauth_kit.http import AsyncHttp


class SiteProbing:
    """Probe one target, and know at any time how far that came."""

    def __init__(self, target: ProbeTarget, *, writes: Writes, now: datetime) -> None:
        self._target = target
        self._writes = writes
        self._now = now
        self._results: dict[int, ProbeResult] = {}
        self._baseline = Baseline(target.site.name, alive=False, status=None, evidence="not asked")
        self._seconds = 0.0

    async def run(self, http: AsyncHttp, *, found: Callable[[ProbeResult], None]) -> None:
        """Try every scope; `found` is called with each result as it comes."""
        started = time.perf_counter()
        try:
            await self._run(http, found)
        finally:
            self._seconds = time.perf_counter() - started

    async def _run(self, http: AsyncHttp, found: Callable[[ProbeResult], None]) -> None:
        target = self._target
        if target.tokens is None:
            self._give_up(found)
            return
        token = LiveToken(http, target.tokens, refresh=target.refresh)
        self._baseline = await token.baseline()
        prober = Prober(http, target, token=token, writes=self._writes, now=self._now)
        waiting = iter(tuple(enumerate(target.scopes)))

        async def work() -> None:
            for place, scope in waiting:
                self._results[place] = await prober.try_scope(scope)
                found(self._results[place])
                # A round trip ends with its clean-up where it is cancelled, and returns.
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
        """Return what was found so far, in the order of the scopes."""
        return ProbeReport(
            results=tuple(result for _, result in sorted(self._results.items())),
            baselines=(self._baseline,),
            complete=len(self._results) == len(self._target.scopes),
            seconds=self._seconds,
        )
