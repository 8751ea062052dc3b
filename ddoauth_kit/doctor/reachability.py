"""Send each site a request, and compare the clocks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.doctor.finding import Finding, ok, problem, unknown
from ddoauth_kit.errors import DdoauthError, NetworkError
from ddoauth_kit.http.answers import read_object, refuse_unreadable
from ddoauth_kit.http.message import Request
from ddoauth_kit.http.sender import Http
from ddoauth_kit.printable import counted
from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ddoauth_kit.http.message import Response
    from ddoauth_kit.sites import Site

PATIENCE: Final = 4.0
MOST_SECONDS: Final = 60.0
ONLINE: Final = "check the connection and the proxy settings; the sandbox needs neither"
PROXY: Final = "check that the proxy is running, or unset its variable"
LET: Final = (
    "log in to the proxy or network that answers, or ask its administrator to allow Datadog's "
    "API hosts"
)
TRUST: Final = (
    "set SSL_CERT_FILE to the certificate of the proxy that intercepts TLS here; "
    "REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE are not read"
)
_FAILED: Final = 500
_REFUSALS: Final = frozenset({401, 403, 429})


@dataclass(frozen=True, slots=True)
class Reached:
    """One site's response: its status and clock, or the reason no response arrived.

    `foreign` describes a response that doesn't come from Datadog.
    """

    site: Site
    status: int | None
    ahead: float | None
    error: DdoauthError | None
    foreign: str = ""


def reach(
    sites: Iterable[Site], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[Reached, ...]:
    """Send a request without any credentials to all sites at once."""
    sites = tuple(sites)
    with Http(timeout=PATIENCE, deadline=PATIENCE) as http, ThreadPoolExecutor(len(sites)) as pool:
        return tuple(pool.map(lambda site: _reach(http, site, clock), sites))


def check_sites(reached: tuple[Reached, ...]) -> Iterator[Finding]:
    """Report which sites respond; being offline doesn't count as a problem."""
    errors = [each.error for each in reached if each.error is not None]
    if errors and len(errors) == len(reached):
        yield _none_answers(reached)
        return
    for each in reached:
        check = f"site {each.site.name}"
        host = _asked(each.site)
        if each.error is not None:
            step = TRUST if each.error.code == "tls_error" else ONLINE
            yield problem(check, each.error.what, step)
        elif each.foreign:
            found = f"{host} gives an answer that doesn't come from Datadog: {each.foreign}"
            yield problem(check, found, LET)
        elif each.status is not None and each.status >= _FAILED:
            yield problem(check, f"{host} answers {each.status}", "check Datadog's status page")
        else:
            yield ok(check, f"{host} answers")


def check_clock(reached: tuple[Reached, ...]) -> Finding:
    """Compare this machine's clock with the median of the servers' clocks."""
    ahead = sorted(each.ahead for each in reached if each.ahead is not None)
    if not ahead:
        return unknown(
            "clock", ("no server returned the time"), ("run this again when a site can be reached")
        )
    off = ahead[len(ahead) // 2]
    behind = "behind" if off > 0 else "ahead of"
    shown = f"{counted(f'{abs(off):.0f}', 'second')} {behind} the servers' clock"
    if abs(off) > MOST_SECONDS:
        step = (
            "set this machine's clock: otherwise expired tokens seem valid, or data seems too "
            "old or too new"
        )
        return problem("clock", shown, step)
    return ok("clock", shown)


def require_answer(http: Http, site: Site) -> Response:
    """Return a site's response to a request without any credentials.

    Raises:
        NetworkError, AnswerError: see `Http.send`; `no_sandbox` for a sandbox that has stopped.
    """
    request = Request(
        purpose="check whether the site answers",
        method="GET",
        site=site,
        host=Host.API,
        path="/api/v1/validate",
    )
    try:
        return http.send(request)
    except NetworkError as error:
        if error.code != "no_network" or site.endpoints is None:
            raise
        what = f"The sandbox at http://{urlsplit(site.api_url).netloc} does not answer."
        raise NetworkError("no_sandbox", what) from None


def _reach(http: Http, site: Site, clock: Callable[[], datetime]) -> Reached:
    try:
        answer = require_answer(http, site)
    except DdoauthError as error:
        return Reached(site, None, None, error)
    foreign = _foreign(answer)
    ahead = None if foreign else _ahead(answer.headers.get("date", ""), clock())
    return Reached(site, answer.status, ahead, None, foreign)


def _foreign(answer: Response) -> str:
    """Describe a response, unless it is the one that Datadog usually sends without a key.

    Datadog sends a refusal in JSON. A proxy sends a redirect, a page or a status of its own.
    """
    try:
        refuse_unreadable(answer)
        content = read_object(answer)
    except DdoauthError as error:
        failed = error.code == "server_error"
        return "" if failed else error.what
    if answer.status in _REFUSALS:
        return ""
    return f"{answer.status} and {counted(len(content), 'field')} of JSON"


def _asked(site: Site) -> str:
    """Return Datadog's host, or the address of the sandbox that stands in for it."""
    local = urlsplit(site.api_url)
    return local.netloc if local.scheme == "http" else site.public.api_url.removeprefix("https://")


def _none_answers(reached: tuple[Reached, ...]) -> Finding:
    """Report a fault as a problem if a person can fix it; being offline doesn't count."""
    errors = [each.error for each in reached if each.error is not None]
    tls = next((error for error in errors if error.code == "tls_error"), None)
    if tls is not None:
        return problem("sites", f"none answers: {tls.what}", TRUST)
    found = f"none answers: {errors[0].what}"
    if all(each.site.endpoints for each in reached):
        return problem("sandbox", errors[0].what, errors[0].advice)
    if " through the proxy " in found:
        return problem("sites", found, PROXY)
    return unknown("sites", found, ONLINE)


def _ahead(date: str, now: datetime) -> float | None:
    """Return how many seconds a server's clock is ahead of this machine's."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (told.replace(tzinfo=told.tzinfo or UTC) - now).total_seconds()
