"""Create an object, read it, change it and delete it, and clean up no matter what happens.

`round_trips.json` contains the calls for each write scope that partners request; the bodies come
from Datadog's API reference. All objects have names that a person will recognize, notify nobody and
monitor nothing: a monitor without recipients, a downtime in 2037, a paused test, a test incident.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import AnswerError, DdoauthError, NetworkError
from ddoauth_kit.http.answers import error_texts
from ddoauth_kit.oauth.tokens import api_request
from ddoauth_kit.probing.request_values import is_id
from ddoauth_kit.probing.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.probing.catalogue import ScopeSet
    from ddoauth_kit.probing.verdict import ProbeResult

    Call = Callable[[Callable[[TokenSet], Request]], Awaitable[Response]]

OWN_NAME: Final = "ddoauth-kit probe, safe to delete"
DELETIONS: Final = 3
_REFUSED: Final = range(400, 500)
_UNCLEAR: Final = range(500, 600)
_GONE: Final = 404
_REPEATABLE: Final = frozenset({"GET", "DELETE"})
_IF_CREATED: Final = f"if it was created anyway, its name is {OWN_NAME!r}"
_MEANINGS: Final = {
    401: Verdict.NOT_OAUTH,
    403: Verdict.REFUSED,
    404: Verdict.NOT_ON_SITE,
    429: Verdict.RATE_LIMITED,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a round trip; `{id}` in its path or body stands for the created object's id."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The calls that create, read, change and delete one object.

    `id_at` is the path to the id within the response to `create`.
    """

    create: Step
    id_at: tuple[str | int, ...]
    read: Step
    change: Step
    delete: Step


def _round_trips() -> Mapping[str, RoundTrip]:
    listed = json.loads(Path(__file__).with_name("round_trips.json").read_text("utf-8"))
    return MappingProxyType({scope: _round_trip(**calls) for scope, calls in listed.items()})


def _round_trip(*, id_at: list[str | int], **calls: dict[str, Any]) -> RoundTrip:
    return RoundTrip(id_at=tuple(id_at), **{name: Step(**call) for name, call in calls.items()})


ROUND_TRIPS: Final = _round_trips()


async def try_round_trip(
    call: Call, row: ProbeResult, *, trip: RoundTrip, granted: ScopeSet
) -> ProbeResult:
    """Make a round trip and return what it proves; the evidence includes the status of each step.

    `call` takes a function that builds a request, and sends that request with a valid token that
    has the `granted` scopes.

    A cancellation doesn't end the round trip at once. Instead, it skips to the deletion, and the
    result says so. The caller checks its task's `cancelling()`.

    Raises:
        ApiError, NetworkError, AnswerError: the creation got no usable response; the message says
        what to look for.
    """
    stop = asyncio.Event()
    taken = asyncio.ensure_future(_taken(Trip(call, row, trip, granted, stop)))
    while not taken.done():
        try:
            await asyncio.shield(taken)
        except asyncio.CancelledError:
            if taken.cancelled():
                raise
            stop.set()
    return taken.result()


@dataclass(frozen=True, slots=True)
class Trip:
    """A running round trip; `stop` is set if only the deletion is left to do."""

    call: Call
    row: ProbeResult
    calls: RoundTrip
    granted: ScopeSet
    stop: asyncio.Event


async def _taken(trip: Trip) -> ProbeResult:
    created = await _created(trip)
    row = replace(trip.row, status=created.status, seconds=created.record.seconds)
    if not created.succeeded:
        told = _said("create", created)
        told += f"; {_IF_CREATED}" if created.status in _UNCLEAR else ""
        return replace(row, verdict=_verdict_of(created), evidence=told)
    found = _value_at(created.text, trip.calls.id_at)
    if found is None:
        told = f"created, but the response has no id; delete {OWN_NAME!r} by hand"
        return replace(row, verdict=Verdict.FAILED, evidence=told)
    verdict, said = await _used(trip, found)
    deletion = await _deleted(trip, found)
    if not deletion:
        verdict, deletion = Verdict.FAILED, f"not deleted: delete {OWN_NAME!r} ({found}) by hand"
    steps = [f"created {created.status}", *said, deletion]
    if verdict is Verdict.CONFIRMED and (reason := _other_reason(trip)):
        verdict, steps = Verdict.INCONCLUSIVE, [*steps, reason]
    return replace(row, verdict=verdict, evidence=", ".join(steps))


async def _used(trip: Trip, found: str) -> tuple[Verdict, list[str]]:
    """Read and change the object that was created; only the change tests a write scope."""
    said: list[str] = []
    verdict = Verdict.INCONCLUSIVE
    for verb, step in (("read", trip.calls.read), ("change", trip.calls.change)):
        if trip.stop.is_set():
            return Verdict.INCONCLUSIVE, [*said, "cancelled"]
        try:
            answer = await _sent(trip, step=step, found=found)
        except DdoauthError as error:
            return Verdict.FAILED, [*said, error.what]
        said.append(_said(verb, answer))
        verdict = _verdict_of(answer)
    # The object was just created on this site, so a 404 must have another reason.
    return (Verdict.INCONCLUSIVE if verdict is Verdict.NOT_ON_SITE else verdict), said


def _verdict_of(answer: Response) -> Verdict:
    if answer.succeeded:
        return Verdict.CONFIRMED
    other = Verdict.INCONCLUSIVE if answer.status in _REFUSED else Verdict.FAILED
    return _MEANINGS.get(answer.status, other)


def _other_reason(trip: Trip) -> str:
    if trip.row.scope not in trip.granted:
        return "the token was not granted this scope, so something else allowed the call"
    others = trip.row.explained_by
    return f"{' and '.join(others)} would also allow the call" if others else ""


async def _created(trip: Trip) -> Response:
    try:
        return await _sent(trip, step=trip.calls.create, found="")
    except (AnswerError, NetworkError) as error:
        what = f"{error.what} {_IF_CREATED[0].upper()}{_IF_CREATED[1:]}."
        raise type(error)(error.code, what, said=error.said, exchange=error.exchange) from None


async def _deleted(trip: Trip, found: str) -> str:
    """Delete the object, with retries; return the outcome, or "" if that never succeeded.

    A 404 counts only after an attempt that may have worked, because the site may not find a new
    object right away.
    """
    unclear = False
    for _ in range(DELETIONS):
        try:
            answer = await _sent(trip, step=trip.calls.delete, found=found)
        except DdoauthError:
            unclear = True
            continue
        if answer.succeeded or (unclear and answer.status == _GONE):
            return f"deleted {answer.status}"
        unclear = unclear or answer.status in _UNCLEAR
    return ""


async def _sent(trip: Trip, *, step: Step, found: str) -> Response:
    def build(tokens: TokenSet) -> Request:
        return api_request(
            tokens,
            f"round trip for {trip.row.scope}",
            step.path.replace("{id}", found),
            method=step.method,
            body=_with_id(step.body, found),
            repeatable=step.method in _REPEATABLE,
            trial=True,
        )

    return await trip.call(build)


def _with_id(body: Any, found: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(body, dict):
        return {name: _with_id(value, found) for name, value in body.items()}
    if isinstance(body, list):
        return [_with_id(value, found) for value in body]
    return found if body == "{id}" else body


def _said(verb: str, answer: Response) -> str:
    words = "; ".join(error_texts(answer)) if not answer.succeeded else ""
    return f"{verb} {answer.status}" + (f" ({words})" if words else "")


def _value_at(text: str, where: tuple[str | int, ...]) -> str | None:
    try:
        value = json.loads(text)
        for key in where:
            value = value[key]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return str(value) if is_id(value) else None
