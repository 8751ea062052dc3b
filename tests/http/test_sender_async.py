"""Sending without blocking refuses, repeats and records as the blocking sender does."""

from __future__ import annotations

import asyncio
import gzip
import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    local_site,
    readable,
    request,
    shown,
    with_locals,
)
from support.loopback import Answer, Crowd, refused_site, self_signed

from ddoauth_kit import Secret
from ddoauth_kit.errors import AnswerError, DdoauthError, InputError, NetworkError
from ddoauth_kit.http.sender import CONNECTIONS_PER_SITE, MAX_ANSWER_BYTES, AsyncHttp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.loopback import HoldingServer, RawServer, RecordingServer

    from ddoauth_kit import Site
    from ddoauth_kit.http.message import Request, Response

    Serve = Callable[..., RecordingServer]
    ServeRaw = Callable[[bytes | None], RawServer]
    ServeHeld = Callable[[bytes], HoldingServer]

TOKEN = Secret(ACCESS_TOKEN, label="access_token")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: 2\r\n\r\n{}"


class Waiting:
    """Note what is waited for, without waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Note the seconds and let others run."""
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def _asked(site: Site, **changes: Any) -> Request:
    """Return a request full of secrets that may be repeated."""
    values = {
        "method": "POST",
        "headers": (("authorization", TOKEN),),
        "form": (("client_secret", Secret(CLIENT_SECRET, label="client_secret")),),
    }
    return request(site, **{**values, **changes})


def _send(*requests: Request, **options: Any) -> list[Response]:
    """Send requests one after another and close."""

    async def run() -> list[Response]:
        async with AsyncHttp(**options) as http:
            return [await http.send(each) for each in requests]

    return asyncio.run(run())


def _fail(asked: Request, **options: Any) -> DdoauthError:
    with pytest.raises(DdoauthError) as caught:
        _send(asked, **options)
    text = f"{caught.value!r} {vars(caught.value)} {with_locals(caught.value)}"
    assert not readable(ACCESS_TOKEN, text)
    assert not readable(CLIENT_SECRET, text)
    return caught.value


def test_a_request_arrives_as_built(serve: Serve) -> None:
    """Method, path, query, headers and body arrive; status, headers and text come back."""
    server = serve(Answer('{"a": 1}', 418, (("X-Thing", "One"),)))
    asked = _asked(server.site, query=(("q", "a b"),), form=None, body={"x": [1]})
    (answer,) = _send(asked)
    (arrived,) = server.arrived
    assert (arrived.method, arrived.target) == ("POST", "/api/v2/current_user?q=a+b")
    assert arrived.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert arrived.headers["accept-encoding"] == "identity"
    assert arrived.body == b'{"x": [1]}'
    assert (answer.status, answer.text, answer.headers["x-thing"]) == (418, '{"a": 1}', "One")


@pytest.mark.checklist("C8")
@pytest.mark.parametrize("url", ["http://api.datadoghq.com", "http://127.1", "ftp://127.0.0.1"])
def test_plain_http_is_for_loopback_only(url: str) -> None:
    """An address that is neither https nor on this machine is refused before any request."""
    assert _fail(_asked(local_site(url))).code == "insecure_url"


@pytest.mark.parametrize("token", ["canary-\N{SNOWMAN}", "canary-\n-token", "canary\0token"])
def test_a_credential_that_no_header_can_carry(serve: Serve, token: str) -> None:
    """A damaged token is refused without being sent or quoted."""
    server = serve()
    headers = (("authorization", Secret(token, label="access_token")),)
    error = _fail(_asked(server.site, headers=headers))
    assert (type(error), error.code) == (InputError, "unusable_credential")
    assert server.arrived == []
    assert "canary" not in str(error) + with_locals(error)


@pytest.mark.checklist("C8")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Serve, status: int) -> None:
    """A redirect is returned as a response: nothing is sent to its target."""
    elsewhere = serve()
    server = serve(Answer("", status, (("location", elsewhere.url),)))
    assert _send(request(server.site))[0].status == status
    assert (len(server.arrived), elsewhere.arrived) == (1, [])


def test_connection_refused() -> None:
    """Nobody listens: `no_network`, with the host that is shown."""
    error = _fail(_asked(refused_site()))
    assert (type(error), error.code) == (NetworkError, "no_network")
    assert "api.lab1.example.com" in error.what


def test_timeout(serve_raw: ServeRaw) -> None:
    """The server listens but does not respond: `timeout`."""
    assert _fail(_asked(serve_raw(None).site), timeout=0.1).code == "timeout"


@pytest.mark.parametrize(
    "payload",
    [HEAD + b"\r\n" + b"x" * 100, HEAD, b"HTTP/1.1 200 OK\r\n"],
    ids=["in the body", "in the head", "after the status"],
)
def test_an_answer_that_takes_too_long_as_a_whole(serve_held: ServeHeld, payload: bytes) -> None:
    """Wherever a server stops sending, the call ends at its deadline and is hung up on."""
    server = serve_held(payload)
    error = _fail(_asked(server.site), timeout=30.0, deadline=0.2)
    assert (type(error), error.code) == (NetworkError, "timeout")
    assert server.wait_for(0)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        HEAD,
        HEAD + b"content-length: 100\r\n\r\n" + b'{"access_token": "canary',
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{}",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"x" * MAX_ANSWER_BYTES),
    ],
    ids=["hangs up", "in the head", "in the body", "in a chunk", "no HTTP", "compressed"],
)
def test_cut_off(serve_raw: ServeRaw, payload: bytes) -> None:
    """A response that ends early, is not HTTP or is compressed is `cut_off`, without a retry."""
    server = serve_raw(payload)
    assert _fail(_asked(server.site)).code == "cut_off"
    assert server.connections == 1


def test_answer_too_large(serve_raw: ServeRaw) -> None:
    """Reading stops at ten megabytes."""
    error = _fail(_asked(serve_raw(HEAD + b"\r\n" + b"x" * (MAX_ANSWER_BYTES + 1)).site))
    assert (type(error), error.code) == (AnswerError, "answer_too_large")


def test_untrusted_certificate(serve: Serve, tmp_path: Path) -> None:
    """A certificate that nobody vouches for ends the conversation before the request."""
    server = serve(tls=self_signed(tmp_path))
    assert _fail(_asked(server.site)).code == "tls_error"
    assert server.arrived == []


@pytest.mark.checklist("C13")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_only_what_is_repeatable_is_repeated(serve: Serve, status: int) -> None:
    """A request that may be sent twice is sent up to three times, any other once."""
    waiting = Waiting()
    server = serve(Answer("", status, (("x-ratelimit-reset", "3"),)))
    answers = _send(request(server.site), sleep=waiting)
    assert [answer.status for answer in answers] == [status]
    assert waiting.seconds == ([3.0, 3.0] if status == 429 else [0.5, 1.0])
    assert len(server.arrived) == 3
    other = serve(Answer("", status))
    _send(request(other.site, method="POST", repeatable=False), sleep=waiting)
    assert len(other.arrived) == 1


@pytest.mark.checklist("C13")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 501])
def test_a_refusal_is_not_repeated(serve: Serve, status: int) -> None:
    """A response that will not change is not requested again."""
    server = serve(Answer("", status))
    _send(request(server.site))
    assert len(server.arrived) == 1


def _limited(remaining: str, reset: str, *, status: int = 200, name: str = "monitors") -> Answer:
    return Answer(
        "{}",
        status,
        (
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", reset),
            ("x-ratelimit-name", name),
        ),
    )


def test_a_used_up_limit_is_waited_for_before_it_bites(serve: Serve) -> None:
    """After `Remaining: 0` the next call of that limit waits; calls of others do not."""
    waiting = Waiting()
    server = serve(_limited("0", "20"), Answer(), _limited("1", "20"), _limited("1", "20"))
    here, there = request(server.site, path="/a"), request(server.site, path="/b")
    _send(here, there, here, here, sleep=waiting)
    (waited,) = waiting.seconds
    assert 0 < waited <= 20
    assert len(server.arrived) == 4


def test_a_long_wait_is_left_to_the_answer(serve: Serve) -> None:
    """The sender does not wait an hour: the call is sent and gets its 429."""
    waiting = Waiting()
    server = serve(_limited("0", "3600"), _limited("0", "3600", status=429))
    answers = _send(request(server.site), request(server.site), sleep=waiting)
    assert [answer.status for answer in answers] == [200, 429]
    assert waiting.seconds == []


def _at_once(count: int, server: RecordingServer | HoldingServer, **options: Any) -> int:
    """Send many requests at once and return how many were answered."""

    async def run() -> int:
        async with AsyncHttp(**options) as http:
            sends = (http.send(request(server.site)) for _ in range(count))
            return sum(answer.status == 200 for answer in await asyncio.gather(*sends))

    return asyncio.run(run())


def test_a_site_gets_ten_at_once(serve: Serve) -> None:
    """Of forty simultaneous calls, the server sees ten at a time, and all get a response."""
    server = serve(respond=Crowd(CONNECTIONS_PER_SITE))
    assert _at_once(40, server) == 40
    assert server.most_at_once == CONNECTIONS_PER_SITE


def test_waiting_for_a_turn_is_no_timeout(serve: Serve) -> None:
    """A call that waits for a free connection longer than the timeout still gets a response."""
    server = serve()

    async def run() -> int:
        async with AsyncHttp(timeout=1.0, deadline=1.0) as http:
            turns = http._places[server.site]
            for _ in range(CONNECTIONS_PER_SITE):
                await turns.acquire()
            sending = asyncio.create_task(http.send(request(server.site)))
            await asyncio.sleep(1.2)
            for _ in range(CONNECTIONS_PER_SITE):
                turns.release()
            return (await sending).status

    assert asyncio.run(run()) == 200


def test_sites_have_connections_of_their_own(serve: Serve) -> None:
    """Ten calls that hang on one site keep nobody from another."""
    over = threading.Event()
    slow, quick = serve(Answer(until=over)), serve()

    async def run() -> bool:
        async with AsyncHttp() as http:
            hanging = [asyncio.create_task(http.send(request(slow.site))) for _ in range(20)]
            while len(slow.arrived) < CONNECTIONS_PER_SITE:  # noqa: ASYNC110 - in its thread
                await asyncio.sleep(0.01)
            await http.send(request(quick.site))
            none_done = not any(task.done() for task in hanging)
            over.set()
            await asyncio.gather(*hanging)
            return none_done

    assert asyncio.run(run())


def test_connections_are_kept_and_closed(serve_held: ServeHeld) -> None:
    """Ten connections serve thirty calls, and none is open after the end."""
    server = serve_held(WHOLE)
    assert _at_once(30, server) == 30
    assert server.opened <= CONNECTIONS_PER_SITE
    assert server.wait_for(0)


def _cancelled(server: HoldingServer, *, again: int = 0) -> asyncio.CancelledError:
    """Cancel a call that hangs in its body, and return what came of it."""

    async def run() -> asyncio.CancelledError:
        async with AsyncHttp(timeout=30.0) as http:
            sending = asyncio.create_task(http.send(_asked(server.site)))
            await asyncio.to_thread(server.wait_for, 1)
            await asyncio.sleep(0.05)
            for _ in range(1 + again):
                sending.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await sending
        return caught.value

    return asyncio.run(run())


def test_a_cancelled_call_leaves_no_connection(serve_held: ServeHeld) -> None:
    """A call cancelled in the middle of a body hangs up at once."""
    server = serve_held(HEAD + b"content-length: 100\r\n\r\n{")
    _cancelled(server)
    assert server.wait_for(0)


@pytest.mark.parametrize("payload", [b"", HEAD + b"content-length: 100\r\n\r\n{"])
def test_a_cancellation_shows_no_secret(serve_held: ServeHeld, payload: bytes) -> None:
    """Even a traceback with all variables has neither the token nor the client secret."""
    error = _cancelled(serve_held(payload))
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(trace.format())
    assert not readable(CLIENT_SECRET, text)
    assert not readable("Bearer " + ACCESS_TOKEN, text)


def test_a_cancelled_end_closes_all_the_same(serve_held: ServeHeld) -> None:
    """A task that is cancelled while closing still closes every connection."""
    server = serve_held(WHOLE)

    async def run() -> None:
        http = AsyncHttp()
        await asyncio.gather(*(http.send(request(server.site)) for _ in range(5)))
        closing = asyncio.create_task(http.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert http._clients == []

    asyncio.run(run())
    assert server.wait_for(0)


def test_a_closed_sender_can_be_used_again(serve: Serve) -> None:
    """A closed sender can be used again."""
    server = serve()

    async def run() -> int:
        http = AsyncHttp()
        await http.send(request(server.site))
        await http.aclose()
        await http.aclose()
        status = (await http.send(request(server.site))).status
        await http.aclose()
        return status

    assert asyncio.run(run()) == 200


def test_closing_again_closes_what_was_opened_since(serve_held: ServeHeld) -> None:
    """If a closed sender is used again, closing it a second time closes every connection."""
    server = serve_held(WHOLE)

    async def run() -> None:
        http = AsyncHttp()
        for _ in range(2):
            await asyncio.gather(*(http.send(request(server.site)) for _ in range(3)))
            await http.aclose()

    asyncio.run(run())
    assert server.wait_for(0)


@pytest.mark.checklist("C9")
def test_the_exchange_is_recorded_masked(serve: Serve) -> None:
    """The transcript tells what happened, even if the server repeats the secrets."""
    echo = f'{{"errors": ["you sent {CLIENT_SECRET} and {ACCESS_TOKEN}"]}}'
    server = serve(Answer(echo, 400, (("www-authenticate", f'Bearer "{ACCESS_TOKEN}"'),)))

    async def run() -> AsyncHttp:
        async with AsyncHttp() as http:
            await http.send(_asked(server.site))
            return http

    http = asyncio.run(run())
    (exchange,) = http.transcript
    assert (exchange.method, exchange.status) == ("POST", 400)
    text = shown([exchange, http.transcript, *(getattr(exchange, n) for n in exchange.__slots__)])
    assert "you sent <client_secret> and <access_token>" in text
    assert not readable(CLIENT_SECRET, text)
    assert not readable(ACCESS_TOKEN, text)


def test_a_success_is_recorded_without_its_values(serve: Serve) -> None:
    """The transcript keeps only counts and names of a customer's data, unless asked for more."""
    server = serve(Answer('{"data": [{"name": "canary"}]}'))
    for keep in (False, True):

        async def run(*, keep: bool) -> str:
            async with AsyncHttp(keep_answers=keep) as http:
                return (await http.send(request(server.site))).exchange.response_body

        assert ("canary" in asyncio.run(run(keep=keep))) is keep


def test_a_proxy_of_the_environment_is_passed_by_on_loopback(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses on this machine are reached directly, whatever HTTP_PROXY says."""
    proxy, server = serve(), serve()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    _send(request(server.site))
    assert (len(proxy.arrived), len(server.arrived)) == (0, 1)
