"""Send requests: the one module that knows httpx, and the one place where secrets leave the kit."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import defaultdict
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import httpx

from ddoauth_kit.errors import AnswerError, DdoauthError, NetworkError
from ddoauth_kit.http.pace import Pace
from ddoauth_kit.http.policy import (
    recorded,
    refuse_insecure,
    refuse_unsendable,
    seconds_before_repeat,
    unsendable,
)
from ddoauth_kit.http.transcript import Transcript
from ddoauth_kit.masking.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.sites import Site

CONNECTIONS_PER_SITE: Final = 10
MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024
MAX_REPEATS: Final = 2
_LIMITS: Final = httpx.Limits(max_connections=CONNECTIONS_PER_SITE)
_FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError)

Received = tuple[int, dict[str, str], str]


class Http:
    """Send requests over one httpx client a site, and record each exchange, masked.

    `timeout` is in seconds, for each phase of a request, and `deadline` for a whole answer. `sleep`
    is called with seconds when a repeatable request is told to wait. Redirects are never followed.
    Without `keep_answers` the transcript holds counts and field names of successful API answers:
    they are a customer's data.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        deadline: float = 60.0,
        transcript: Transcript | None = None,
        sleep: Callable[[float], None] = time.sleep,
        keep_answers: bool = False,
    ) -> None:
        self.transcript = transcript if transcript is not None else Transcript()
        self._timeout = timeout
        self._deadline = deadline
        self._sleep = sleep
        self._keep_answers = keep_answers
        self._clients: dict[Site, httpx.Client] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        while self._clients:
            self._clients.popitem()[1].close()

    def send(self, request: Request) -> Response:
        """Send a request and return its answer, whatever the status.

        A repeatable request is sent again, at most twice, when the answer is 429 (after the
        seconds in `X-RateLimit-Reset`, or else `Retry-After`) or 502 to 504.

        Raises:
            InputError: `insecure_url` or `unusable_credential`.
            NetworkError: `no_network`, `timeout`, `tls_error` or `cut_off`.
            AnswerError: `answer_too_large`.
        """
        response = self._send_once(request)
        for attempt in range(MAX_REPEATS if request.repeatable else 0):
            wait = seconds_before_repeat(response, attempt=attempt)
            if wait is None:
                break
            self._sleep(wait)
            response = self._send_once(request)
        return response

    def _send_once(self, request: Request) -> Response:
        loopback = refuse_insecure(request.url)
        refuse_unsendable(request)
        started = time.perf_counter()
        try:
            received = self._received(self._client(request.site, loopback=loopback), request)
        except _FAILURES as error:
            raise _failure(request, error) from None
        response = _response(request, received, since=started, keep_answers=self._keep_answers)
        self.transcript.add(response.exchange)
        return response

    def _received(self, client: httpx.Client, request: Request) -> Received | None:
        """Return status, headers and text, or None for too much; no frame below has a secret."""
        with client.stream(**_outgoing(request)) as answer:
            body = _Body(answer, seconds=self._deadline)
            return body.received if all(map(body.takes, answer.iter_raw())) else None

    def _client(self, site: Site, *, loopback: bool) -> httpx.Client:
        with self._lock:
            if site not in self._clients:
                options = _client_options(self._timeout, loopback=loopback)
                self._clients[site] = _made(httpx.Client, options)
            return self._clients[site]


class AsyncHttp:
    """Send requests as `Http` does, without blocking, at most ten at once to each site.

    It also keeps to the limits that answers announce before they are reached. `sleep` is awaited
    with seconds. Belongs to one event loop; `transcript` may be shared.
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
        self._timeout = timeout
        self._deadline = deadline
        self._sleep = sleep
        self._keep_answers = keep_answers
        self._pace = Pace()
        self._clients: dict[Site, httpx.AsyncClient] = {}
        self._places: defaultdict[Site, asyncio.Semaphore] = defaultdict(
            partial(asyncio.Semaphore, CONNECTIONS_PER_SITE)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection, also where the task that does so is cancelled."""
        closing = asyncio.ensure_future(self._closed())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _closed(self) -> None:
        while self._clients:
            await self._clients.popitem()[1].aclose()

    async def send(self, request: Request) -> Response:
        """Send a request and return its answer, whatever the status; repeats as `Http.send` does.

        Raises:
            InputError, NetworkError, AnswerError: as `Http.send`.
        """
        if delay := self._pace.delay(request):
            await self._wait(request, seconds=delay)
        response = await self._send_once(request)
        for attempt in range(MAX_REPEATS if request.repeatable else 0):
            wait = seconds_before_repeat(response, attempt=attempt)
            if wait is None:
                break
            await self._wait(request, seconds=wait)
            response = await self._send_once(request)
        return response

    async def _wait(self, request: Request, *, seconds: float) -> None:
        due = self._pace.due(request)
        await self._sleep(seconds)
        self._pace.waited(request, due=due)

    async def _send_once(self, request: Request) -> Response:
        loopback = refuse_insecure(request.url)
        refuse_unsendable(request)
        client = self._client(request.site, loopback=loopback)
        # The deadline counts from here: a call that waits for its turn is not late.
        async with self._places[request.site]:
            started = time.perf_counter()
            try:
                received = await self._received(client, request)
            except asyncio.CancelledError as error:
                raise error.with_traceback(None)  # noqa: B904 - its frames hold the request's secrets
            except (*_FAILURES, TimeoutError) as error:
                raise _failure(request, error) from None
        response = _response(request, received, since=started, keep_answers=self._keep_answers)
        self.transcript.add(response.exchange)
        self._pace.note(request, response=response)
        return response

    async def _received(self, client: httpx.AsyncClient, request: Request) -> Received | None:
        async with (
            asyncio.timeout(self._deadline),
            client.stream(**_outgoing(request)) as answer,
        ):
            body = _Body(answer, seconds=self._deadline)
            async for chunk in answer.aiter_raw():
                if not body.takes(chunk):
                    return None
            return body.received

    def _client(self, site: Site, *, loopback: bool) -> httpx.AsyncClient:
        if site not in self._clients:
            options = _client_options(self._timeout, loopback=loopback)
            self._clients[site] = _made(httpx.AsyncClient, options)
        return self._clients[site]


class _Body:
    """Collect an answer's body within its bounds of size and time."""

    def __init__(self, answer: httpx.Response, *, seconds: float) -> None:
        """Refuse a compressed one: none was asked for, and a small one can fill the memory."""
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise httpx.DecodingError("it is compressed, although that was not asked for")
        self._answer = answer
        self._end = time.perf_counter() + seconds
        self._bytes = bytearray()

    def takes(self, chunk: bytes) -> bool:
        """Take one more piece; return whether it still fits."""
        self._bytes += chunk
        if time.perf_counter() > self._end:
            raise httpx.ReadTimeout("The answer took too long as a whole.")
        return len(self._bytes) <= MAX_ANSWER_BYTES

    @property
    def received(self) -> Received:
        """Return status, headers and text."""
        text = self._bytes.decode("utf-8", "replace")
        return self._answer.status_code, dict(self._answer.headers), text


def _outgoing(request: Request) -> dict[str, Any]:
    headers = request.revealed_headers()
    if request.content_type:
        headers.append(("content-type", request.content_type))
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "content": request.content(),
    }


def _response(
    request: Request, received: Received | None, *, since: float, keep_answers: bool
) -> Response:
    if received is None:
        what = f"The answer to the {request.purpose} exceeds {MAX_ANSWER_BYTES} bytes."
        raise AnswerError("answer_too_large", what)
    status, headers, text = received
    return recorded(
        request,
        status=status,
        headers=headers,
        text=text,
        seconds=time.perf_counter() - since,
        keep_answers=keep_answers,
    )


def _client_options(timeout: float, *, loopback: bool) -> dict[str, Any]:
    """Return what each client is made with; a proxy cannot reach this machine's loopback."""
    # Waiting for one of the ten connections is not the server's silence.
    patience = httpx.Timeout(timeout, pool=None)
    return {"timeout": patience, "limits": _LIMITS, "trust_env": not loopback}


def _made(kind: Callable[..., Any], options: dict[str, Any]) -> Any:  # noqa: ANN401 - either client
    try:
        return kind(verify=_trusted_certificates(), **options)
    except (OSError, ValueError, ImportError) as error:
        raise _unusable_environment(error) from None


@cache
def _trusted_certificates() -> ssl.SSLContext:
    """Load the certificate authorities once: it takes about 20 ms, and each site has a client."""
    return httpx.create_ssl_context()


def _failure(request: Request, error: Exception) -> DdoauthError:
    """Name the cause; httpx's own words may hold the URL, so only the reason is kept."""
    if isinstance(error, UnicodeEncodeError):
        return unsendable(request)
    host = urlsplit(request.shown_url).hostname
    where = f"the {request.purpose} to {host}"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return NetworkError("timeout", f"No answer to {where} came in time.")
    reason = redact(str(error), secrets=request.secrets).removesuffix(".")
    if _is_tls(error):
        return NetworkError("tls_error", f"TLS failed at {where}: {reason}.")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.DecodingError):
        return NetworkError("cut_off", f"The answer to {where} broke off: {reason}.")
    return NetworkError("no_network", f"There is no connection for {where}: {reason}.")


def _unusable_environment(error: Exception) -> NetworkError:
    """Name what httpx could not start with: SSL_CERT_FILE (OSError) or a proxy variable."""
    if isinstance(error, OSError):
        what = f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names are unusable: {error}."
        return NetworkError("tls_error", what)
    return NetworkError("no_network", f"The proxy of the environment is unusable: {error}.")


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
