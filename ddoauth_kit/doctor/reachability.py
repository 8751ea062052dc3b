"""Ask each site for an answer, and compare the clocks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from ddoauth_kit.doctor.finding import Finding, ok, problem, unknown
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.message import Request
from ddoauth_kit.http.sender import Http
from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ddoauth_kit.sites import Site

PATIENCE: Final = 4.0
MOST_SECONDS: Final = 60.0
ONLINE: Final = "check the connection and the proxy settings; the sandbox needs neither"
_FAILED: Final = 500


@dataclass(frozen=True, slots=True)
class Reached:
    """Hold what one site answered: a status and its clock, or why there was none."""

    site: Site
    status: int | None
    ahead: float | None
    error: DdoauthError | None


def reach(
    sites: Iterable[Site], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[Reached, ...]:
    """Ask all sites at once, without any credential."""
    sites = tuple(sites)
    with Http(timeout=PATIENCE, deadline=PATIENCE) as http, ThreadPoolExecutor(len(sites)) as pool:
        return tuple(pool.map(lambda site: _reach(http, site, clock), sites))


def check_sites(reached: tuple[Reached, ...]) -> Iterator[Finding]:
    """Tell which sites answer; where none does, this machine is offline, which is no fault."""
    errors = [each.error for each in reached if each.error is not None]
    if errors and len(errors) == len(reached):
        yield unknown("sites", f"none answers: {errors[0].what}", ONLINE)
        return
    for each in reached:
        check = f"site {each.site.name}"
        host = each.site.public.api_url.removeprefix("https://")
        if each.error is not None:
            yield problem(check, each.error.what, ONLINE)
        elif each.status is not None and each.status >= _FAILED:
            yield problem(check, f"{host} answers {each.status}", "look at Datadog's status page")
        else:
            yield ok(check, f"{host} answers")


def check_clock(reached: tuple[Reached, ...]) -> Finding:
    """Compare this clock with the servers'; the median of them counts."""
    ahead = sorted(each.ahead for each in reached if each.ahead is not None)
    if not ahead:
        return unknown("clock", "no server told the time", "run this again when one can be reached")
    off = ahead[len(ahead) // 2]
    shown = f"{abs(off):.0f} seconds {'behind' if off > 0 else 'ahead of'} the servers' clock"
    if abs(off) > MOST_SECONDS:
        step = "set this machine's clock: tokens would seem alive or dead, and data too old or new"
        return problem("clock", shown, step)
    return ok("clock", shown)


def _reach(http: Http, site: Site, clock: Callable[[], datetime]) -> Reached:
    request = Request(
        purpose="question whether the site answers",
        method="GET",
        site=site,
        host=Host.API,
        path="/api/v1/validate",
    )
    try:
        answer = http.send(request)
    except DdoauthError as error:
        return Reached(site, None, None, error)
    return Reached(site, answer.status, _ahead(answer.headers.get("date", ""), clock()), None)


def _ahead(date: str, now: datetime) -> float | None:
    """Return by how many seconds a server's clock is ahead of ours."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (told.replace(tzinfo=told.tzinfo or UTC) - now).total_seconds()
