"""Create something of the kit's own, read, change and delete it; clean up whatever happens."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.answers import error_texts
from ddoauth_kit.api.verdicts import Verdict
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.message import Request
from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ddoauth_kit.api.live_token import LiveToken
    from ddoauth_kit.api.verdicts import ProbeResult
    from ddoauth_kit.message import Response
    from ddoauth_kit.oauth.tokens import TokenSet

OWN_NAME: Final = "ddoauth-kit probe, safe to delete"
DELETIONS: Final = 3
_SUCCESS: Final = range(200, 300)
_GONE: Final = 404
_MEANINGS: Final = {
    401: Verdict.NOT_OAUTH,
    403: Verdict.REFUSED,
    404: Verdict.NOT_ON_SITE,
    429: Verdict.RATE_LIMITED,
}


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one call of a round trip; `{id}` in its path or body is the created thing's."""

    method: str
    path: str
    body: Callable[[datetime], Any] | None = None


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Hold the calls that create, read, change and delete one thing.

    `id_at` is where the id stands in the answer to `create`.
    """

    create: Step
    id_at: tuple[str | int, ...]
    read: Step
    change: Step
    delete: Step


async def try_round_trip(
    token: LiveToken, row: ProbeResult, *, trip: RoundTrip, now: datetime
) -> ProbeResult:
    """Take a round trip and return what it proves; each step's status is in the evidence.

    Raises:
        NetworkError, AnswerError: the creation was not answered; it says what to look for.
    """
    created = await _created(token, row, step=trip.create, now=now)
    row = replace(row, status=created.status, seconds=created.exchange.seconds)
    if created.status not in _SUCCESS:
        verdict = _MEANINGS.get(created.status, Verdict.INCONCLUSIVE)
        return replace(row, verdict=verdict, evidence=_said("created", created))
    found = _value_at(created.text, trip.id_at)
    if found is None:
        left = f"created, but the answer holds no id; delete {OWN_NAME!r} by hand"
        return replace(row, verdict=Verdict.FAILED, evidence=left)
    return await _finished(token, row, trip=trip, found=found, now=now)


async def _finished(
    token: LiveToken, row: ProbeResult, *, trip: RoundTrip, found: str, now: datetime
) -> ProbeResult:
    said = [f"created {row.status}"]
    good = True
    try:
        read = await _sent(token, row, step=trip.read, found=found, now=now)
        change = await _sent(token, row, step=trip.change, found=found, now=now)
        said += [_said("read", read), _said("changed", change)]
        good = change.status in _SUCCESS
    except DdoauthError as error:
        said.append(error.what)
        good = False
    finally:
        # Cancelled or not, what was created is deleted before this task ends.
        cleaning = asyncio.ensure_future(_deleted(token, row, trip=trip, found=found, now=now))
        deletion = await _outlasting(cleaning)
    said.append(deletion or f"not deleted: delete {OWN_NAME!r} ({found}) by hand")
    verdict = Verdict.CONFIRMED if good and deletion else Verdict.FAILED
    if verdict is Verdict.CONFIRMED and row.explained_by:
        verdict = Verdict.INCONCLUSIVE
        said.append(f"{' and '.join(row.explained_by)} would open this as well")
    return replace(row, verdict=verdict, evidence=", ".join(said))


async def _outlasting(work: asyncio.Future[str]) -> str:
    """Wait for some work to its end, and only then let a cancellation through."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await work
        raise


async def _created(token: LiveToken, row: ProbeResult, *, step: Step, now: datetime) -> Response:
    try:
        return await _sent(token, row, step=step, found="", now=now)
    except DdoauthError as error:
        what = f"{error.what} If it was created all the same, it is called {OWN_NAME!r}."
        raise type(error)(error.code, what, said=error.said, exchange=error.exchange) from None


async def _deleted(
    token: LiveToken, row: ProbeResult, *, trip: RoundTrip, found: str, now: datetime
) -> str:
    """Delete, again where that failed; return how it went, or nothing when it never did."""
    for attempt in range(DELETIONS):
        try:
            answer = await _sent(token, row, step=trip.delete, found=found, now=now)
        except DdoauthError:
            continue
        if answer.status in _SUCCESS or (attempt and answer.status == _GONE):
            return f"deleted {answer.status}"
    return ""


async def _sent(
    token: LiveToken, row: ProbeResult, *, step: Step, found: str, now: datetime
) -> Response:
    def build(tokens: TokenSet) -> Request:
        return Request(
            purpose=f"round trip for {row.scope}",
            method=step.method,
            site=tokens.site,
            host=Host.API,
            path=step.path.replace("{id}", found),
            headers=(("authorization", tokens.access_token),),
            body=_with_id(step.body(now), found) if step.body else None,
            repeatable=step.method == "GET",
        )

    return await token.send(build)


def _with_id(body: Any, found: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(body, dict):
        return {name: _with_id(value, found) for name, value in body.items()}
    if isinstance(body, list):
        return [_with_id(value, found) for value in body]
    return found if body == "{id}" else body


def _said(verb: str, answer: Response) -> str:
    words = "; ".join(error_texts(answer)) if answer.status not in _SUCCESS else ""
    return f"{verb} {answer.status}" + (f" ({words})" if words else "")


def _value_at(text: str, where: tuple[str | int, ...]) -> str | None:
    try:
        value = json.loads(text)
        for key in where:
            value = value[key]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    safe = plain and all(c.isascii() and (c.isalnum() or c in "-_.") for c in str(value))
    return str(value) if safe and str(value).strip(".") else None
