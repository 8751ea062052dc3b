"""Data is sent with the API key, to the host and in the format that each kind needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders import API_KEY, US1, readable, response, shown
from support.loopback import Answer

from ddoauth_kit import ApiKey, Http, Secret, Site
from ddoauth_kit.api.telemetry import (
    Telemetry,
    check_request,
    event_request,
    log_request,
    metric_request,
    read_accepted,
    send,
)
from ddoauth_kit.errors import ApiKeyError, DdoauthError

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit.http.message import Request

SAMPLE = Telemetry(
    name="acme.reading", value=42.5, at=1767225600, source="acme", tags=("a:1", "b:2"), host="h1"
)


def _key(site: Site = US1) -> ApiKey:
    key = Secret(API_KEY, label="api_key", show_last_four=True)
    return ApiKey(key=key, key_id="key-id", name="key", site=site)


@pytest.mark.parametrize(
    ("build", "url", "body"),
    [
        (
            metric_request,
            "https://api.datadoghq.com/api/v2/series",
            {
                "series": [
                    {
                        "metric": "acme.reading",
                        "type": 3,
                        "points": [{"timestamp": 1767225600, "value": 42.5}],
                        "tags": ["a:1", "b:2"],
                        "resources": [{"type": "host", "name": "h1"}],
                    }
                ]
            },
        ),
        (
            log_request,
            "https://http-intake.logs.datadoghq.com/api/v2/logs",
            [
                {
                    "message": "acme.reading is 42.5",
                    "service": "acme",
                    "ddsource": "acme",
                    "ddtags": "a:1,b:2",
                    "hostname": "h1",
                    "timestamp": 1767225600000,
                }
            ],
        ),
        (
            event_request,
            "https://api.datadoghq.com/api/v1/events",
            {
                "title": "acme.reading",
                "text": "acme.reading is 42.5",
                "date_happened": 1767225600,
                "source_type_name": "acme",
                "tags": ["a:1", "b:2"],
                "host": "h1",
            },
        ),
        (
            check_request,
            "https://api.datadoghq.com/api/v1/check_run",
            [
                {
                    "check": "acme.reading",
                    "status": 0,
                    "timestamp": 1767225600,
                    "host_name": "h1",
                    "tags": ["a:1", "b:2"],
                }
            ],
        ),
    ],
)
def test_each_kind_has_its_host_and_shape(
    build: Callable[..., Request], url: str, body: object
) -> None:
    """JSON with the key in a header; sending twice would count twice, so it is not repeated."""
    request = build(_key(), sample=SAMPLE)
    assert (request.method, request.url) == ("POST", url)
    assert ("dd-api-key", API_KEY) in request.revealed_headers()
    assert "authorization" not in dict(request.revealed_headers())
    assert json.loads(request.content()) == body
    assert not request.repeatable
    assert not readable(API_KEY, shown([request, request.shown_url, request.shown_headers()]))


@pytest.mark.parametrize(("status", "text"), [(200, "{}"), (202, '{"status": "ok"}'), (202, "")])
def test_accepted_data(status: int, text: str) -> None:
    """The status alone decides; bodies differ by endpoint."""
    assert read_accepted(response(status, text)) is None


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (403, '{"errors": ["Forbidden"]}', "api_key_refused"),
        (401, '{"errors": ["Unauthorized"]}', "api_key_refused"),
        (400, '{"errors": ["Bad Request"]}', "api_refused"),
        (413, '{"errors": ["Payload too large"]}', "api_refused"),
        (429, "", "rate_limited"),
        (503, "", "server_error"),
        (502, "<html>", "html_answer"),
    ],
)
def test_refused_data(status: int, text: str, code: str) -> None:
    """A refused key is distinguished from refused data and from a failing server."""
    with pytest.raises(DdoauthError) as caught:
        read_accepted(response(status, text))
    assert caught.value.code == code


def test_sending_returns_the_answer(http: Http, serve: Callable[..., RecordingServer]) -> None:
    """One request is sent; its response or error is returned."""
    server = serve(Answer("{}", 202), Answer('{"errors": ["Forbidden"]}', 403))
    request = metric_request(_key(server.site), sample=SAMPLE)
    assert send(http, request).status == 202
    with pytest.raises(ApiKeyError) as caught:
        send(http, request)
    assert caught.value.code == "api_key_refused"
    assert len(server.arrived) == 2
