"""Send requests: the one module that knows httpx, and the one place where secrets leave the kit."""

from __future__ import annotations

import re
import ssl
import threading
import time
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import httpx

from ddoauth_kit.answers import seconds_to_wait
from ddoauth_kit.errors import AnswerError, InputError, NetworkError
from ddoauth_kit.message import Request, Response
from ddoauth_kit.redaction import issued_secrets, outline, redact, redact_body
from ddoauth_kit.transcript import Exchange, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.sites import Site

CONNECTIONS_PER_SITE: Final = 10
MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024
RECORDED: Final = 64 * 1024
MAX_REPEATS: Final = 2
LONGEST_WAIT: Final = 30.0
_SUCCESS: Final = range(200, 300)
_TOO_MANY: Final = 429
_TRY_AGAIN: Final = frozenset({502, 503, 504})
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_SHOWN_HEADERS: Final = frozenset(
    {"cache-control", "content-type", "www-authenticate", "x-ratelimit-reset"}
)


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
            wait = _seconds_to_wait(response, attempt=attempt)
            if wait is None:
                break
            self._sleep(wait)
            response = self._send_once(request)
        return response

    def _send_once(self, request: Request) -> Response:
        loopback = _refuse_insecure(request.url)
        _refuse_unsendable(request)
        started = time.perf_counter()
        try:
            answer = self._stream(self._client(request.site, loopback=loopback), request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _network_error(request, error) from None
        except UnicodeEncodeError:
            answer = None
            raise _unsendable(request) from None
        if answer is None:
            what = f"The answer to the {request.purpose} exceeds {MAX_ANSWER_BYTES} bytes."
            raise AnswerError("answer_too_large", what)
        seconds = time.perf_counter() - started
        response = _response(request, *answer, seconds, self._keep_answers)
        self.transcript.add(response.exchange)
        return response

    def _stream(
        self, client: httpx.Client, request: Request
    ) -> tuple[int, dict[str, str], str] | None:
        """Return status, headers and text, or None for too much; secrets are in this frame only."""
        headers = request.revealed_headers()
        if request.content_type:
            headers.append(("content-type", request.content_type))
        body = request.content()
        end = time.perf_counter() + self._deadline
        with client.stream(request.method, request.url, headers=headers, content=body) as answer:
            _refuse_compressed(answer)
            received = bytearray()
            for chunk in answer.iter_raw():
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    return None
                if time.perf_counter() > end:
                    raise httpx.ReadTimeout("The answer took too long as a whole.")
            return answer.status_code, dict(answer.headers), received.decode("utf-8", "replace")

    def _client(self, site: Site, *, loopback: bool) -> httpx.Client:
        """Return the site's client; a proxy from the environment cannot reach this machine."""
        with self._lock:
            client = self._clients.get(site)
            if client is None:
                limits = httpx.Limits(max_connections=CONNECTIONS_PER_SITE)
                try:
                    client = httpx.Client(
                        timeout=self._timeout,
                        limits=limits,
                        trust_env=not loopback,
                        verify=_trusted_certificates(),
                    )
                except (OSError, ValueError, ImportError) as error:
                    raise _unusable_environment(error) from None
                self._clients[site] = client
            return client


@cache
def _trusted_certificates() -> ssl.SSLContext:
    """Load the certificate authorities once: it takes about 20 ms, and each site has a client."""
    return httpx.create_ssl_context()


def _refuse_insecure(url: str) -> bool:
    """Return whether the URL is on loopback; plain http is for loopback only (RFC 9700 2.6)."""
    parts = urlsplit(url)
    loopback = _is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InputError("insecure_url", f"{parts.scheme}://{parts.hostname} is not encrypted.")
    return loopback


def _refuse_unsendable(request: Request) -> None:
    """Refuse a line break or the like in a header, which httpx would quote in its own error."""
    if any(not _SENDABLE.fullmatch(value) for _, value in request.revealed_headers()):
        raise _unsendable(request)


def _unsendable(request: Request) -> InputError:
    what = f"A credential for the {request.purpose} holds what cannot be sent."
    return InputError("unusable_credential", what)


def _refuse_compressed(answer: httpx.Response) -> None:
    """Refuse a compressed answer: none was asked for, and a small one can fill the memory."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise httpx.DecodingError("it is compressed, although that was not asked for")


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
    wait = seconds_to_wait(response)
    return wait if wait is not None and wait <= LONGEST_WAIT else None


def _response(  # noqa: PLR0913, PLR0917 - the parts of one answer
    request: Request,
    status: int,
    headers: dict[str, str],
    text: str,
    seconds: float,
    keep_answers: bool,  # noqa: FBT001 - passed on from one place
) -> Response:
    secrets = (*request.secrets, *issued_secrets(text))
    body = redact_body(text[:RECORDED], secrets=secrets)
    if not keep_answers and status in _SUCCESS and request.path.startswith("/api/"):
        body = outline(body)
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
        response_body=body,
        request_type=request.content_type,
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
