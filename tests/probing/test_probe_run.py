"""Many scopes on many sites are probed at once, and every way to end leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import ACCESS_TOKEN, NOW, kept_grant, readable, tokens
from support.loopback import Answer, refused_site
from support.places import PARTNERS
from support.probed import ALL, Probed, answer_some, probing_threads

from ddoauth_kit import Http, Secret
from ddoauth_kit.http.sender import CONNECTIONS_PER_SITE, AsyncHttp
from ddoauth_kit.http.transcript import Transcript
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.probing import probe_choice, prober
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.probe_run import Probing
from ddoauth_kit.probing.prober import ProbeTarget
from ddoauth_kit.probing.round_trips import RoundTrip, Step
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.store import MemoryStore
from ddoauth_kit.workbook.lab.blocking_probes import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.loopback import Arrived, HoldingServer, RecordingServer

    from ddoauth_kit import Site
    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.probe_run import ProbeProgress
    from ddoauth_kit.store import Slot

    Serve = Callable[..., RecordingServer]

SOME = ("monitors_read", "events_read", "slos_write", "coterm_read", "dashboards_read")
READS = ("monitors_read", "dashboards_read", "metrics_read", "events_read", "teams_read")
HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n["
DRAWN = {"monitors_draft_write", "dashboards_public_share"}


@pytest.fixture
def probed() -> Iterator[Callable[..., Probed]]:
    """Start sandboxes of the profiles that a test names."""
    open_ones: list[Any] = []

    def start(**options: Any) -> Probed:
        sandbox = Sandbox(**options).start()
        http = Http(sleep=sandbox.clock.advance)
        open_ones.extend([http.close, sandbox.stop])
        return Probed(sandbox, http)

    yield start
    for close in open_ones:
        close()


def _kept(site: Site) -> Grant:
    return kept_grant(tokens(site=site, refresh_token=None))


def _target(site: Site, *scopes: str, **changes: Any) -> ProbeTarget:
    return ProbeTarget(**{"site": site, "scopes": scopes or SOME, "grant": _kept(site), **changes})


def _verdicts(report: ProbeReport) -> Counter[str]:
    return Counter(str(row.verdict) for row in report.results)


def test_every_scope_on_a_site(probed: Callable[..., Probed]) -> None:
    """All 131 have a verdict; none is refused, and what others explain is left open."""
    scene = probed()
    grant = scene.grant()
    target = scene.target(tokens=grant, api_key=scene.key(grant))
    report = run_blocking(scene.probing(target))
    assert [row.scope for row in report.results] == list(ALL)
    assert report.is_good
    assert report.complete
    rows = {row.scope: row for row in report.results}
    assert rows["api_keys_write"].verdict is Verdict.CONFIRMED
    assert rows["monitors_read"].verdict is Verdict.CONFIRMED
    assert rows["slos_write"].verdict is Verdict.LET_THROUGH
    open_ones = {s for s, row in rows.items() if row.verdict is Verdict.INCONCLUSIVE}
    assert open_ones == DRAWN
    assert all(row.evidence for row in report.results)
    assert report.seconds > 0


def test_a_narrow_token_is_refused_where_it_lacks_a_scope(probed: Callable[..., Probed]) -> None:
    """Only granted scopes are confirmed; every call for another scope was refused."""
    scene = probed()
    target = scene.target(tokens=scene.grant("us1", "monitors_read"), contrasts=())
    report = run_blocking(scene.probing(target))
    confirmed = {row.scope for row in report.results if row.verdict is Verdict.CONFIRMED}
    assert confirmed == {"monitors_read"}
    sent = [row for row in report.results if row.status and row.scope != "monitors_read"]
    assert {row.status for row in sent} == {403}
    assert {row.verdict for row in sent} == {Verdict.REFUSED}


def test_a_server_that_validates_first_leaves_writes_open(probed: Callable[..., Probed]) -> None:
    """If 404 and 400 come before scopes are checked, no write counts as accepted."""
    scene = probed(profile="validate-first")
    report = run_blocking(scene.probing(scene.target()))
    found = _verdicts(report)
    assert "let_through" not in found
    assert found["inconclusive"] > 30
    assert all(
        "before it checks scopes" in row.evidence or row.scope in DRAWN
        for row in report.results
        if row.verdict is Verdict.INCONCLUSIVE
    )


def test_endpoints_without_oauth_are_told_from_a_dead_token(probed: Callable[..., Probed]) -> None:
    """All that is sent gets 401, nothing is refreshed, and few checks suffice."""
    scene = probed(profile="no-oauth")
    report = run_blocking(scene.probing(scene.target()))
    sent = [row for row in report.results if row.status]
    assert len(sent) > 90
    assert {row.verdict for row in sent} == {Verdict.NOT_OAUTH}
    assert report.is_good
    assert scene.refreshed == 0
    assert scene.sent("/api/v2/current_user") < len(sent) / 2


def test_limits_that_bite_are_waited_for(probed: Callable[..., Probed]) -> None:
    """Three calls in ten seconds are little, yet every row gets its verdict."""
    scene = probed(profile="rate-limits")
    scopes = tuple(scope for scope in ALL if scope.startswith(("monitors", "slos", "teams"))) * 3
    report = run_blocking(scene.probing(scene.target(scopes=scopes)))
    assert not {"rate_limited", "failed", "refused"} & set(_verdicts(report))


def test_a_token_that_expires_midway_is_refreshed_once(probed: Callable[..., Probed]) -> None:
    """One refresh for all that were under way; every row is what it was, or says what is missing.

    The tokens to compare with expire as well, and nobody refreshes them.
    """
    scene = probed()
    reads = [s for s in ALL if s.endswith("_read")]
    before = run_blocking(scene.probing(scene.target(scopes=reads), writes=Writes.NONE))

    def watch(progress: ProbeProgress) -> None:
        if progress.done == 20:
            scene.sandbox.clock.advance(3700)

    refreshed = scene.refreshed
    exchanges = scene.sent("/api/v2/oauth2/token")
    target = scene.target(scopes=reads)
    exchanged = scene.sent("/api/v2/oauth2/token") - exchanges
    after = scene.probing(target, watch=watch, writes=Writes.NONE)
    report = asyncio.run(after.run())
    assert scene.refreshed == refreshed + 1
    assert scene.sent("/api/v2/oauth2/token") == exchanges + exchanged + 1
    for row, other in zip(report.results, before.results, strict=True):
        if row.verdict is not other.verdict:
            assert (other.verdict, row.verdict) == (Verdict.LET_THROUGH, Verdict.INCONCLUSIVE)
            assert "without the scope: 401" in row.evidence
    assert _verdicts(report)["confirmed"] == _verdicts(before)["confirmed"]
    assert report.is_good


def test_a_dead_token_makes_one_call(probed: Callable[..., Probed]) -> None:
    """Failed rows that say why, one baseline call, and nothing else."""
    scene = probed()
    gone = Secret("gone", label="access_token")
    grant = replace(scene.grant(), access_token=gone, refresh_token=None)
    key = scene.key(scene.grant())
    target = scene.target(tokens=grant, api_key=key, contrasts=())
    seen = len(scene.sandbox.journal)
    report = run_blocking(scene.probing(target))
    assert len(scene.sandbox.journal) - seen == 1
    assert not report.is_good
    (baseline,) = report.baselines
    assert (baseline.alive, baseline.status) == (False, 401)
    assert set(_verdicts(report)) == {"failed", "no_operation"}
    assert all("refused everywhere" in r.evidence for r in report.problems)


def test_a_revoked_key_is_refused(probed: Callable[..., Probed]) -> None:
    """It is refused if data is sent, and if only the key is checked; no key is not a failure."""
    scene = probed()
    grant = scene.grant()
    key = scene.key(grant)

    def verdict(**changes: Any) -> Verdict:
        target = scene.target(tokens=grant, scopes=["api_keys_write"], **changes)
        writes = Writes.HARMLESS if changes.get("api_key") and sends else Writes.NONE
        return run_blocking(scene.probing(target, writes=writes)).results[0].verdict

    sends = True
    assert verdict(api_key=key) is Verdict.CONFIRMED
    sends = False
    assert verdict(api_key=key) is Verdict.INCONCLUSIVE
    assert verdict(api_key=None) is Verdict.NOT_TRIED
    scene.sandbox.revoke_api_key(key.key_id)
    assert verdict(api_key=key) is Verdict.REFUSED
    sends = True
    assert verdict(api_key=key) is Verdict.REFUSED


def test_without_writes_nothing_is_written(probed: Callable[..., Probed]) -> None:
    """The server sees GETs, and the POSTs that read."""
    scene = probed()
    grant = scene.grant()
    target = scene.target(tokens=grant, api_key=scene.key(grant))
    seen = len(scene.sandbox.journal)
    run_blocking(scene.probing(target, writes=Writes.NONE))
    sent = scene.sandbox.journal[seen:]
    posts = {entry.path for entry in sent if entry.method != "GET"}
    assert {entry.method for entry in sent} == {"GET", "POST"}
    assert len(posts) == 5
    assert all(path.endswith(("/search", "/validation", "/files")) for path in posts)


def test_rows_come_in_the_order_that_was_asked_for(serve: Serve) -> None:
    """Sites and scopes keep their order, however fast each responds; progress counts them all."""
    slow = serve(respond=lambda a: Answer("[]", after=0.05 if "monitor" in a.target else 0))
    quick = serve(Answer("[]"))
    here, there = (replace(server.site, name=name) for server, name in ((slow, "b"), (quick, "a")))
    seen: list[ProbeProgress] = []
    probing = Probing([_target(here), _target(there, *READS)], now=NOW, watch=seen.append)
    report = run_blocking(probing)
    assert [row.scope for row in report.results] == [*SOME, *READS]
    assert [row.site for row in report.results] == ["b"] * 5 + ["a"] * 5
    assert (report.sites, report.complete) == (("b", "a"), True)
    assert [progress.done for progress in seen] == list(range(1, 11))
    assert {progress.total for progress in seen} == {10}
    assert {id(p.result) for p in seen} == {id(row) for row in report.results}
    assert probing.report() == report


def test_the_time_of_a_report_stands_still(serve: Serve) -> None:
    """It is the time that probing took, whenever the report is read."""
    probing = Probing([_target(serve(Answer("[]")).site)], now=NOW)
    first = run_blocking(probing).seconds
    time.sleep(0.05)
    assert probing.report().seconds == first


def test_at_most_ten_at_once(serve: Serve) -> None:
    """The server never sees an eleventh call."""
    server = serve(Answer("[]", after=0.02))
    report = run_blocking(Probing([_target(server.site, *ALL)], now=NOW))
    assert len(report.results) == len(ALL)
    assert 1 < server.most_at_once <= CONNECTIONS_PER_SITE


def test_a_site_out_of_reach_fails_alone(serve: Serve) -> None:
    """Its rows say so, and another site's rows are what they would be."""
    good = serve(Answer("[]"))
    gone = replace(refused_site(), name="gone")
    report = run_blocking(Probing([_target(gone), _target(good.site)], now=NOW))
    lost, found = report.results[:5], report.results[5:]
    assert {row.verdict for row in lost if row.scope in READS} == {Verdict.FAILED}
    assert "did not reach" in lost[0].evidence
    assert Verdict.FAILED not in {row.verdict for row in found}
    assert [baseline.alive for baseline in report.baselines] == [False, True]


def test_a_target_without_a_token_says_why(serve: Serve) -> None:
    """Each scope gets a failed row with the reason, and nothing is sent."""
    server = serve()
    seen: list[ProbeProgress] = []
    target = _target(server.site, grant=None, reason="Consent was denied.")
    report = run_blocking(Probing([target], watch=seen.append))
    assert {(r.verdict, r.evidence) for r in report.results} == {
        (Verdict.FAILED, "Consent was denied.")
    }
    assert (len(seen), report.complete, server.arrived) == (5, True, [])
    assert report.baselines[0].evidence == "Consent was denied."


def test_no_scopes_and_no_targets(serve: Serve) -> None:
    """It is not an error if there is nothing to probe."""
    assert run_blocking(Probing([])).results == ()
    report = run_blocking(Probing([replace(_target(serve().site), scopes=())]))
    assert (report.results, report.complete, len(report.baselines)) == ((), True, 1)


def test_cancelled_from_another_thread(serve: Serve) -> None:
    """The results so far are returned and marked as incomplete; no thread is left."""
    server = answer_some(serve, 30)
    enough = threading.Event()

    def watch(progress: ProbeProgress) -> None:
        if progress.done == 11:
            enough.set()

    probing = Probing([_target(server.site, *ALL)], now=NOW, watch=watch)
    thread = threading.Thread(target=lambda: (enough.wait(60), probing.cancel(), probing.cancel()))
    thread.start()
    report = run_blocking(probing)
    thread.join()
    assert 10 < len(report.results) < len(ALL)
    assert report.is_good, "it waited for no call until its time was up"
    assert not report.complete
    assert [r.scope for r in report.results] == [s for s in ALL if s in set(report.scopes)]
    assert probing_threads() == set()


def test_a_cancelled_probing_hangs_up(serve_held: Callable[[bytes], HoldingServer]) -> None:
    """Not one of its connections is open afterwards, wherever the calls were."""
    for payload in (HALF, b""):
        server = serve_held(payload)
        probing = Probing([_target(server.site)], now=NOW)
        thread = threading.Thread(target=_cancel_at_work, args=(probing, server))
        thread.start()
        report = run_blocking(probing)
        thread.join()
        assert server.opened == 1
        assert server.wait_for(0)
        assert (report.results, report.complete) == ((), False)


def _cancel_at_work(probing: Probing, server: HoldingServer) -> None:
    """Cancel probing as soon as the server has a connection."""
    server.wait_for(1)
    probing.cancel()


def test_cancelled_before_and_after(serve: Serve) -> None:
    """Before it runs it sends nothing; after its end it changes nothing."""
    server = serve(Answer("[]"))
    early = Probing([_target(server.site)], now=NOW)
    early.cancel()
    assert run_blocking(early).results == ()
    assert server.arrived == []
    late = Probing([_target(server.site)], now=NOW)
    report = run_blocking(late)
    late.cancel()
    late.cancel()
    assert late.report() == report
    assert report.complete


class _StopError(Exception):
    """Simulate a mistake in the code that shows progress."""


def _fail(_progress: ProbeProgress) -> None:
    raise _StopError


def test_a_mistake_of_watch_is_raised(serve: Serve) -> None:
    """It ends everything, and comes out as itself, whichever way probing was started."""
    for server in (answer_some(serve, 12), answer_some(serve, 12)):
        probing = Probing([_target(server.site, *ALL)], now=NOW, watch=_fail)
        with pytest.raises(_StopError):
            run_blocking(probing)
        with pytest.raises(_StopError):
            asyncio.run(Probing([_target(server.site)], now=NOW, watch=_fail).run())
    assert probing_threads() == set()


def test_a_mistake_of_a_store_is_raised(serve: Serve) -> None:
    """An error that is not a refusal is raised unchanged."""
    server = serve(Answer('{"errors": ["Unauthorized"]}', 401))

    class Broken(MemoryStore):
        def get(self, slot: Slot) -> Secret | None:  # noqa: ARG002
            raise _StopError

    grant = Grant(
        kept_grant(tokens(site=server.site))._client,
        store=Broken(),
        slot=grant_slot(tokens(site=server.site)),
    )
    with pytest.raises(_StopError):
        run_blocking(Probing([_target(server.site, grant=grant)], now=NOW))
    assert probing_threads() == set()


def test_as_a_coroutine(serve: Serve) -> None:
    """`await run()` in a running loop; progress comes in that loop's thread."""
    server = serve(Answer("[]"))
    threads: set[int] = set()

    async def run() -> ProbeReport:
        def watch(_progress: ProbeProgress) -> None:
            threads.add(threading.get_ident())

        return await Probing([_target(server.site)], now=NOW, watch=watch).run()

    assert asyncio.run(run()).complete
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("also_cancel", [False, True])
def test_the_callers_own_cancellation_comes_through(
    serve_held: Callable[[bytes], HoldingServer], *, also_cancel: bool
) -> None:
    """A task that is cancelled stays cancelled, after every connection was closed."""
    server = serve_held(HALF)

    async def run() -> None:
        probing = Probing([_target(server.site)], now=NOW)
        task = asyncio.create_task(probing.run())
        await asyncio.to_thread(server.wait_for, 1)
        if also_cancel:
            probing.cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert len(asyncio.all_tasks()) == 1
        assert await asyncio.to_thread(server.wait_for, 0)
        assert not probing.report().complete

    asyncio.run(run())


def test_a_timeout_around_it_is_a_timeout(serve_held: Callable[[bytes], HoldingServer]) -> None:
    """`asyncio.timeout` works as around anything else."""
    server = serve_held(HALF)

    async def run() -> None:
        async with asyncio.timeout(0.2):
            await Probing([_target(server.site)], now=NOW).run()

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert server.wait_for(0)


def test_a_round_trip_is_cleaned_up_when_probing_is_cancelled(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A created object is deleted before `run` returns, and its row says so."""
    kept: set[str] = set()

    def respond(arrived: Arrived) -> Answer:
        if arrived.method == "POST":
            kept.add("m1")
            return Answer('{"id": "m1"}', 201)
        if arrived.method == "DELETE":
            kept.discard("m1")
            return Answer("", 204)
        if arrived.target == "/api/v1/monitor/m1":
            probing.cancel()
            return Answer(after=0.2)
        return Answer(until=None if "user" in arrived.target else server.closing)

    own = "/api/v1/monitor/{id}"
    trip = RoundTrip(
        create=Step("POST", "/api/v1/monitor", {}),
        id_at=("id",),
        read=Step("GET", own),
        change=Step("PUT", own, {}),
        delete=Step("DELETE", own),
    )
    for module in (probe_choice, prober):
        monkeypatch.setattr(module, "ROUND_TRIPS", {"monitors_write": trip})
    server = serve(respond=respond)
    target = _target(server.site, *["monitors_write", *READS * 5])
    probing = Probing([target], writes=Writes.ROUND_TRIP, now=NOW)
    report = run_blocking(probing)
    assert kept == set()
    (row,) = (row for row in report.results if row.scope == "monitors_write")
    assert row.evidence.startswith("created 201, read 200, cancelled, deleted 204")
    assert len(report.results) == 1
    assert "PUT" not in {arrived.method for arrived in server.arrived}


def test_no_secret_is_in_a_report(serve: Serve) -> None:
    """This holds even if the server repeats the token in every response."""
    echo = f'{{"errors": ["you sent {ACCESS_TOKEN}"], "data": [{{"id": "{ACCESS_TOKEN}"}}]}}'
    for status in (200, 400, 403, 404):
        server = serve(
            respond=lambda a, status=status: Answer(echo, 200 if "user" in a.target else status)
        )
        transcript = Transcript()
        report = run_blocking(
            Probing(
                [_target(server.site, *ALL)],
                writes=Writes.HARMLESS,
                now=NOW,
                open_http=partial(AsyncHttp, transcript=transcript),
            )
        )
        shown = json.dumps([row.as_dict() for row in report.results]) + repr(report)
        assert not readable(ACCESS_TOKEN, shown)
        kept = "".join(repr([getattr(e, n) for n in e.__slots__]) for e in transcript)
        assert not readable(ACCESS_TOKEN, kept)


def test_every_partner_gets_a_full_table(probed: Callable[..., Probed]) -> None:
    """Each registration's scopes on a site: no crash, no failure, no row without evidence."""
    scene = probed()
    for file in PARTNERS:
        scopes = json.loads(file.read_text("utf-8"))["integration"]["scopes"]
        client = scene.client_of(scene.sandbox.register(file))
        partner = Probed.__new__(Probed)
        partner.__dict__.update(vars(scene), oauth=client)
        report = run_blocking(partner.probing(partner.target("eu1", scopes=scopes, contrasts=())))
        assert [row.scope for row in report.results] == scopes
        assert report.complete
        assert report.is_good, file.name
        assert all(row.evidence for row in report.results)
