"""A token that dies is noticed once and refreshed once, however many calls use it."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import ACCESS_TOKEN, kept_grant, request, tokens
from support.loopback import Answer, RecordingServer, refused_site

from ddoauth_kit import Http
from ddoauth_kit.errors import AnswerError, ApiError, NetworkError, TokenError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.oauth import grant as grants
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.probing.probe_run import first_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from support.loopback import Arrived

    from ddoauth_kit import Site, TokenSet
    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.oauth.grant import Grant
    from ddoauth_kit.probing.probe_report import Baseline

    Serve = Callable[..., RecordingServer]
    Call = Callable[[Callable[[TokenSet], Request]], Awaitable[Response]]

WHO = "/api/v2/current_user"
NO = Answer('{"errors": ["Unauthorized"]}', 401)
ENDED = Answer('{"errors": ["invalid_grant - Invalid or expired refresh token"]}', 400)


class Twin:
    """Accept one token at a time, and refuse bearer tokens on what is closed to them."""

    def __init__(self, *, alive: str = ACCESS_TOKEN, closed: bool = False, slow: float = 0) -> None:
        self.alive = alive
        self.closed = closed
        self.check = Answer()
        self.slow = slow
        self.refreshes = 0
        self.refusal: Answer | None = None
        self.useless = False

    def __call__(self, arrived: Arrived) -> Answer:
        """Respond according to the token, after a while."""
        if arrived.target.endswith("/token"):
            return self._refreshed()
        if arrived.headers["authorization"] != f"Bearer {self.alive}":
            return replace(NO, after=self.slow)
        if arrived.target == WHO:
            return self.check
        return replace(NO if self.closed else Answer(), after=self.slow)

    def _refreshed(self) -> Answer:
        self.refreshes += 1
        if self.refusal is not None:
            return self.refusal
        token = f"token-{self.refreshes}"
        self.alive = "another" if self.useless else token
        return Answer(json.dumps({"access_token": token, "expires_in": 3600}), after=0.05)


def _build(grant: TokenSet) -> Request:
    headers = (("authorization", grant.access_token),)
    return request(grant.site, path="/api/v1/monitor", headers=headers)


def _use(site: Site, act: Callable[[Grant, Call], Awaitable[Any]], **changes: Any) -> Any:
    """Use a grant against a site and return what came of it."""

    async def run() -> Any:
        async with AsyncHttp() as http:
            return await act(grant, lambda build: grant.asend(http, build))

    with Http(timeout=30.0) as http:
        grant = kept_grant(tokens(site=site, **changes), http=http)
        return asyncio.run(run())


async def _many(call: Call, *, count: int = 20) -> list[Any]:
    return await asyncio.gather(*(call(_build) for _ in range(count)), return_exceptions=True)


def _targets(server: RecordingServer) -> tuple[int, int]:
    """Return how many checks and how many calls arrived."""
    checks = sum(arrived.target == WHO for arrived in server.arrived)
    calls = sum(arrived.target in {"/api/v1/monitor", "/slow"} for arrived in server.arrived)
    return checks, calls


def test_a_live_token_is_just_used(serve: Serve) -> None:
    """No call is made beyond the requested ones."""
    server = serve(respond=Twin())
    answers = _use(server.site, lambda _grant, call: _many(call))
    assert {answer.status for answer in answers} == {200}
    assert _targets(server) == (0, 20)


@pytest.mark.checklist("C13")
def test_twenty_refusals_share_one_check_and_one_refresh(serve: Serve) -> None:
    """Twenty calls find the token expired at once: one checks, one refreshes, all are repeated."""
    twin = Twin(alive="another", slow=0.05)
    server = serve(respond=twin)
    answers = _use(server.site, lambda _grant, call: _many(call))
    assert {answer.status for answer in answers} == {200}
    assert twin.refreshes == 1
    checks, calls = _targets(server)
    assert checks == 1
    assert calls <= 40


@pytest.mark.checklist("C11")
def test_a_refused_refresh_is_tried_once(serve: Serve) -> None:
    """One call hears of the refusal, all others that the grant has ended; nothing more is sent."""
    twin = Twin(alive="another", slow=0.05)
    twin.refusal = ENDED
    server = serve(respond=twin)

    async def act(_grant: Grant, call: Call) -> list[Any]:
        return [*await _many(call), *await _many(call)]

    failed = _use(server.site, act)
    assert {type(error) for error in failed} == {TokenError}
    codes = sorted(error.code for error in failed)
    assert codes == ["grant_ended"] * 39 + ["invalid_refresh_token"]
    assert all("The refresh token was refused." in error.what for error in failed)
    assert twin.refreshes == 1
    checks, calls = _targets(server)
    assert (checks, calls <= 20) == (1, True)


@pytest.mark.checklist("C21")
@pytest.mark.parametrize("lost", [Answer("{"), Answer("{}", 503)])
def test_a_lost_answer_leads_to_one_more_attempt(
    serve: Serve, lost: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many calls follow, the refresh is tried twice; after a pause it is tried again."""
    twin = Twin(alive="another")
    twin.refusal = lost
    server = serve(respond=twin)

    async def act(grant: Grant, call: Call) -> list[Any]:
        failed = [(await _many(call, count=1))[0] for _ in range(6)]
        assert twin.refreshes == 2
        twin.refusal = None
        monkeypatch.setattr(grants, "PAUSE", 0.0)
        return [*failed, await call(_build)]

    *failed, answer = _use(server.site, act)
    assert {type(error) for error in failed} == {AnswerError}
    assert (answer.status, twin.refreshes) == (200, 3)
    assert _targets(server)[0] == 1


def test_without_a_refresh_token_a_dead_token_stays_dead(serve: Serve) -> None:
    """There is one check, and the reason says why there is no second one."""
    server = serve(respond=Twin(alive="another", slow=0.05))
    failed = _use(server.site, lambda _grant, call: _many(call), refresh_token=None)
    assert {error.code for error in failed} == {"no_refresh_token", "grant_ended"}
    assert all("came without a refresh token" in error.what for error in failed)
    assert _targets(server)[0] == 1


def test_a_refreshed_token_that_is_dead_ends_it(serve: Serve) -> None:
    """A server that refuses every token is not asked for new ones forever."""
    twin = Twin(alive="another")
    twin.useless = True
    server = serve(respond=twin)
    failed = _use(server.site, lambda _grant, call: _many(call))
    assert {(type(error), error.code) for error in failed} == {(ApiError, "unauthorized")}
    assert all("just issued" in error.what for error in failed)
    assert twin.refreshes == 1


def test_a_token_may_expire_twice(serve: Serve) -> None:
    """A long run may outlive two tokens: what was accepted once may be refreshed again."""
    twin = Twin()

    async def act(_grant: Grant, call: Call) -> list[int]:
        statuses = []
        for _ in range(3):
            statuses += [answer.status for answer in await _many(call, count=5)]
            twin.alive = "expired"
        return statuses

    server = serve(respond=twin)
    assert _use(server.site, act) == [200] * 15
    assert twin.refreshes == 2


@pytest.mark.checklist("C13")
def test_an_endpoint_without_oauth_does_not_kill_the_token(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its 401 is returned; calls that were refused together share the check."""
    monkeypatch.setattr(grants, "GATHERED", 0.15)  # a busy machine reads ten responses in this time
    twin = Twin(closed=True, slow=0.01)
    twin.check = Answer(after=0.01)
    server = serve(respond=twin)

    async def workers(_grant: Grant, call: Call) -> list[int]:
        async def work() -> list[int]:
            return [(await call(_build)).status for _ in range(3)]

        found = await asyncio.gather(*(work() for _ in range(10)))
        return [status for each in found for status in each]

    assert _use(server.site, workers) == [401] * 30
    checks, calls = _targets(server)
    assert (calls, twin.refreshes) == (30, 0)
    assert checks <= 15


def test_a_success_beside_a_refusal_proves_nothing(serve: Serve) -> None:
    """A call that went out later may have been looked at earlier, just before the token died."""
    twin, held, dead = Twin(), threading.Event(), threading.Event()

    def respond(arrived: Arrived) -> Answer:
        if arrived.target == "/slow" and not held.is_set():
            held.set()
            return replace(NO, until=dead)
        return twin(arrived)

    server = serve(respond=respond)

    async def act(_grant: Grant, call: Call) -> int:
        slow = asyncio.ensure_future(call(lambda grant: replace(_build(grant), path="/slow")))
        await asyncio.to_thread(held.wait)
        await call(_build)
        twin.alive = "expired"
        dead.set()
        return (await slow).status

    assert _use(server.site, act) == 200
    assert twin.refreshes == 1


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_check_that_says_nothing_proves_nothing(serve: Serve, status: int) -> None:
    """If the check fails, the token is not called dead or accepted elsewhere."""
    twin = Twin(closed=True)
    twin.check = Answer("", status, (("x-ratelimit-reset", "99"),))
    server = serve(respond=twin)

    async def act(grant: Grant, call: Call) -> tuple[ApiError, TokenSet | None]:
        with pytest.raises(ApiError) as caught:
            await call(_build)
        return caught.value, grant.latest

    error, latest = _use(server.site, act)
    assert (error.code, latest is None, twin.refreshes) == ("unauthorized", False, 0)
    assert "may or may not be valid" in error.what
    assert str(status) in error.what


def test_other_refusals_are_answers(serve: Serve) -> None:
    """403, 404 and failures say nothing about the token, so nobody checks."""
    for status in (400, 403, 404, 500):
        server = serve(Answer("", status))
        assert _use(server.site, lambda _grant, call: call(_build)).status == status
        assert _targets(server) == (0, 1)


def test_a_plain_call_follows_the_same_rules(serve: Serve) -> None:
    """Without coroutines a dead token is checked, refreshed and the call sent again."""
    twin = Twin(alive="another")
    server = serve(respond=twin)
    with Http(timeout=30.0) as http:
        grant = kept_grant(tokens(site=server.site), http=http)
        assert grant.send(_build).status == 200
        assert (twin.refreshes, _targets(server)) == (1, (1, 2))
        assert grant.send(current_user_request).status == 200


def _first_call(site: Site, **changes: Any) -> Baseline:
    async def run() -> Baseline:
        async with AsyncHttp() as client:
            return await first_call(client, grant, site=site.name)

    with Http(timeout=30.0) as http:
        grant = kept_grant(tokens(site=site, **changes), http=http)
        return asyncio.run(run())


def test_the_baseline_is_one_call(serve: Serve) -> None:
    """A valid token passes the check, and only the check shows that a token is dead."""
    alive = serve(respond=Twin())
    found = _first_call(alive.site)
    assert (found.site, found.alive, found.status, found.evidence) == ("lab1", True, 200, "")
    dead = serve(respond=Twin(alive="another"))
    found = _first_call(dead.site, refresh_token=None)
    assert (found.alive, found.status) == (False, 401)
    assert "refused everywhere" in found.evidence
    assert (_targets(alive), _targets(dead)) == ((1, 0), (1, 0))


def test_the_baseline_refreshes_once(serve: Serve) -> None:
    """A token that expired while it lay about is refreshed before anything else."""
    twin = Twin(alive="another")
    server = serve(respond=twin)
    found = _first_call(server.site)
    assert (found.alive, found.status, twin.refreshes) == (True, 200, 1)
    assert _targets(server) == (2, 0)
    ended = Twin(alive="another")
    ended.refusal = ENDED
    found = _first_call(serve(respond=ended).site)
    assert (found.alive, found.status) == (False, 400)
    assert "The refresh token was refused." in found.evidence


def test_the_baseline_says_what_went_wrong(serve: Serve) -> None:
    """A failure does not prove that a token is valid; neither does an unreachable site."""
    found = _first_call(serve(Answer('{"errors": ["broken"]}', 500)).site)
    assert (found.alive, found.status, "broken" in found.evidence) == (False, 500, True)
    found = _first_call(refused_site())
    assert (found.alive, found.status) == (False, None)
    assert "did not reach" in found.evidence


def test_a_network_failure_of_a_call_is_raised() -> None:
    """The response says nothing about the tokens, which are kept."""

    async def act(grant: Grant, call: Call) -> TokenSet | None:
        with pytest.raises(NetworkError):
            await call(_build)
        return grant.latest

    assert _use(refused_site(), act) is not None
