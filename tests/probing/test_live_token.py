"""A token that dies is noticed once and refreshed once, however many calls use it."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import ACCESS_TOKEN, request, tokens
from support.loopback import Answer, RecordingServer, refused_site

from ddoauth_kit import Secret
from ddoauth_kit.errors import ApiError, DdoauthError, NetworkError, TokenError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.probing.live_token import LiveToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from support.loopback import Arrived

    from ddoauth_kit import TokenSet
    from ddoauth_kit.http.message import Request, Response

    Serve = Callable[..., RecordingServer]

WHO = "/api/v2/current_user"
NO = Answer('{"errors": ["Unauthorized"]}', 401)


class Twin:
    """Accept one token at a time, and refuse bearer tokens on what is closed to them."""

    def __init__(self, *, alive: str = ACCESS_TOKEN, closed: bool = False, slow: float = 0) -> None:
        self.alive = alive
        self.closed = closed
        self.check = Answer()
        self.slow = slow
        self.refreshes = 0

    def __call__(self, arrived: Arrived) -> Answer:
        """Answer by the token that came, after a while."""
        if arrived.headers["authorization"] != f"Bearer {self.alive}":
            return replace(NO, after=self.slow)
        if arrived.target == WHO:
            return self.check
        return replace(NO if self.closed else Answer(), after=self.slow)

    def refresh(self, old: TokenSet) -> TokenSet:
        """Give a new token, by blocking a while, as a real refresh does."""
        time.sleep(0.05)
        self.refreshes += 1
        self.alive = f"token-{self.refreshes}"
        return replace(old, access_token=Secret(self.alive, label="access_token"))

    def refuse(self, _old: TokenSet) -> TokenSet:
        """Refuse to refresh."""
        self.refreshes += 1
        raise TokenError("invalid_refresh_token", "The refresh token was refused.")


def _call(grant: TokenSet) -> Request:
    headers = (("authorization", grant.access_token),)
    return request(grant.site, path="/api/v1/monitor", headers=headers)


def _run(
    server: RecordingServer,
    act: Callable[[LiveToken], Awaitable[Any]],
    *,
    refresh: Callable[[TokenSet], TokenSet] | None = None,
) -> Any:
    """Use a token against a server and return what came of it."""

    async def run() -> Any:
        async with AsyncHttp() as http:
            return await act(LiveToken(http, tokens(site=server.site), refresh=refresh))

    return asyncio.run(run())


async def _many(token: LiveToken, *, count: int = 20) -> list[Response | BaseException]:
    calls = (token.send(_call) for _ in range(count))
    return await asyncio.gather(*calls, return_exceptions=True)


def _targets(server: RecordingServer) -> tuple[int, int]:
    """Return how many checks and how many calls arrived."""
    checks = sum(arrived.target == WHO for arrived in server.arrived)
    return checks, len(server.arrived) - checks


def test_a_live_token_is_just_used(serve: Serve) -> None:
    """No call is made beyond those asked for."""
    server = serve(respond=Twin())
    answers = _run(server, _many)
    assert {answer.status for answer in answers} == {200}
    assert _targets(server) == (0, 20)


def test_twenty_refusals_share_one_check_and_one_refresh(serve: Serve) -> None:
    """Twenty calls find the token dead at once: one asks, one refreshes, all are sent again."""
    twin = Twin(alive="another", slow=0.05)
    server = serve(respond=twin)
    answers = _run(server, _many, refresh=twin.refresh)
    assert {answer.status for answer in answers} == {200}
    assert twin.refreshes == 1
    checks, calls = _targets(server)
    assert checks == 1
    assert calls <= 40


def test_a_refresh_that_fails_is_tried_once(serve: Serve) -> None:
    """Twenty calls fail with the one reason, and nothing is sent any more."""
    twin = Twin(alive="another", slow=0.05)
    server = serve(respond=twin)

    async def act(token: LiveToken) -> list[Any]:
        failed = [*await _many(token), *await _many(token)]
        return [*failed, token.dead]

    *failed, dead = _run(server, act, refresh=twin.refuse)
    assert {(type(error), error.code) for error in failed} == {(ApiError, "unauthorized")}
    assert {error.what for error in failed} == {dead}
    assert "its refresh failed: The refresh token was refused." in dead
    assert twin.refreshes == 1
    checks, calls = _targets(server)
    assert (checks, calls <= 20) == (1, True)


def test_without_a_refresh_a_dead_token_stays_dead(serve: Serve) -> None:
    """One check, and the reason says that it cannot be refreshed here."""
    server = serve(respond=Twin(alive="another", slow=0.05))
    failed = _run(server, _many)
    assert {error.code for error in failed} == {"unauthorized"}
    assert "cannot be refreshed" in failed[0].what
    assert _targets(server)[0] == 1


def test_a_refreshed_token_that_is_dead_ends_it(serve: Serve) -> None:
    """A server that refuses every token is not asked for ever new ones."""
    twin = Twin(alive="another")

    def useless(old: TokenSet) -> TokenSet:
        fresh = twin.refresh(old)
        twin.alive = "yet another"
        return fresh

    server = serve(respond=twin)
    failed = _run(server, _many, refresh=useless)
    assert {error.code for error in failed} == {"unauthorized"}
    assert "although it was just refreshed" in failed[0].what
    assert twin.refreshes == 1


def test_a_token_may_expire_twice(serve: Serve) -> None:
    """A long run may outlive two tokens: what was accepted once may be refreshed again."""
    twin = Twin()

    async def act(token: LiveToken) -> list[int]:
        statuses = []
        for _ in range(3):
            statuses += [answer.status for answer in await _many(token, count=5)]
            twin.alive = "expired"
        return statuses

    server = serve(respond=twin)
    assert _run(server, act, refresh=twin.refresh) == [200] * 15
    assert twin.refreshes == 2


def test_an_endpoint_without_oauth_does_not_kill_the_token(serve: Serve) -> None:
    """Its 401 is the answer; calls that were refused together share the check."""
    twin = Twin(closed=True, slow=0.02)
    twin.check = Answer(after=0.02)
    server = serve(respond=twin)

    async def workers(token: LiveToken) -> list[int]:
        async def work() -> list[int]:
            return [(await token.send(_call)).status for _ in range(10)]

        found = await asyncio.gather(*(work() for _ in range(10)))
        return [status for each in found for status in each]

    assert _run(server, workers, refresh=twin.refresh) == [401] * 100
    checks, calls = _targets(server)
    assert (calls, twin.refreshes) == (100, 0)
    assert checks <= 50


def test_a_success_beside_a_refusal_proves_nothing(serve: Serve) -> None:
    """A call that went out later may have been looked at earlier, just before the token died."""
    twin, held = Twin(), threading.Event()

    def respond(arrived: Arrived) -> Answer:
        if arrived.target == "/slow" and not held.is_set():
            held.set()
            return replace(NO, after=0.2)
        return twin(arrived)

    server = serve(respond=respond)

    async def act(token: LiveToken) -> int:
        slow = asyncio.create_task(token.send(lambda grant: replace(_call(grant), path="/slow")))
        await asyncio.to_thread(held.wait)
        await token.send(_call)
        twin.alive = "expired"
        return (await slow).status

    assert _run(server, act, refresh=twin.refresh) == 200
    assert twin.refreshes == 1


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_check_that_says_nothing_proves_nothing(serve: Serve, status: int) -> None:
    """Where the check fails, the token is neither dead nor said to be accepted elsewhere."""
    twin = Twin(closed=True)
    twin.check = Answer("", status, (("x-ratelimit-reset", "99"),))
    server = serve(respond=twin)

    async def act(token: LiveToken) -> tuple[ApiError, str]:
        with pytest.raises(ApiError) as caught:
            await token.send(_call)
        return caught.value, token.dead

    error, dead = _run(server, act, refresh=twin.refresh)
    assert (error.code, dead, twin.refreshes) == ("unauthorized", "", 0)
    assert "unknown" in error.what
    assert str(status) in error.what


def test_other_refusals_are_answers(serve: Serve) -> None:
    """403, 404 and failures say nothing about the token, so nobody checks."""
    for status in (400, 403, 404, 500):
        server = serve(Answer("", status))
        assert _run(server, lambda token: token.send(_call)).status == status
        assert _targets(server) == (0, 1)


def _baseline(token: LiveToken) -> Awaitable[Any]:
    return token.baseline()


def test_the_baseline_is_one_call(serve: Serve) -> None:
    """A live token answers it; a dead one is told by it alone."""
    alive = serve(respond=Twin())
    found = _run(alive, _baseline)
    assert (found.site, found.alive, found.status, found.evidence) == ("lab1", True, 200, "")
    dead = serve(respond=Twin(alive="another"))
    found = _run(dead, _baseline)
    assert (found.alive, found.status) == (False, 401)
    assert "cannot be refreshed" in found.evidence
    assert (_targets(alive), _targets(dead)) == ((1, 0), (1, 0))


def test_the_baseline_refreshes_once(serve: Serve) -> None:
    """A token that expired while it lay about is refreshed before anything else."""
    twin = Twin(alive="another")
    server = serve(respond=twin)
    found = _run(server, _baseline, refresh=twin.refresh)
    assert (found.alive, found.status, twin.refreshes) == (True, 200, 1)
    assert _targets(server) == (2, 0)
    found = _run(serve(respond=Twin(alive="another")), _baseline, refresh=twin.refuse)
    assert (found.alive, found.status) == (False, 401)
    assert "its refresh failed" in found.evidence


def test_the_baseline_says_what_went_wrong(serve: Serve) -> None:
    """A failure is no live token; neither is a site that nobody reaches."""
    found = _run(serve(Answer('{"errors": ["broken"]}', 500)), _baseline)
    assert (found.alive, found.status, "broken" in found.evidence) == (False, 500, True)

    async def unreachable() -> Any:
        async with AsyncHttp() as http:
            token = LiveToken(http, tokens(site=refused_site()))
            found = await token.baseline()
            with pytest.raises(DdoauthError) as caught:
                await token.send(_call)
            assert not isinstance(caught.value, NetworkError)
            return found

    found = asyncio.run(unreachable())
    assert (found.alive, found.status) == (False, None)
    assert "no connection" in found.evidence


def test_a_mistake_of_the_refresh_is_raised(serve: Serve) -> None:
    """What is no refusal of the server is not hidden."""
    twin = Twin(alive="another")

    def broken(_old: TokenSet) -> TokenSet:
        raise ZeroDivisionError

    async def act(token: LiveToken) -> None:
        await token.send(_call)

    with pytest.raises(ZeroDivisionError):
        _run(serve(respond=twin), act, refresh=broken)
