"""Send requests: the one module that knows httpx, and the one place where secrets leave the kit."""

from __future__ import annotations

import ssl
import threading
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import httpx

from ddoauth_kit.errors import AnswerError, InputError, NetworkError
from ddoauth_kit.exchange import Exchange, Request, Response, Transcript
from ddoauth_kit.redaction import redact, redact_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.sites import Site

CONNECTIONS_PER_SITE: Final = 10
MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024
MAX_REPEATS: Final = 2
LONGEST_WAIT: Final = 30.0
_TOO_MANY: Final = 429
_TRY_AGAIN: Final = frozenset({502, 503, 504})
_SHOWN_HEADERS: Final = frozenset(
    {"cache-control", "content-type", "www-authenticate", "x-ratelimit-reset"}
)


class Http:
    """Send requests over one httpx client a site, and record each exchange, masked.

    `timeout` is in seconds, for each phase of a request. `sleep` is called with seconds when a
    repeatable request is told to wait. Redirects are never followed.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        transcript: Transcript | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.transcript = transcript if transcript is not None else Transcript()
        self._timeout = timeout
        self._sleep = sleep
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
        seconds in `X-RateLimit-Reset`) or 502 to 504.

        Raises:
            InputError: `insecure_url`.
            NetworkError: `no_network`, `timeout`, `tls_error` or `cut_off`.
            AnswerError: `answer_too_large`.
        """
        response = self._send_once(request)
        for attempt in range(MAX_REPEATS if request.repeatable else 0):
            wait = _seconds_to_wait(response, attempt=attempt)
            if wait is None:
                break
            self._sleep(wait)
            response = self._send_once(request)
        return response

    def _send_once(self, request: Request) -> Response:
        loopback = _refuse_insecure(request.url)
        client = self._client(request.site, loopback=loopback)
        started = time.perf_counter()
        try:
            status, headers, text = self._stream(client, request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _network_error(request, error) from None
        response = _response(request, status, headers, text, time.perf_counter() - started)
        self.transcript.add(response.exchange)
        return response

    def _stream(self, client: httpx.Client, request: Request) -> tuple[int, dict[str, str], str]:
        headers, content = request.revealed_headers(), request.content()
        if content:
            headers.append(("content-type", content[0]))
        body = content[1] if content else None
        with client.stream(request.method, request.url, headers=headers, content=body) as answer:
            received = bytearray()
            for chunk in answer.iter_bytes():
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    what = f"The answer to the {request.purpose} exceeds {MAX_ANSWER_BYTES} bytes."
                    raise AnswerError("answer_too_large", what)
            return answer.status_code, dict(answer.headers), received.decode("utf-8", "replace")

    def _client(self, site: Site, *, loopback: bool) -> httpx.Client:
        """Return the site's client; a proxy from the environment cannot reach this machine."""
        with self._lock:
            client = self._clients.get(site)
            if client is None:
                limits = httpx.Limits(max_connections=CONNECTIONS_PER_SITE)
                client = httpx.Client(timeout=self._timeout, limits=limits, trust_env=not loopback)
                self._clients[site] = client
            return client


def _refuse_insecure(url: str) -> bool:
    """Return whether the URL is on loopback; plain http is for loopback only (RFC 9700 2.6)."""
    parts = urlsplit(url)
    loopback = _is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InputError("insecure_url", f"{parts.scheme}://{parts.hostname} is not encrypted.")
    return loopback


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds_to_wait(response: Response, *, attempt: int) -> float | None:
    """Return how long to wait before a repeat, or None where waiting would not help."""
    if response.status in _TRY_AGAIN:
        return 0.5 * (attempt + 1)
    if response.status != _TOO_MANY:
        return None
    try:
        wait = float(response.headers.get("x-ratelimit-reset", "1"))
    except ValueError:
        wait = 1.0
    return wait if 0 <= wait <= LONGEST_WAIT else None


def _response(
    request: Request, status: int, headers: dict[str, str], text: str, seconds: float
) -> Response:
    shown = tuple(
        (name, redact(value, secrets=request.secrets))
        for name, value in headers.items()
        if name in _SHOWN_HEADERS
    )
    exchange = Exchange(
        purpose=request.purpose,
        method=request.method,
        url=request.shown_url,
        status=status,
        request_headers=request.shown_headers(),
        request_body=redact(request.shown_body()),
        response_headers=shown,
        response_body=redact_body(text, secrets=request.secrets),
        seconds=seconds,
    )
    return Response(status=status, headers=headers, text=text, exchange=exchange)


def _network_error(request: Request, error: Exception) -> NetworkError:
    """Name the cause; httpx's own words may hold the URL, so only the reason is kept."""
    host = urlsplit(request.shown_url).hostname
    where = f"the {request.purpose} to {host}"
    if isinstance(error, httpx.TimeoutException):
        return NetworkError("timeout", f"No answer to {where} came in time.")
    reason = redact(str(error), secrets=request.secrets)
    if _is_tls(error):
        return NetworkError("tls_error", f"TLS failed at {where}: {reason}.")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.DecodingError):
        return NetworkError("cut_off", f"The answer to {where} broke off: {reason}.")
    return NetworkError("no_network", f"Nothing could be sent for {where}: {reason}.")


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
