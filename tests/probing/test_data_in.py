"""Data is sent with the existing key, one sample of each kind, and only on request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from support.builders import API_KEY, NOW, readable
from support.loopback import Answer, RecordingServer

from ddoauth_kit import Secret
from ddoauth_kit.api.api_keys import ApiKey
from ddoauth_kit.errors import NetworkError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.probing.data_in import NO_KEY, try_data_in
from ddoauth_kit.probing.probe import Flow
from ddoauth_kit.probing.verdict import ProbeResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., RecordingServer]

ROW = ProbeResult("lab1", "api_keys_write", "Key Management", Flow.IN, Verdict.FAILED)
TAKEN = Answer('{"errors": []}', 202)
PATHS = ["/api/v2/series", "/api/v2/logs", "/api/v1/events", "/api/v1/check_run"]


def _try(server: RecordingServer, *, sends: bool = True, key: bool = True) -> ProbeResult:
    async def run() -> ProbeResult:
        async with AsyncHttp() as http:
            secret = Secret(API_KEY, label="api_key", show_last_four=True)
            held = ApiKey(secret, "id", "name", server.site) if key else None
            row = await try_data_in(http, ROW, api_key=held, now=NOW, sends=sends)
            assert not readable(API_KEY, f"{row!r} {[*http.transcript]!r}")
            return row

    return asyncio.run(run())


def test_one_sample_of_each_kind(serve: Serve) -> None:
    """A metric, a log, an event and a check, all of the moment that was given."""
    server = serve(TAKEN)
    row = _try(server)
    assert row.verdict is Verdict.CONFIRMED
    assert row.evidence == "metric 202, log 202, event 202, service check 202"
    assert (row.method, row.path, row.status) == ("POST", "/api/v2/series", 202)
    assert [arrived.target for arrived in server.arrived] == PATHS
    assert {arrived.headers["dd-api-key"] for arrived in server.arrived} == {API_KEY}
    assert not any("authorization" in arrived.headers for arrived in server.arrived)
    (series,) = json.loads(server.arrived[0].body)["series"]
    assert series["points"][0]["timestamp"] == int(NOW.timestamp())
    assert series["metric"] == "ddoauth_kit.probe"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, Verdict.REFUSED),
        (403, Verdict.REFUSED),
        (429, Verdict.RATE_LIMITED),
        (400, Verdict.FAILED),
        (500, Verdict.FAILED),
    ],
)
def test_the_worst_answer_is_the_row(serve: Serve, status: int, verdict: Verdict) -> None:
    """One kind that is refused spoils it, and the row names that call."""
    server = serve(TAKEN, TAKEN, Answer('{"errors": ["No."]}', status), TAKEN)
    row = _try(server)
    assert (row.verdict, row.status, row.path) == (verdict, status, "/api/v1/events")
    assert row.evidence == f"metric 202, log 202, event {status}, service check 202: No."
    assert len(server.arrived) == 4


def test_without_a_key_nothing_is_sent(serve: Serve) -> None:
    """The one-shot call that would make a key is never spent by probing."""
    server = serve()
    row = _try(server, key=False)
    assert (row.verdict, row.evidence, row.status) == (Verdict.NOT_TRIED, NO_KEY, None)
    assert server.arrived == []


def test_without_writes_the_key_is_only_asked_about(serve: Serve) -> None:
    """A valid key does not prove a data flow, and the row says that nothing was sent."""
    server = serve(Answer('{"valid": true}'))
    row = _try(server, sends=False)
    assert (row.verdict, row.status) == (Verdict.INCONCLUSIVE, 200)
    assert "valid; nothing was sent" in row.evidence
    assert [(a.method, a.target) for a in server.arrived] == [("GET", "/api/v1/validate")]


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (Answer('{"errors": ["Forbidden"]}', 403), Verdict.REFUSED, "Forbidden"),
        (Answer("", 403), Verdict.REFUSED, "without a message (403)"),
        (Answer('{"valid": false}'), Verdict.REFUSED, "not valid"),
        (Answer("{}"), Verdict.REFUSED, "not valid"),
        (Answer("<html>"), Verdict.FAILED, "web page"),
        (Answer("", 500), Verdict.FAILED, "without a message (500)"),
        (Answer("", 429, (("x-ratelimit-reset", "99"),)), Verdict.RATE_LIMITED, "429"),
    ],
)
def test_a_key_that_is_not_valid(
    serve: Serve, answer: Answer, verdict: Verdict, words: str
) -> None:
    """Only `valid: true` means that a key is valid."""
    row = _try(serve(answer), sends=False)
    assert row.verdict is verdict
    assert words in row.evidence


def test_no_answer_is_an_error(serve_raw: Callable[..., RecordingServer]) -> None:
    """The caller that tries a scope turns the error into a row."""
    with pytest.raises(NetworkError):
        _try(serve_raw(b""))
