"""One site's probing knows at any time how far it came."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from support.builders import NOW, kept_grant, tokens
from support.loopback import Answer

from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.probe_run import SiteProbing
from ddoauth_kit.probing.prober import ProbeTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit.probing.verdict import ProbeResult

SCOPES = ("coterm_read", "monitors_read", "slos_write", "monitors_read")


def test_before_it_runs_there_is_nothing() -> None:
    """There are no rows, the report is incomplete, and the baseline was not requested."""
    grant = tokens()
    target = ProbeTarget(site=grant.site, scopes=SCOPES, grant=kept_grant(grant))
    report = SiteProbing(target, writes=Writes.NONE, now=NOW).report()
    assert (report.results, report.complete, report.seconds) == ((), False, 0.0)
    assert (report.baselines[0].alive, report.baselines[0].evidence) == (False, "not asked")


def test_it_grows_in_the_order_of_scopes(serve: Callable[..., RecordingServer]) -> None:
    """Each result is reported when it comes; a scope that is named twice is tried twice."""
    server = serve(Answer("[]"))
    grant = tokens(site=server.site)
    target = ProbeTarget(site=grant.site, scopes=SCOPES, grant=kept_grant(grant))
    probing = SiteProbing(target, writes=Writes.NONE, now=NOW)
    lengths: list[int] = []

    def found(result: ProbeResult) -> None:
        report = probing.report()
        assert result in report.results
        assert [row.scope for row in report.results] == [
            scope for place, scope in enumerate(SCOPES) if place in probing._results
        ]
        lengths.append(len(report.results))

    async def run() -> None:
        async with AsyncHttp() as http:
            await probing.run(http, found=found)

    asyncio.run(run())
    assert lengths == [1, 2, 3, 4]
    assert probing.report().complete
    assert [arrived.target for arrived in server.arrived] == [
        "/api/v2/current_user",
        "/api/v1/monitor",
        "/api/v1/monitor",
    ]
