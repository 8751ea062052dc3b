"""A round trip leaves nothing behind, or names what it left."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import kept_grant, readable, tokens
from support.loopback import Answer, Arrived, RecordingServer

from ddoauth_kit.errors import NetworkError, TokenError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.probing.probe import Flow
from ddoauth_kit.probing.round_trips import (
    OWN_NAME,
    ROUND_TRIPS,
    RoundTrip,
    Step,
    try_round_trip,
)
from ddoauth_kit.probing.verdict import ProbeResult, Verdict
from ddoauth_kit.scopes import GrantedScopes

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., RecordingServer]

THINGS = "/api/v2/things"
SCOPE = "things_write"
BODY = {"name": OWN_NAME, "at": 1}
TRIP = RoundTrip(
    create=Step("POST", THINGS, BODY),
    id_at=("data", "id"),
    read=Step("GET", f"{THINGS}/{{id}}"),
    change=Step("PATCH", f"{THINGS}/{{id}}", {"data": [{"id": "{id}"}, "x{id}"]}),
    delete=Step("DELETE", f"{THINGS}/{{id}}"),
)


class Things:
    """Store what is created, and respond as configured, for as long as configured."""

    def __init__(self, **instead: list[Answer | None]) -> None:
        self.kept: dict[str, Any] = {}
        self.changes: list[Any] = []
        self.instead = instead
        self.id: object = "thing-1"

    def __call__(self, arrived: Arrived) -> Answer:
        """Respond to one call, with a planned response if there is one."""
        planned = self.instead.get(arrived.method, [])
        answer = planned.pop(0) if planned else None
        if answer and answer.status != 202:
            return answer
        return replace(self._served(arrived), until=answer.until if answer else None)

    def _served(self, arrived: Arrived) -> Answer:
        name = arrived.target.removeprefix(f"{THINGS}/")
        if arrived.method == "POST":
            self.kept[str(self.id)] = json.loads(arrived.body)
            return Answer(json.dumps({"data": {"id": self.id}}), 201)
        if name not in self.kept:
            return Answer('{"errors": ["Not found"]}', 404)
        if arrived.method == "DELETE":
            del self.kept[name]
            return Answer("", 204)
        self.changes += [json.loads(arrived.body)] if arrived.body else []
        return Answer('{"data": {"name": "canary"}}')


def _row(**changes: Any) -> ProbeResult:
    return replace(ProbeResult("lab1", SCOPE, "Things", Flow.EDIT, Verdict.FAILED), **changes)


async def _trip(
    server: RecordingServer,
    *,
    granted: str = SCOPE,
    row: ProbeResult | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 - the sender's
) -> ProbeResult:
    scopes = GrantedScopes(requested=(SCOPE,), granted=(granted,))
    grant = tokens(site=server.site, scopes=scopes)

    async def no_wait(_seconds: float) -> None:
        await asyncio.sleep(0)

    async with AsyncHttp(sleep=no_wait, timeout=timeout) as http:
        call = partial(kept_grant(grant).asend, http)
        held = frozenset({granted})
        return await try_round_trip(call, row or _row(), trip=TRIP, granted=held)


def _take(server: RecordingServer, **choices: Any) -> ProbeResult:
    return asyncio.run(_trip(server, **choices))


def _wait_for(server: RecordingServer, method: str) -> None:
    """Return when a call of this method has arrived."""
    while method not in _methods(server):
        time.sleep(0.005)


def _methods(server: RecordingServer) -> str:
    return " ".join(arrived.method for arrived in server.arrived)


def test_a_round_trip_leaves_nothing(serve: Serve) -> None:
    """Created, read, changed, deleted: each step is in the evidence, and no value of it."""
    things = Things()
    server = serve(respond=things)
    row = _take(server)
    assert things.kept == {}
    assert _methods(server) == "POST GET PATCH DELETE"
    assert (row.verdict, row.status) == (Verdict.CONFIRMED, 201)
    assert row.evidence == "created 201, read 200, change 200, deleted 204"
    assert row.seconds > 0


def test_what_is_made_is_named_and_filled_in(serve: Serve) -> None:
    """A person can recognize it; the id is in the path and, if required, in the body."""
    things = Things()
    server = serve(respond=things)
    _take(server)
    made = json.loads(server.arrived[0].body)
    assert made == BODY
    assert "safe to delete" in OWN_NAME
    assert things.changes == [{"data": [{"id": "thing-1"}, "x{id}"]}]


@pytest.mark.parametrize("scope", ROUND_TRIPS)
def test_each_object_has_a_name_that_a_person_recognizes(scope: str) -> None:
    """Objects left behind can be found: their names say who made them and that they can go."""
    create = json.dumps(ROUND_TRIPS[scope].create.body)
    assert OWN_NAME in create or "ddoauth-kit-probe-safe-to-delete" in create


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, Verdict.NOT_OAUTH),
        (403, Verdict.REFUSED),
        (404, Verdict.NOT_ON_SITE),
        (429, Verdict.RATE_LIMITED),
        (400, Verdict.INCONCLUSIVE),
        (409, Verdict.INCONCLUSIVE),
        (500, Verdict.FAILED),
        (302, Verdict.FAILED),
    ],
)
def test_a_refused_creation_ends_it(serve: Serve, status: int, verdict: Verdict) -> None:
    """There is nothing to read, change or delete; a failure may have created an object."""
    refusal = Answer('{"errors": ["No."]}', status)
    server = serve(respond=lambda arrived: Answer() if arrived.method == "GET" else refusal)
    row = _take(server)
    assert (row.verdict, row.status) == (verdict, status)
    assert f"create {status} (No.)" in row.evidence
    assert (OWN_NAME in row.evidence) is (status == 500)
    assert "DELETE" not in _methods(server)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer("", 403), Verdict.REFUSED),
        (Answer("", 401), Verdict.NOT_OAUTH),
        (Answer("", 400), Verdict.INCONCLUSIVE),
        (Answer("", 404), Verdict.INCONCLUSIVE),
        (Answer("", 500), Verdict.FAILED),
    ],
)
def test_a_refused_change_is_cleaned_up(serve: Serve, answer: Answer, verdict: Verdict) -> None:
    """The change is refused, and the created object is deleted."""
    things = Things(PATCH=[answer])
    server = serve(respond=_with_user(things))
    row = _take(server)
    assert things.kept == {}
    assert row.verdict is verdict
    assert f"change {answer.status}" in row.evidence
    assert "deleted 204" in row.evidence


def _with_user(things: Things) -> Callable[[Arrived], Answer]:
    """Say as well whose the token is."""
    return lambda a: Answer() if a.target.endswith("/current_user") else things(a)


def test_a_refused_read_is_no_verdict_on_a_write(serve: Serve) -> None:
    """Reading needs a different scope; the change decides."""
    things = Things(GET=[Answer("", 403)])
    row = _take(serve(respond=things))
    assert (row.verdict, things.kept) == (Verdict.CONFIRMED, {})
    assert row.evidence == "created 201, read 403, change 200, deleted 204"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_step_that_breaks_off_is_cleaned_up(serve: Serve, method: str) -> None:
    """A lost response ends the trip with the deletion."""
    things = Things()
    server = serve(respond=things)
    things.instead[method] = [Answer("", 200, until=server.closing)]
    row = _take(server, timeout=1.5)
    assert things.kept == {}
    assert row.verdict is Verdict.FAILED
    assert "arrived in time" in row.evidence
    assert "deleted 204" in row.evidence


def test_a_deletion_is_tried_three_times(serve: Serve) -> None:
    """A deletion that fails twice and then works leaves nothing behind."""
    things = Things(DELETE=[Answer("", 500), Answer("", 400)])
    row = _take(serve(respond=things))
    assert (things.kept, row.verdict) == ({}, Verdict.CONFIRMED)
    assert row.evidence.endswith("deleted 204")


def test_a_limit_is_waited_for_before_deleting(serve: Serve) -> None:
    """A deletion that was too early is repeated after a wait, and leaves nothing behind."""
    limited = Answer("", 429, (("x-ratelimit-reset", "3"), ("x-ratelimit-remaining", "0")))
    things = Things(DELETE=[limited] * 4)
    row = _take(serve(respond=things))
    assert (things.kept, row.verdict) == ({}, Verdict.CONFIRMED)


def test_what_remains_is_named(serve: Serve) -> None:
    """If deletion never works, the row says what to delete by hand."""
    things = Things(DELETE=[Answer("", 403)] * 9)
    server = serve(respond=things)
    row = _take(server)
    assert things.kept
    assert row.verdict is Verdict.FAILED
    assert row.evidence.endswith(f"not deleted: delete {OWN_NAME!r} (thing-1) by hand")
    assert _methods(server).count("DELETE") == 3


def test_gone_is_deleted_only_if_a_deletion_may_have_worked(serve: Serve) -> None:
    """404 after a failure is the end; 404 alone may be a server that does not know it yet."""
    gone = Answer("", 404)
    row = _take(serve(respond=Things(DELETE=[Answer("", 500), gone])))
    assert row.evidence.endswith("deleted 404")
    late = Things(DELETE=[gone, gone])
    row = _take(serve(respond=late))
    assert (row.evidence.split(", ")[-1], late.kept) == ("deleted 204", {})
    row = _take(serve(respond=Things(DELETE=[gone] * 9)))
    assert row.verdict is Verdict.FAILED
    assert "by hand" in row.evidence


@pytest.mark.parametrize(
    "hostile",
    [
        *["../../v2/team/1", "1/../2", "a/b", "..", ".", "", "a?b", "a#b", "a%2e", "a b", "é"],
        *["x" * 201, True, None, ["a"], {"a": 1}, 1.5, "a\r\nb"],
    ],
)
def test_a_hostile_id_is_not_used(serve: Serve, hostile: object) -> None:
    """An id that could lead elsewhere is not used in a path; the row says what to look for."""
    things = Things()
    things.id = hostile
    server = serve(respond=things)
    row = _take(server)
    assert _methods(server) == "POST"
    assert row.verdict is Verdict.FAILED
    assert f"delete {OWN_NAME!r} by hand" in row.evidence


@pytest.mark.parametrize("text", ["", "[]", "null", '{"data": []}', "{", "[" * 100_000, "5"])
def test_an_answer_without_an_id(serve: Serve, text: str) -> None:
    """Created all the same: the row names it."""
    row = _take(serve(Answer(text, 201)))
    assert row.verdict is Verdict.FAILED
    assert OWN_NAME in row.evidence


def test_a_number_is_an_id(serve: Serve) -> None:
    """Monitors have numbers."""
    things = Things()
    things.id = 4711
    assert _take(serve(respond=things)).verdict is Verdict.CONFIRMED
    assert things.kept == {}


def test_a_creation_without_answer_says_what_to_look_for(
    serve_raw: Callable[..., RecordingServer],
) -> None:
    """It is unknown whether the object was created, so its name is in the error."""
    with pytest.raises(NetworkError) as caught:
        _take(serve_raw(b"HTTP/1.1 201 Created\r\n"))
    assert f"If it was created anyway, its name is {OWN_NAME!r}." in caught.value.what
    assert caught.value.code == "cut_off"


def test_an_ended_grant_creates_nothing(serve: Serve) -> None:
    """Nothing is sent, and the row does not mention leftovers."""
    server = serve()
    grant = kept_grant(tokens(site=server.site))
    grant._forget()

    async def run() -> None:
        async with AsyncHttp() as http:
            call = partial(grant.asend, http)
            await try_round_trip(call, _row(), trip=TRIP, granted=frozenset())

    with pytest.raises(TokenError) as caught:
        asyncio.run(run())
    assert (caught.value.code, server.arrived) == ("grant_ended", [])


def test_what_something_else_explains_is_not_confirmed(serve: Serve) -> None:
    """Another scope that would open it, or a scope that was not granted, leaves it open."""
    row = _take(serve(respond=Things()), row=_row(explained_by=("other_write",)))
    assert row.verdict is Verdict.INCONCLUSIVE
    assert "other_write would also allow the call" in row.evidence
    row = _take(serve(respond=Things()), granted="other_write")
    assert row.verdict is Verdict.INCONCLUSIVE
    assert "not granted this scope" in row.evidence


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("method", ["POST", "GET", "PATCH", "DELETE"])
def test_cancelled_at_any_step_it_leaves_nothing(serve: Serve, method: str, times: int) -> None:
    """However often it is cancelled, every created object is deleted first."""
    cancelled = threading.Event()
    slow = Answer("", 202, until=cancelled)  # 202 stands for the usual answer, later
    things = Things(**{method: [slow]})
    server = serve(respond=things)

    async def run() -> tuple[ProbeResult, int]:
        task = asyncio.create_task(_trip(server))
        await asyncio.to_thread(_wait_for, server, method)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.01)
        cancelled.set()
        return await task, task.cancelling()

    row, cancelling = asyncio.run(run())
    assert things.kept == {}
    assert cancelling == times
    assert "deleted 204" in row.evidence
    cut = method in {"POST", "GET"}
    assert ("cancelled" in row.evidence) is cut
    assert row.verdict is (Verdict.INCONCLUSIVE if cut else Verdict.CONFIRMED)


def test_cancelled_and_not_deleted_it_is_named(serve: Serve) -> None:
    """The row that a cancelled trip returns still says what it left."""
    cancelled = threading.Event()
    things = Things(GET=[Answer("", 202, until=cancelled)], DELETE=[Answer("", 403)] * 9)
    server = serve(respond=things)

    async def run() -> ProbeResult:
        task = asyncio.create_task(_trip(server))
        await asyncio.to_thread(_wait_for, server, "GET")
        task.cancel()
        await asyncio.sleep(0)
        cancelled.set()
        return await task

    row = asyncio.run(run())
    assert row.verdict is Verdict.FAILED
    assert "(thing-1) by hand" in row.evidence


def test_the_evidence_has_no_value_of_an_answer(serve: Serve) -> None:
    """The data that was read back is not shown."""
    assert not readable("canary", _take(serve(respond=Things())).evidence)
