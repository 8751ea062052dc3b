"""A server that repeats secrets in place of words can't get them onto a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders import (
    ACCESS_TOKEN,
    API_KEY,
    CLIENT_SECRET,
    NOW,
    readable,
    registration,
    tokens,
)
from support.loopback import Answer

from ddoauth_kit import create_api_key
from ddoauth_kit.api.telemetry import Telemetry
from ddoauth_kit.oauth.tokens import read_refresh_response, refresh_request
from ddoauth_kit.workbook.lab.samples import read_samples
from ddoauth_kit.workbook.show.cards import as_html, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit import Http

    Serve = Callable[..., RecordingServer]

pytestmark = pytest.mark.checklist("C9")


def test_secrets_in_the_scope(http: Http, serve: Serve) -> None:
    """The client secret and the new token, echoed as a scope, show as placeholders."""
    new = "canary-new-access-token"
    body = {"access_token": new, "scope": f"events_read {CLIENT_SECRET} {new}"}
    grant = tokens(site=serve(Answer(json.dumps(body))).site)
    response = http.send(refresh_request(registration(), tokens=grant))
    read = read_refresh_response(response, tokens=grant, now=NOW)
    text = as_text(read) + as_html(read) + repr(read) + repr(list(http.transcript))
    text += response.exchange.response_body
    assert read.access_token.reveal() == new
    assert "events_read" in read.scopes
    assert not [secret for secret in (CLIENT_SECRET, new) if readable(secret, text)]


def test_an_answer_longer_than_its_record(http: Http, serve: Serve) -> None:
    """A token response is read in full even if its record is cut; an echoed token stays masked."""
    new = "canary-new-access-token"
    body = {"access_token": new, "scope": f"events_read {new}", "padding": "x" * 70_000}
    grant = tokens(site=serve(Answer(json.dumps(body))).site)
    response = http.send(refresh_request(registration(), tokens=grant))
    read = read_refresh_response(response, tokens=grant, now=NOW)
    assert read.access_token.reveal() == new
    assert "events_read" in read.scopes
    assert not readable(new, f"{read!r} {read.scopes} {response.exchange.response_body}")


def test_secrets_in_the_name_of_a_key(http: Http, serve: Serve) -> None:
    """The bearer and the key itself, echoed as the key's name, show as placeholders."""
    attributes = {"key": API_KEY, "name": f"named {ACCESS_TOKEN} {API_KEY}"}
    body = {"data": {"id": ACCESS_TOKEN, "attributes": attributes}}
    grant = tokens(site=serve(Answer(json.dumps(body), 201)).site)
    api_key = create_api_key(http, tokens=grant)
    text = as_text(api_key) + repr(api_key)
    assert api_key.key.reveal() == API_KEY
    assert not [secret for secret in (ACCESS_TOKEN, API_KEY) if readable(secret, text)]


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ({"title": f"canary {ACCESS_TOKEN}"}, "canary <access_token>"),
        ({"text": "no title"}, "not as documented"),
        ({"title": None}, "None"),
    ],
)
def test_secrets_in_the_data(
    event: dict[str, str | None], value: str, http: Http, serve: Serve
) -> None:
    """Data that is read back is shown without the bearer token, and odd data causes no crash."""
    server = serve(Answer(json.dumps({"events": [event]})))
    sample = Telemetry(name="a", value=1.0, at=0, source="b")
    table = read_samples(
        http, tokens=tokens(site=server.site), sample=sample, sleep=lambda _: None, tries=1
    )
    row = table.frame.set_index("data").loc["event"]
    assert row["value"] == value
    assert ACCESS_TOKEN not in repr(table)
