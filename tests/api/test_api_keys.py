"""The only API key is requested with a bearer token, shown once, and never printed in full."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import ACCESS_TOKEN, API_KEY, US1, readable, response, tokens, with_locals
from support.loopback import Answer
from support.scene import Scene

from ddoauth_kit import FileStore, Http, Secret, create_api_key, ensure_api_key, validate_api_key
from ddoauth_kit.api.api_keys import (
    api_key_request,
    api_key_slot,
    key_owner_request,
    read_api_key,
    read_key_owner,
    read_validation,
    validation_request,
)
from ddoauth_kit.errors import AnswerError, ApiKeyError, DdoauthError
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.sandbox.testing import KEY_PATH
from ddoauth_kit.scopes import GrantedScopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    """Each refusal has its own code; a response without a key does not count as a key."""
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
    """A scope that the grant lacks is not tried."""
    server = serve()
    scopes = GrantedScopes(requested=("api_keys_write",), granted=("events_read",))
    with pytest.raises(ApiKeyError) as caught:
        create_api_key(http, tokens=tokens(site=server.site, scopes=scopes))
    assert caught.value.code == "api_key_scope_missing"
    assert server.arrived == []


@pytest.mark.checklist("C9")
def test_a_key_passes_through_without_a_trace(http: Http, serve: Serve) -> None:
    """A key is created and validated over the wire; the transcript has the response's shape."""
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
    """A response that is cut off inside the key reveals neither part of it."""
    with pytest.raises(AnswerError) as caught:
        read_api_key(response(201, CREATED[: CREATED.index("cdef")]), site=US1)
    assert API_KEY[:28] not in str(caught.value) + with_locals(caught.value)


@pytest.fixture
def scene(http: Http) -> Iterator[Scene]:
    """Put a client before a sandbox."""
    with Sandbox() as sandbox:
        yield Scene(sandbox, http)


def _made(scene: Scene) -> int:
    return sum(entry.path == KEY_PATH for entry in scene.sandbox.journal)


@pytest.mark.checklist("C10")
def test_the_kept_key_is_returned_when_a_customer_connects_again(
    scene: Scene, tmp_path: Path
) -> None:
    """The second connection, and a third after a restart, get the key of the first."""
    store = FileStore(tmp_path / "kept")
    first = ensure_api_key(scene.http, tokens=scene.tokens(), store=store)
    again = ensure_api_key(scene.http, tokens=scene.tokens(), store=store)
    later = ensure_api_key(scene.http, tokens=scene.tokens(), store=FileStore(tmp_path / "kept"))
    assert first.key == again.key == later.key
    assert first.key_id == again.key_id
    assert _made(scene) == 1


def test_a_revoked_key_is_made_anew(scene: Scene, tmp_path: Path) -> None:
    """If the customer revoked the key, it is deleted, and a new one is created and stored."""
    store, tokens = FileStore(tmp_path / "kept"), scene.tokens()
    old = ensure_api_key(scene.http, tokens=tokens, store=store)
    scene.sandbox.revoke_api_key(old.key_id)
    new = ensure_api_key(scene.http, tokens=tokens, store=store)
    assert new.key != old.key
    assert store.get(api_key_slot(tokens)) == new.key
    assert len(store.slots()) == 1


def test_a_key_of_another_organization_is_not_returned(scene: Scene, tmp_path: Path) -> None:
    """A slot with another organization's key gets a new key, and the other one is kept as well."""
    store, tokens = FileStore(tmp_path / "kept"), scene.tokens()
    slot = api_key_slot(tokens)
    first = ensure_api_key(scene.http, tokens=tokens, store=store)
    other = next(org for org in scene.sandbox.orgs["us1"] if org.id != tokens.dd_oid)
    elsewhere = replace(tokens, dd_oid=other.id)
    with pytest.raises(ApiKeyError) as caught:  # the token is still of the first organization
        ensure_api_key(scene.http, tokens=elsewhere, store=store, slot=slot)
    assert caught.value.code == "api_key_exists"
    assert store.get(slot) == first.key
    assert store.slots() == (slot,)


def test_workers_at_once_make_one_key(scene: Scene, tmp_path: Path) -> None:
    """Eight workers with their own stores ask at once: one request, and the same key for all."""
    tokens = scene.tokens()
    stores = [FileStore(tmp_path / "kept") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(
            pool.map(lambda s: ensure_api_key(scene.http, tokens=tokens, store=s).key, stores)
        )
    assert len(set(keys)) == 1
    assert _made(scene) == 1


def test_a_key_that_is_lost_is_named(scene: Scene, tmp_path: Path) -> None:
    """A key that was created but is not stored here can't be retrieved."""
    create_api_key(scene.http, tokens=scene.tokens())
    with pytest.raises(ApiKeyError) as caught:
        ensure_api_key(scene.http, tokens=scene.tokens(), store=FileStore(tmp_path / "kept"))
    assert caught.value.code == "api_key_exists"


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (500, "{}", "server_error"),
        (200, "[]", "unexpected_answer"),
        (200, '{"data": []}', "unexpected_answer"),
        (429, "{}", "rate_limited"),
    ],
)
def test_no_clear_answer_about_the_owner_is_an_error(status: int, text: str, code: str) -> None:
    """Only 403 means no; a stored key is not deleted because a server fails."""
    with pytest.raises(DdoauthError) as caught:
        read_key_owner(response(status, text))
    assert caught.value.code == code
    assert key_owner_request(KEY, site=US1).url == "https://api.datadoghq.com/api/v2/validate"
    assert read_key_owner(response(403)) is None
