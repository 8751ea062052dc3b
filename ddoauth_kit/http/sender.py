"""Send requests; no other module sends the kit's credentials."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
import time
from collections import defaultdict
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote, urlsplit

import httpx

from ddoauth_kit.errors import NetworkError
from ddoauth_kit.http.deadline import NotedBackend, TimedBackend, watched
from ddoauth_kit.http.pace import Pace
from ddoauth_kit.http.policy import is_this_machine, unsendable
from ddoauth_kit.http.quiet import quiet
from ddoauth_kit.http.sending import MAX_ANSWER_BYTES, NotReceived, Received, Sending
from ddoauth_kit.http.transcript import Transcript
from ddoauth_kit.masking.redaction import redact
from ddoauth_kit.secret import Secret
from ddoauth_kit.without_threads import pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.http.deadline import Watch
    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.sending import Outcome
    from ddoauth_kit.sites import Site

    # A client's settings depend on the site, the scheme, whether the server is on this machine, and
    # the transport that reaches it without sockets, if there is one.
    Route = tuple[Site, str, bool, Any]

CONNECTIONS_PER_SITE: Final = 10
_ALL: Final = httpx.Limits(max_connections=CONNECTIONS_PER_SITE)
# For each request, httpcore goes through all the connections in a pool several times, which takes
# longer than the request itself. In a pool with a single connection, that takes no time.
_ONE: Final = httpx.Limits(max_connections=1)
# Transports without sockets, by host and port; one that stays here after its server has ended
# refuses requests.
TRANSPORTS: Final[dict[str, Any]] = {}
_OWN_HEADERS: Final = (
    ("connection", "keep-alive"),
    ("user-agent", f"python-httpx/{httpx.__version__}"),
)
_FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError)
_OF_HTTPS: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_BROKEN: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class Http:
    """Send requests through one httpx client per site, and record each exchange in masked form.

    `timeout` limits each phase of a request, and `deadline` a whole exchange, from resolving the
    name to the end of the body; both are in seconds. `sleep` is called with a number of seconds
    when a repeatable request has to wait before it is sent again. Redirects are never followed, and
    cookies are never stored. Without `keep_answers`, the transcript contains only the counts and
    field names of successful API responses, because the values are a customer's data.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        deadline: float = 60.0,
        transcript: Transcript | None = None,
        sleep: Callable[[float], None] = pause,
        keep_answers: bool = False,
    ) -> None:
        self.transcript = transcript if transcript is not None else Transcript()
        self._timeout = min(timeout, deadline)
        self._deadline = deadline
        self._sleep = sleep
        self._sending = Sending(transcript=self.transcript, keep_answers=keep_answers)
        self._clients: dict[Route, httpx.Client] = {}
        self._places: defaultdict[Site, threading.Semaphore] = defaultdict(
            partial(threading.Semaphore, CONNECTIONS_PER_SITE)
        )
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        with quiet():
            while self._clients:
                self._clients.popitem()[1].close()

    def send(self, request: Request) -> Response:
        """Send a request and return the response, whatever its status is.

        A repeatable request is repeated at most twice if the status is 429 (after the number of
        seconds in `X-RateLimit-Reset`, or else `Retry-After`) or 502 to 504. It is repeated once if
        a reused connection was closed before a response began.

        Raises:
            InputError: `insecure_url` or `unusable_credential`.
            NetworkError: `no_network`, `timeout`, `tls_error` or `cut_off`.
            AnswerError: `answer_too_large`.
        """
        steps = self._sending.steps(request)
        try:
            seconds = next(steps)
            while True:
                if seconds is None:
                    seconds = steps.send(self._send_once(request))
                else:
                    self._sleep(seconds)
                    seconds = next(steps)
        except StopIteration as done:
            answer: Response = done.value
            return answer

    def _send_once(self, request: Request) -> Outcome:
        with self._lock:
            client, place = self._client(request), self._places[request.site]
        # The deadline starts here: the time that a call spends waiting for its turn doesn't count.
        with place, quiet():
            watch = watched(self._deadline)
            try:
                return self._received(client, request, watch)
            except _FAILURES as error:
                return _not_received(request, error, watch)

    def _received(self, client: httpx.Client, request: Request, watch: Watch) -> Received:
        """Return the response; the stack frames below this one don't contain secrets."""
        started = time.perf_counter()
        outgoing = _outgoing(request, client)
        answer = client._transport_for_url(outgoing.url).handle_request(outgoing)  # noqa: SLF001
        try:
            watch.stale = False
            body = _Body(answer)
            for chunk in answer.iter_raw():
                if not body.takes(chunk):
                    break
            return body.received(since=started)
        finally:
            answer.close()

    def _client(self, request: Request) -> httpx.Client:
        route = _route(request)
        if route not in self._clients:
            client: httpx.Client = _made(httpx.Client, route, timeout=self._timeout, limits=_ALL)
            for pool in _pools(client):
                pool._network_backend = TimedBackend(pool._network_backend)  # noqa: SLF001
            self._clients[route] = client
        return self._clients[route]


class AsyncHttp:
    """Send requests as `Http` does, but without blocking, and at most ten at a time to each site.

    It also respects the rate limits that responses announce, before they are reached. `sleep` is
    awaited with a number of seconds. An instance belongs to one event loop, but several instances
    may share a `transcript`.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        deadline: float = 60.0,
        transcript: Transcript | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        keep_answers: bool = False,
    ) -> None:
        self.transcript = transcript if transcript is not None else Transcript()
        self._timeout = min(timeout, deadline)
        self._deadline = deadline
        self._sleep = sleep
        self._sending = Sending(transcript=self.transcript, keep_answers=keep_answers, pace=Pace())
        self._clients: list[httpx.AsyncClient] = []
        self._free: defaultdict[Route, list[httpx.AsyncClient]] = defaultdict(list)
        self._places: defaultdict[Site, asyncio.Semaphore] = defaultdict(
            partial(asyncio.Semaphore, CONNECTIONS_PER_SITE)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection, even if the calling task is cancelled."""
        closing = asyncio.ensure_future(self._closed())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _closed(self) -> None:
        self._free.clear()
        with quiet():
            while self._clients:
                await self._clients.pop().aclose()

    async def send(self, request: Request) -> Response:
        """Send a request and return the response, whatever its status; retry as `Http.send` does.

        Raises:
            InputError, NetworkError, AnswerError: as in `Http.send`.
        """
        steps = self._sending.steps(request)
        try:
            seconds = next(steps)
            while True:
                if seconds is None:
                    seconds = steps.send(await self._send_once(request))
                else:
                    await self._sleep(seconds)
                    seconds = next(steps)
        except StopIteration as done:
            answer: Response = done.value
            return answer

    async def _send_once(self, request: Request) -> Outcome:
        free = self._free[route := _route(request)]
        async with self._places[request.site]:
            client = free.pop() if free else self._opened(route)
            watch = watched(self._deadline)
            try:
                with quiet():
                    return await self._received(client, request, watch)
            except asyncio.CancelledError as error:
                raise error.with_traceback(None)  # noqa: B904 - its frames hold the request's secrets
            except (*_FAILURES, TimeoutError) as error:
                return _not_received(request, error, watch)
            finally:
                free.append(client)

    async def _received(
        self, client: httpx.AsyncClient, request: Request, watch: Watch
    ) -> Received:
        started = time.perf_counter()
        outgoing = _outgoing(request, client)
        transport = client._transport_for_url(outgoing.url)  # noqa: SLF001
        async with asyncio.timeout(self._deadline):
            answer = await transport.handle_async_request(outgoing)
            try:
                watch.stale = False
                body = _Body(answer)
                async for chunk in answer.aiter_raw():
                    if not body.takes(chunk):
                        break
                return body.received(since=started)
            finally:
                await answer.aclose()

    def _opened(self, route: Route) -> httpx.AsyncClient:
        """Create a client for one more connection."""
        client: httpx.AsyncClient = _made(
            httpx.AsyncClient, route, timeout=self._timeout, limits=_ONE
        )
        for pool in _pools(client):
            pool._network_backend = NotedBackend(pool._network_backend)  # noqa: SLF001
        self._clients.append(client)
        return client


class _Body:
    """Collect a response's body up to a limit."""

    def __init__(self, answer: httpx.Response) -> None:
        """Refuse a compressed response, which was not requested and could fill up the memory."""
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise httpx.DecodingError("it is compressed, which was not requested")
        self._answer = answer
        self._bytes = bytearray()

    def takes(self, chunk: bytes) -> bool:
        """Add a chunk, and return whether the body is still within the limit."""
        self._bytes += chunk
        return len(self._bytes) <= MAX_ANSWER_BYTES

    def received(self, *, since: float) -> Received:
        """Return the response, without its text if it is too large."""
        fits = len(self._bytes) <= MAX_ANSWER_BYTES
        text = self._bytes.decode("utf-8", "replace") if fits else None
        taken = time.perf_counter() - since
        headers = dict(self._answer.headers.items())
        return Received(self._answer.status_code, headers, text, taken)


def _outgoing(request: Request, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
    """Build the request that a client's transport sends.

    The client's own method would follow redirects, store cookies and write logs. None of that
    should happen here, and the whole exchange would take twice as long.
    """
    headers = request.revealed_headers()
    if request.content_type:
        headers.append(("content-type", request.content_type))
    return httpx.Request(
        request.method,
        httpx.URL(request.url) if request.query else _parsed_url(request.url),
        headers=[*headers, *_OWN_HEADERS],
        content=request.content(),
        extensions={"timeout": client.timeout.as_dict()},
    )


@lru_cache(maxsize=512)
def _parsed_url(url: str) -> httpx.URL:
    """Parse an endpoint's URL only once, but don't cache a query, which may contain a secret."""
    return httpx.URL(url)


def _route(request: Request) -> Route:
    parts = urlsplit(request.url)
    here = is_this_machine(parts.hostname or "")
    return request.site, parts.scheme, here, TRANSPORTS.get(parts.netloc)


def _made(kind: Callable[..., Any], route: Route, *, timeout: float, limits: httpx.Limits) -> Any:  # noqa: ANN401 - either
    """Create a client that uses no proxy for this machine and logs no TLS keys."""
    _, scheme, loopback, transport = route
    if scheme == "https" and os.environ.get("SSLKEYLOGFILE"):
        what = "SSLKEYLOGFILE is set, so anyone who has that file could read every secret"
        raise NetworkError("tls_error", f"{what}; nothing was sent. Unset it.")
    try:
        return kind(
            verify=_trusted_certificates() if scheme == "https" else _no_certificates(),
            # A wait for one of the ten connections doesn't mean that the server isn't responding.
            timeout=httpx.Timeout(timeout, pool=None),
            limits=limits,
            trust_env=not loopback,
            transport=transport,
        )
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        raise _unusable_environment(error) from None


def _pools(client: httpx.Client | httpx.AsyncClient) -> list[Any]:
    """Return a client's connection pools; httpx has no option that sets httpcore's backend.

    A test over sockets shows that each kind of pool uses the backend.
    """
    transports = (client._transport, *client._mounts.values())  # noqa: SLF001
    sockets = httpx.HTTPTransport | httpx.AsyncHTTPTransport
    return [t._pool for t in transports if isinstance(t, sockets)]  # noqa: SLF001


@cache
def _trusted_certificates() -> ssl.SSLContext:
    """Load the certificate authorities once, because loading takes about 20 ms for each client."""
    return httpx.create_ssl_context()


@cache
def _no_certificates() -> ssl.SSLContext:
    """Trust no certificate authorities: plain http, which stays on this machine, needs none."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _not_received(request: Request, error: Exception, watch: Watch) -> NotReceived:
    stale = watch.stale and isinstance(error, _BROKEN)
    return NotReceived(_failure(request, error), stale=stale)


def _failure(request: Request, error: Exception) -> DdoauthError:
    """Describe a failure only by its reason, because httpx's own message may contain the URL."""
    if isinstance(error, UnicodeEncodeError):
        return unsendable(request)
    host = urlsplit(request.shown_url).hostname
    where = f"the {request.purpose} to {host}"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return NetworkError("timeout", f"No response to {where} arrived in time.")
    hidden = (*request.secrets, *_proxy_secrets())
    reason = redact(str(error), secrets=hidden).removesuffix(".")
    if _is_tls(error):
        return NetworkError("tls_error", f"TLS failed at {where}: {reason}.")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.DecodingError):
        return NetworkError("cut_off", f"The response to {where} ended early: {reason}.")
    return NetworkError("no_network", f"The {request.purpose} {_goal(request)}: {reason}.")


def _goal(request: Request) -> str:
    """Say what could not be reached: Datadog or a local server, and through which proxy, if any.

    If the message named only Datadog's host, people would check the wrong connection.
    """
    there, shown = urlsplit(request.url), urlsplit(request.shown_url).hostname or ""
    if there.scheme == "http":
        return f"did not reach the server at http://{there.netloc}, which stands in for {shown}"
    name = next((name for name in _OF_HTTPS if os.environ.get(name)), "")
    if not name or _bypasses_proxy(shown):
        return f"did not reach {shown}"
    address = os.environ[name].rpartition("@")[2].rpartition("//")[2]
    return f"did not reach {shown} through the proxy {address} of {name}"


def _bypasses_proxy(host: str) -> bool:
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    parts = [part.strip().removeprefix("*").removeprefix(".") for part in named.split(",") if part]
    return any(not part or host == part or host.endswith(f".{part}") for part in parts)


def _unusable_environment(error: Exception) -> NetworkError:
    """Name the variable that httpx can't use: SSL_CERT_FILE (OSError) or a proxy variable.

    A proxy's address may contain a password, so the error's own message is not shown.
    """
    if isinstance(error, OSError):
        what = f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names are unusable: {error}."
        return NetworkError("tls_error", what)
    names = ", ".join(sorted(_proxies())) or "the system"
    reason = "it needs the package socksio" if isinstance(error, ImportError) else "see its address"
    return NetworkError("no_network", f"The proxy of {names} is unusable: {reason}.")


def _proxies() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if value and name.lower() in {"http_proxy", "https_proxy", "all_proxy"}
    }


def _proxy_secrets() -> tuple[Secret, ...]:
    """Return the passwords in proxy addresses, both as written and decoded."""
    users = (value.rpartition("@")[0].rpartition("//")[2] for value in _proxies().values())
    found = {form for user in users if user for form in (user, user.partition(":")[2])}
    found |= {unquote(form) for form in found}
    return tuple(Secret(form, label="proxy password") for form in found if form)


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
