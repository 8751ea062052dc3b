"""Read data with an access token: metrics, logs, events, and the token's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.http.answers import read_object, unexpected
from ddoauth_kit.oauth.tokens import api_request

if TYPE_CHECKING:
    from ddoauth_kit.http.message import Pairs, Request, Response
    from ddoauth_kit.oauth.tokens import TokenSet

METRIC_SCOPE: Final = "timeseries_query"
LOG_SCOPE: Final = "logs_read_data"
EVENT_SCOPE: Final = "events_read"


def metric_query_request(tokens: TokenSet, *, query: str, start: int, end: int) -> Request:
    """Build a metric query (`GET /api/v1/query`, scope `timeseries_query`); times in seconds."""
    pairs: Pairs = (("from", str(start)), ("to", str(end)), ("query", query))
    return api_request(tokens, "metric query", "/api/v1/query", query=pairs)


def log_search_request(tokens: TokenSet, *, query: str, start: int, end: int) -> Request:
    """Build a log search (`POST /api/v2/logs/events/search`, scope `logs_read_data`).

    A search doesn't change anything, so the sender may repeat the request even though it is a POST.
    Times are in seconds.
    """
    found = {"query": query, "from": str(start * 1000), "to": str(end * 1000)}
    body = {"filter": found, "page": {"limit": 10}}
    path = "/api/v2/logs/events/search"
    return api_request(tokens, "log search", path, method="POST", body=body, repeatable=True)


def event_list_request(tokens: TokenSet, *, tags: tuple[str, ...], start: int, end: int) -> Request:
    """Build an event listing (`GET /api/v1/events`, scope `events_read`); times are in seconds."""
    pairs: Pairs = (("start", str(start)), ("end", str(end)), ("tags", ",".join(tags)))
    return api_request(tokens, "event listing", "/api/v1/events", query=pairs)


def read_series(response: Response) -> list[dict[str, Any]]:
    """Return the series from the response to a metric query.

    Raises:
        ApiError, AnswerError: the query was refused, or the response cannot be read.
    """
    return _read_list(response, "series")


def read_logs(response: Response) -> list[dict[str, Any]]:
    """Return the logs from the response to a search.

    Raises:
        ApiError, AnswerError: the search was refused, or the response cannot be read.
    """
    return _read_list(response, "data")


def read_events(response: Response) -> list[dict[str, Any]]:
    """Return the events from the response to a listing.

    Raises:
        ApiError, AnswerError: the listing was refused, or the response cannot be read.
    """
    return _read_list(response, "events")


def _read_list(response: Response, name: str) -> list[dict[str, Any]]:
    refuse_failure(response)
    items = read_object(response).get(name, [])
    if not isinstance(items, list):
        raise unexpected(response, f"has a `{name}` that is not a list")
    return [item for item in items if isinstance(item, dict)]
