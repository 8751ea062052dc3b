"""A recorded exchange reads as it went over the wire, with nothing in it that a browser runs."""

from __future__ import annotations

from dataclasses import replace

from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.record import Record
from ddoauth_kit.http.transcript import Transcript
from ddoauth_kit.workbook.show.wire import transcript_html, wire_html, wire_text

FORM = Exchange(
    purpose="token exchange",
    method="POST",
    url="https://api.datadoghq.com/api/v2/oauth2/token",
    status=200,
    request_body="grant_type=refresh_token\nclient_secret=<client_secret>",
    request_type="application/x-www-form-urlencoded",
    response_headers=(("content-type", "application/json"),),
    response_body='{"access_token": "<access_token>", "name": "Zoë"}',
)
JSON = replace(FORM, request_body='{\n  "title": "up"\n}', request_type="application/json")
QUERY = Exchange(
    purpose="metric query",
    method="GET",
    url="https://api.datadoghq.eu/api/v1/query?from=0&query=avg:a{*}",
    status=502,
    request_headers=(("authorization", "Bearer <access_token>"),),
    response_body="<html>Bad <b>gateway</b></html>",
)


def test_a_form() -> None:
    """Request line, host, content type, one field a line; then status, headers, indented JSON."""
    assert wire_text(FORM).splitlines() == [
        "POST /api/v2/oauth2/token",
        "host: api.datadoghq.com",
        "content-type: application/x-www-form-urlencoded",
        "",
        "grant_type=refresh_token",
        "client_secret=<client_secret>",
        "",
        "200",
        "content-type: application/json",
        "",
        "{",
        '  "access_token": "<access_token>",',
        '  "name": "Zoë"',
        "}",
    ]


def test_a_json_body() -> None:
    """A JSON request keeps its indented body under its own content type."""
    request, _, _ = wire_text(JSON).partition("\n\n200")
    assert request.endswith('content-type: application/json\n\n{\n  "title": "up"\n}')


def test_a_query_without_a_body() -> None:
    """A GET shows its query and headers, but no content type; a non-JSON response is unchanged."""
    assert wire_text(QUERY).splitlines() == [
        "GET /api/v1/query?from=0&query=avg:a{*}",
        "host: api.datadoghq.eu",
        "authorization: Bearer <access_token>",
        "",
        "502",
        "",
        "<html>Bad <b>gateway</b></html>",
    ]


def test_an_empty_answer() -> None:
    """A response without a body ends with its status, without a blank line after it."""
    assert wire_text(replace(QUERY, status=200, response_body="")).endswith("\n\n200")


def test_html_is_escaped() -> None:
    """Placeholders and server text appear on the page as text, never as tags."""
    shown = wire_html(QUERY)
    assert shown.startswith("<pre")
    assert shown.count("<") == 2
    assert "Bearer &lt;access_token&gt;" in shown
    assert "&lt;b&gt;gateway&lt;/b&gt;" in shown


def test_a_transcript_is_a_table() -> None:
    """A purpose and an address with markup in them are text."""
    transcript = Transcript()
    transcript.add(Record(replace(QUERY, purpose="<b>probe</b>", url="https://a.example/?b=<c>")))
    shown = transcript_html(transcript)
    assert "<code>https://a.example/?b=&lt;c&gt;</code>" in shown
    assert "<b>probe" not in shown
