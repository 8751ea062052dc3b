"""Data comes out with the access token, as lists of objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders import ACCESS_TOKEN, response, tokens

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.workbook.lab import queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.http.message import Request, Response

START, END = 1767225600, 1767225660
READERS = [
    (queries.read_series, "series"),
    (queries.read_logs, "data"),
    (queries.read_events, "events"),
]


@pytest.mark.checklist("C10")
@pytest.mark.parametrize(
    ("request_", "method", "target"),
    [
        (current_user_request(tokens()), "GET", "/api/v2/current_user"),
        (
            queries.metric_query_request(tokens(), query="avg:a{b:c}", start=START, end=END),
            "GET",
            f"/api/v1/query?from={START}&to={END}&query=avg%3Aa%7Bb%3Ac%7D",
        ),
        (
            queries.event_list_request(tokens(), tags=("a:1", "b:2"), start=START, end=END),
            "GET",
            f"/api/v1/events?start={START}&end={END}&tags=a%3A1%2Cb%3A2",
        ),
        (
            queries.log_search_request(tokens(), query="service:acme", start=START, end=END),
            "POST",
            "/api/v2/logs/events/search",
        ),
    ],
    ids=["user", "metrics", "events", "logs"],
)
def test_each_question_goes_to_its_endpoint(request_: Request, method: str, target: str) -> None:
    """With the token as bearer, to the API host; asking again does no harm."""
    assert request_.method == method
    assert request_.url == f"https://api.datadoghq.com{target}"
    assert dict(request_.revealed_headers())["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert request_.repeatable


def test_a_log_search_counts_in_milliseconds() -> None:
    """The search API takes times as texts of milliseconds."""
    request = queries.log_search_request(tokens(), query="service:acme", start=START, end=END)
    assert json.loads(request.content()) == {
        "filter": {"query": "service:acme", "from": "1767225600000", "to": "1767225660000"},
        "page": {"limit": 10},
    }


@pytest.mark.parametrize(("read", "name"), READERS)
def test_a_list_is_returned(read: Callable[[Response], list], name: str) -> None:
    """Objects are returned; anything else, or a missing list, returns nothing."""
    assert read(response(200, json.dumps({name: [{"a": 1}, "x", None]}))) == [{"a": 1}]
    assert read(response(200, "{}")) == []


@pytest.mark.parametrize(("read", "name"), READERS)
def test_a_strange_answer_is_refused(read: Callable[[Response], list], name: str) -> None:
    """A list that is none, or a refusal, is an error."""
    for status, text, code in (
        (200, json.dumps({name: {}}), "unexpected_answer"),
        (200, json.dumps({name: None}), "unexpected_answer"),
        (200, "[]", "unexpected_answer"),
        (200, "<html>", "html_answer"),
        (401, "", "unauthorized"),
        (403, "", "scope_missing"),
        (500, "", "server_error"),
    ):
        with pytest.raises(DdoauthError) as caught:
            read(response(status, text))
        assert caught.value.code == code
