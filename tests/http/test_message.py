"""Requests show placeholders and send values."""

from __future__ import annotations

import dataclasses
import json

import pytest
from support.builders import ACCESS_TOKEN, API_KEY, CLIENT_SECRET, US1, local_site, request, shown

from ddoauth_kit import Secret
from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.message import Response
from ddoauth_kit.http.record import Record

TOKEN = Secret(ACCESS_TOKEN, label="access_token")
SECRET = Secret(CLIENT_SECRET, label="client_secret")


def test_url_and_shown_url_differ_in_host_and_secrets() -> None:
    """Printed messages name Datadog's host even if a test server responds."""
    asked = request(
        dataclasses.replace(US1, endpoints=local_site("http://127.0.0.1:9").endpoints),
        query=(("q", "a b&c"), ("token", TOKEN)),
    )
    assert asked.url == f"http://127.0.0.1:9/api/v2/current_user?q=a+b%26c&token={ACCESS_TOKEN}"
    assert asked.shown_url == (
        "https://api.datadoghq.com/api/v2/current_user?q=a+b%26c&token=<access_token>"
    )


def test_form_is_encoded_for_sending_and_listed_for_showing() -> None:
    """Reserved characters in a secret are preserved; the shown form has one field per line."""
    asked = request(US1, form=(("grant_type", "x y"), ("client_secret", SECRET)))
    assert asked.content_type == "application/x-www-form-urlencoded"
    assert asked.content() == b"grant_type=x+y&client_secret=canary-client-secret%2F%2B%3D%26"
    assert asked.shown_body() == "grant_type=x y\nclient_secret=<client_secret>"


def test_an_empty_form_is_still_a_form() -> None:
    """A form without fields has a content type, no body has none."""
    assert request(US1, form=()).content_type == "application/x-www-form-urlencoded"
    assert request(US1, form=()).content() == b""
    assert request(US1).content_type == ""
    assert request(US1).content() is None
    assert request(US1).shown_body() == ""


def test_body_is_json() -> None:
    """A body is sent compact or not, but as JSON; shown, it is indented."""
    asked = request(US1, body={"a": [1]})
    assert asked.content_type == "application/json"
    assert json.loads(asked.content() or b"") == {"a": [1]}
    assert asked.shown_body() == '{\n  "a": [\n    1\n  ]\n}'


@pytest.mark.checklist("C10")
def test_a_token_goes_as_bearer() -> None:
    """`authorization` is the one header that gets a scheme; a key header is bare."""
    asked = request(US1, headers=(("authorization", TOKEN), ("dd-api-key", API_KEY)))
    assert asked.revealed_headers() == [
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("authorization", f"Bearer {ACCESS_TOKEN}"),
        ("dd-api-key", API_KEY),
    ]
    assert asked.shown_headers()[0] == ("authorization", "Bearer <access_token>")


def test_secrets_of_a_request_are_known() -> None:
    """The code that masks a response receives every secret that was sent."""
    asked = request(
        US1,
        query=(("a", "b"),),
        headers=(("authorization", TOKEN),),
        form=(("client_secret", SECRET),),
    )
    assert asked.secrets == (TOKEN, SECRET)
    assert request(US1).secrets == ()


def test_a_response_repr_holds_no_text() -> None:
    """The raw text and headers of an answer are for readers, not for reprs."""
    answer = Response(
        200,
        {"set-cookie": "canary"},
        "canary",
        Record(Exchange("x", "GET", "https://api.datadoghq.com/", 200)),
    )
    assert repr(answer) == "Response(status=200)"


@pytest.mark.checklist("C9")
def test_a_request_shows_no_secret() -> None:
    """No repr and no list of a request's fields reveals a credential."""
    asked = request(
        US1,
        query=(("token", TOKEN),),
        headers=(("authorization", TOKEN),),
        form=(("client_secret", SECRET),),
    )
    text = shown([asked, dataclasses.asdict(asked), asked.shown_url, asked.shown_headers()])
    assert "<access_token>" in text
    assert "canary" not in text


def test_a_secret_in_a_json_body() -> None:
    """At any depth it is sent whole, shown as a placeholder, and known for masking."""
    secret = Secret(CLIENT_SECRET, label="client_secret")
    asked = request(US1, method="POST", body={"a": [{"b": secret}], "c": 1})
    assert json.loads(asked.content() or b"") == {"a": [{"b": CLIENT_SECRET}], "c": 1}
    assert json.loads(asked.shown_body()) == {"a": [{"b": "<client_secret>"}], "c": 1}
    assert asked.secrets == (secret,)
    assert CLIENT_SECRET not in shown([asked])
