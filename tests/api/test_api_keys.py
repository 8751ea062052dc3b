"""The one API key is asked for with a bearer token, shown once, and never printed whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders import ACCESS_TOKEN, API_KEY, US1, readable, response, tokens, with_locals
from support.loopback import Answer

from ddoauth_kit import Http, Secret, create_api_key, validate_api_key
from ddoauth_kit.api.api_keys import (
    api_key_request,
    read_api_key,
    read_validation,
    validation_request,
)
from ddoauth_kit.errors import AnswerError, ApiKeyError, DdoauthError
from ddoauth_kit.scopes import GrantedScopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    Serve = Callable[..., RecordingServer]

NAME = "[Acme Sensors] OAuth Client API Key 1"
CREATED = json.dumps(
    {
        "data": {
            "type": "api_keys",
            "id": "key-id",
            "attributes": {"key": API_KEY, "last4": "cdef", "name": NAME},
        }
    }
)
KEY = Secret(API_KEY, label="api_key", show_last_four=True)
EXISTS = '{"errors": ["An API key with this name already exists"]}'


@pytest.mark.checklist("C10")
def test_the_creating_request_has_a_bearer_and_no_body() -> None:
    """POST to the marketplace path of the API host; never repeated by itself."""
    request = api_key_request(tokens())
    assert request.method == "POST"
    assert request.url == "https://api.datadoghq.com/api/v2/api_keys/marketplace"
    assert dict(request.revealed_headers())["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert request.content() is None
    assert not request.repeatable


@pytest.mark.parametrize("status", [200, 201])
def test_a_created_key_is_read(status: int) -> None:
    """Key, id, name and site come out; what is printed has the last four alone."""
    key = read_api_key(response(status, CREATED), site=US1)
    assert (key.key.reveal(), key.key_id, key.name, key.site) == (API_KEY, "key-id", NAME, US1)
    assert "<api_key …cdef>" in repr(key)
    assert not readable(API_KEY, repr(key))


@pytest.mark.parametrize(
    ("status", "text", "error", "code"),
    [
        (409, EXISTS, ApiKeyError, "api_key_exists"),
        (403, '{"errors": ["Forbidden"]}', ApiKeyError, "api_key_scope_missing"),
        (401, '{"errors": ["Unauthorized"]}', ApiKeyError, "unauthorized"),
        (404, '{"errors": ["Not found"]}', ApiKeyError, "not_found"),
        (429, "", ApiKeyError, "rate_limited"),
        (400, "", ApiKeyError, "api_refused"),
        (500, "", AnswerError, "server_error"),
        (200, "<html>", AnswerError, "html_answer"),
        (201, "", AnswerError, "malformed_json"),
        (201, "[]", AnswerError, "unexpected_answer"),
        (201, "{}", AnswerError, "unexpected_answer"),
        (201, '{"data": []}', AnswerError, "unexpected_answer"),
        (201, '{"data": {"attributes": {}}}', AnswerError, "unexpected_answer"),
        (201, '{"data": {"attributes": {"key": null}}}', AnswerError, "unexpected_answer"),
        (201, '{"data": {"attributes": {"key": ""}}}', AnswerError, "unexpected_answer"),
    ],
)
def test_no_key_is_an_error(status: int, text: str, error: type[DdoauthError], code: str) -> None:
    """Each refusal has a code of its own; an answer without a key is no key."""
    with pytest.raises(DdoauthError) as caught:
        read_api_key(response(status, text), site=US1)
    assert (type(caught.value), caught.value.code) == (error, code)


def test_the_second_key_is_refused_with_a_way_out(http: Http, serve: Serve) -> None:
    """The message says what the server said and what the customer has to do."""
    server = serve(Answer(EXISTS, 409))
    with pytest.raises(ApiKeyError, match=r"already exists\. Next: use the key that was stored"):
        create_api_key(http, tokens=tokens(site=server.site))
    assert len(server.arrived) == 1


@pytest.mark.checklist("C14")
def test_a_grant_without_the_scope_sends_nothing(http: Http, serve: Serve) -> None:
    """What the grant does not hold is not tried."""
    server = serve()
    scopes = GrantedScopes(requested=("api_keys_write",), granted=("events_read",))
    with pytest.raises(ApiKeyError) as caught:
        create_api_key(http, tokens=tokens(site=server.site, scopes=scopes))
    assert caught.value.code == "api_key_scope_missing"
    assert server.arrived == []


@pytest.mark.checklist("C9")
def test_a_key_passes_through_without_a_trace(http: Http, serve: Serve) -> None:
    """Created and validated over the wire; the transcript has the answer's shape."""
    server = serve(Answer(CREATED, 201), Answer('{"valid": true}'))
    key = create_api_key(http, tokens=tokens(site=server.site))
    assert validate_api_key(http, key=key.key, site=key.site) is True
    created, validated = server.arrived
    assert (created.method, created.body) == ("POST", b"")
    assert (validated.method, validated.target) == ("GET", "/api/v1/validate")
    assert validated.headers["dd-api-key"] == API_KEY
    assert "authorization" not in validated.headers
    first, second = http.transcript
    assert '"key": "str"' in first.response_body
    assert second.request_headers == (("dd-api-key", "<api_key …cdef>"),)
    text = f"{http.transcript!r} {first.response_body} {second.request_headers}"
    assert not readable(API_KEY, text)


def test_a_validation_may_be_repeated() -> None:
    """It is a GET that changes nothing."""
    assert validation_request(KEY, site=US1).repeatable


@pytest.mark.parametrize(
    ("status", "text", "valid"),
    [
        (200, '{"valid": true}', True),
        (200, '{"valid": false}', False),
        (200, '{"valid": "true"}', False),
        (200, "{}", False),
        (403, '{"errors": ["Forbidden"]}', False),
    ],
)
def test_a_validation_is_yes_or_no(status: int, text: str, *, valid: bool) -> None:
    """Only a plain yes is a yes; 403 is how the server says no."""
    assert read_validation(response(status, text)) is valid


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [(401, "", "unauthorized"), (429, "", "rate_limited"), (500, "", "server_error")],
)
def test_no_clear_answer_is_an_error(status: int, text: str, code: str) -> None:
    """A server that cannot tell is not taken for a no."""
    with pytest.raises(DdoauthError) as caught:
        read_validation(response(status, text))
    assert caught.value.code == code


@pytest.mark.checklist("C9")
def test_a_half_read_key_is_not_told() -> None:
    """An answer that is cut inside the key names neither part of it."""
    with pytest.raises(AnswerError) as caught:
        read_api_key(response(201, CREATED[: CREATED.index("cdef")]), site=US1)
    assert API_KEY[:28] not in str(caught.value) + with_locals(caught.value)
