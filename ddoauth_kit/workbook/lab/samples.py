"""Send a sample of each kind of data and read it back, as tables for a lesson."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.api import telemetry
from ddoauth_kit.masking.redaction import redact
from ddoauth_kit.workbook.lab import queries
from ddoauth_kit.workbook.show.result_table import ResultTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.sender import Http
    from ddoauth_kit.oauth.tokens import TokenSet

WINDOW: Final = 900
TRIES: Final = 12
PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Question:
    """How to read back one kind of data, and the scope that this needs."""

    data: str
    scope: str
    request: Request
    read: Callable[[Response], list[dict[str, Any]]]
    value: Callable[[dict[str, Any]], object]


def send_samples(http: Http, *, api_key: ApiKey, sample: telemetry.Telemetry) -> ResultTable:
    """Send a metric, a log, an event and a service check.

    Columns: `data`, `request`, `host`, `status`.

    Raises:
        ApiKeyError, AnswerError, NetworkError: the first sample that was not accepted.
    """
    builders = {
        "metric": telemetry.metric_request,
        "log": telemetry.log_request,
        "event": telemetry.event_request,
        "service check": telemetry.check_request,
    }
    rows = []
    for data, build in builders.items():
        request = build(api_key, sample=sample)
        response = telemetry.send(http, request)
        rows.append(
            {
                "data": data,
                "request": f"{request.method} {request.path}",
                "host": request.site.shown_url(request.host).removeprefix("https://"),
                "status": response.status,
            }
        )
    return ResultTable("data_in", rows)


def read_samples(
    http: Http,
    *,
    tokens: TokenSet,
    sample: telemetry.Telemetry,
    sleep: Callable[[float], None],
    tries: int = TRIES,
) -> ResultTable:
    """Read the sample back with the access token, as far as the granted scopes allow.

    New data takes a few seconds to become visible, so each query is sent up to `tries` times, five
    seconds apart. Columns: `data`, `scope`, `request`, `found`, `value`.

    Raises:
        ApiError, AnswerError, NetworkError: the first query that was refused.
    """
    rows = []
    for question in _questions(tokens, sample):
        request = f"{question.request.method} {question.request.path}"
        row: dict[str, object] = {"data": question.data, "scope": question.scope}
        if question.scope in tokens.scopes:
            items = _ask(http, question, sleep=sleep, tries=tries)
            value = _value(question, items[0]) if items else ""
            row |= {"request": request, "found": str(len(items)), "value": value}
        else:
            row |= {"request": "not sent", "found": "scope not granted", "value": ""}
        rows.append(row)
    nothing = {"scope": "none", "request": "no public API", "found": "see the app", "value": ""}
    return ResultTable("data_out", [*rows, {"data": "service check", **nothing}])


def _questions(tokens: TokenSet, sample: telemetry.Telemetry) -> tuple[_Question, ...]:
    start, end = sample.at - WINDOW, sample.at + WINDOW
    return (
        _Question(
            "metric",
            queries.METRIC_SCOPE,
            queries.metric_query_request(
                tokens, query=f"avg:{sample.name}{{*}}", start=start, end=end
            ),
            queries.read_series,
            lambda series: series["pointlist"][-1][1],
        ),
        _Question(
            "log",
            queries.LOG_SCOPE,
            queries.log_search_request(
                tokens, query=f"service:{sample.source}", start=start, end=end
            ),
            queries.read_logs,
            lambda log: log["attributes"]["message"],
        ),
        _Question(
            "event",
            queries.EVENT_SCOPE,
            queries.event_list_request(tokens, tags=sample.tags, start=start, end=end),
            queries.read_events,
            lambda event: event["title"],
        ),
    )


def _value(question: _Question, item: dict[str, Any]) -> str:
    """Return the response as text, without the request's secrets."""
    try:
        found = str(question.value(item))
    except (KeyError, IndexError, TypeError):
        return "not as documented"
    return redact(found, secrets=question.request.secrets)


def _ask(
    http: Http, question: _Question, *, sleep: Callable[[float], None], tries: int
) -> list[dict[str, Any]]:
    items = question.read(http.send(question.request))
    for _ in range(tries - 1):
        if items:
            break
        sleep(PAUSE)
        items = question.read(http.send(question.request))
    return items
