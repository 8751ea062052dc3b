"""Any input from a network or a file is read, or refused with one of the kit's errors."""

from __future__ import annotations

import json
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st
from support.builders import (
    ACCESS_TOKEN,
    NOW,
    REFRESH_TOKEN,
    US1,
    registration,
    request,
    response,
    tokens,
)

from ddoauth_kit import Secret, registration_from_file
from ddoauth_kit.api.api_keys import read_api_key, read_validation
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.answers import (
    error_texts,
    oauth_error,
    read_json,
    read_object,
    seconds_to_wait,
)
from ddoauth_kit.http.policy import recorded
from ddoauth_kit.masking.redaction import issued_secrets, outline, redact_body
from ddoauth_kit.oauth.authorization_request import authorization_request
from ddoauth_kit.oauth.authorization_response import read_authorization_response
from ddoauth_kit.oauth.redirect import read_redirect
from ddoauth_kit.oauth.tokens import (
    read_refresh_response,
    read_revocation_response,
    read_token_response,
)
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.store import FileStore, Slot
from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRETS = (ACCESS_TOKEN, REFRESH_TOKEN)
NAMES = st.sampled_from(
    [
        "access_token",
        "refresh_token",
        "expires_in",
        "scope",
        "data",
        "attributes",
        "key",
        "id",
        "errors",
        "error",
        "title",
        "detail",
        "error_description",
        "valid",
        "integration",
        "name",
        "redirect_uris",
        "scopes",
        "onboarding_url",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*SECRETS, "1e999", "9" * 400, "\ud800", "invalid_grant - x"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=6)
    ),
    max_leaves=25,
)
JSON = TREES.map(json.dumps)
TORN = st.tuples(JSON, st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]])
BODIES = st.one_of(
    JSON,
    TORN,
    st.text(),
    st.sampled_from(["", "<html>", "[" * 20_000, '{"a":' * 20_000, "0" * 5000, "NaN", "\ufeff{}"]),
)
STATUSES = st.sampled_from([200, 201, 202, 204, 301, 400, 401, 403, 404, 409, 429, 500, 502, 503])
HEADERS = st.dictionaries(
    st.sampled_from(["x-ratelimit-reset", "retry-after", "content-type"]),
    st.text(max_size=8) | st.sampled_from(["nan", "inf", "-1", "1e400", "3"]),
)
READERS: dict[str, Callable[[Any], object]] = {
    "token": lambda answer: read_token_response(
        answer, site=US1, client_id="acme", requested=("events_read",), now=NOW
    ),
    "refresh": lambda answer: read_refresh_response(answer, tokens=tokens(), now=NOW),
    "revocation": read_revocation_response,
    "api key": lambda answer: read_api_key(answer, site=US1),
    "validation": read_validation,
    "refusal": refuse_failure,
    "json": read_json,
    "object": read_object,
    "texts": error_texts,
    "oauth error": oauth_error,
    "wait": seconds_to_wait,
}
CARRIED = (
    ("authorization", Secret(ACCESS_TOKEN, label="access_token")),
    ("dd-api-key", Secret(REFRESH_TOKEN, label="api_key")),
)
COUNTS = pytest.mark.parametrize("count", [100, pytest.param(3000, marks=pytest.mark.soak)])


def _survives(read: Callable[[], object]) -> None:
    """Expect a value, or an error of the kit that can be shown without a secret."""
    text = ""
    try:
        read()
    except DdoauthError as error:
        text = f"{error} {error!r} {error.said} {error.exchange and error.exchange.response_body}"
    assert not [secret for secret in SECRETS if secret in text]


@COUNTS
def test_answers(count: int) -> None:
    """Every reader of a response accepts any body, status and header."""

    @settings(max_examples=count)
    @generated(STATUSES, BODIES, HEADERS)
    def read_once(status: int, body: str, headers: dict[str, str]) -> None:
        body = body.encode("utf-8", "replace").decode()
        answer = recorded(
            request(US1, headers=CARRIED),
            status=status,
            headers=headers,
            text=body,
            seconds=0.0,
            keep_answers=True,
        )
        for read in READERS.values():
            _survives(partial(read, answer))

    read_once()


@COUNTS
@pytest.mark.checklist("C9")
def test_records(count: int) -> None:
    """Masking accepts any text, and leaves no field that is known to be secret."""

    @settings(max_examples=count)
    @generated(BODIES)
    def mask_once(body: str) -> None:
        issued = issued_secrets(body)
        masked = redact_body(body, secrets=issued)
        for secret in issued:
            assert len(secret.reveal()) < 16 or secret.reveal() not in masked
        outline(body)
        response(200, body)

    mask_once()


@COUNTS
@pytest.mark.checklist("C1")
def test_redirects(count: int) -> None:
    """Every text can be given as a redirect."""
    attempt = authorization_request(registration())
    texts = st.text() | st.text().map(f"{attempt.redirect_uri}?state=".__add__) | BODIES

    @settings(max_examples=count)
    @generated(texts)
    def read_once(text: str) -> None:
        _survives(lambda: read_redirect(text).refuse_fault())
        _survives(
            lambda: read_authorization_response(text, request=attempt, registration=registration())
        )

    read_once()


@COUNTS
def test_client_files(tmp_path: Path, count: int) -> None:
    """Every file can be named as a client file."""
    path = tmp_path / "oauth_clients.json"
    wrapped = TREES.map(lambda tree: json.dumps({"integration": tree}))

    @settings(max_examples=count)
    @generated(st.binary() | (wrapped | BODIES).map(lambda text: text.encode("utf-8", "replace")))
    def read_once(content: bytes) -> None:
        path.write_bytes(content)
        _survives(lambda: registration_from_file(path))

    read_once()


@COUNTS
@pytest.mark.checklist("N4")
def test_files_of_the_store(tmp_path: Path, count: int) -> None:
    """Any file can be in the store's folder, under any name."""
    store, slot = FileStore(tmp_path / "kept"), Slot("api_key", "us1", "acme")
    path = tmp_path / "kept" / "api_key,us1,acme.json"
    wrapped = TREES.map(lambda tree: json.dumps({"slot": slot.name, "secret": tree}))

    @settings(max_examples=count)
    @generated(st.binary() | (wrapped | BODIES).map(lambda text: text.encode("utf-8", "replace")))
    def read_once(content: bytes) -> None:
        path.write_bytes(content)
        path.chmod(0o600)
        _survives(lambda: store.get(slot))
        assert store.slots() == (slot,)

    read_once()


@COUNTS
def test_pages(count: int) -> None:
    """Any text can be a page from any server that the browser reaches."""
    tags = st.lists(
        st.sampled_from(["<form", " action=", "<input name=", '"', ">", "x", "</form>"])
    )

    @settings(max_examples=count)
    @generated(st.text() | tags.map("".join))
    def read_once(text: str) -> None:
        page = BrowserPage(200, "", text)
        _ = page.text, page.forms

    read_once()


@COUNTS
@pytest.mark.checklist("S9")
def test_the_sandbox_answers_every_request(count: int) -> None:
    """Whatever bytes arrive, the sandbox reports no bug and continues to serve."""
    paths = st.sampled_from(
        [
            "/",
            "/us1/app/oauth2/v1/authorize",
            "/us1/api/api/v2/oauth2/token",
            "/us1/api/api/v2/series",
            "/mars/x",
            "/us1/api/api/v2/api_keys/marketplace",
            "/us1/logs/api/v2/logs",
            "/us1/app/",
        ]
    )
    lines = st.tuples(
        st.sampled_from([b"GET", b"POST", b"PUT", b"\xff"]),
        paths.map(str.encode),
        st.binary(max_size=40),
        st.binary(max_size=60) | BODIES.map(lambda text: text.encode("utf-8", "replace")[:3000]),
        st.sampled_from([b"application/json", b"application/x-www-form-urlencoded", b"x/y"]),
    )

    @settings(max_examples=count)
    @generated(lines)
    def ask_once(line: tuple[bytes, ...]) -> None:
        method, path, query, body, kind = line
        query = query.replace(b"\r", b"").replace(b"\n", b"").replace(b" ", b"+")
        head = b"%s %s?%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\n"
        raw = head % (method, path, query, port, kind)
        raw += b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(raw)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 ")
        assert b"The sandbox has a bug" not in answer

    with Sandbox() as sandbox:
        port = int(sandbox.base_url.rpartition(":")[2])
        ask_once()
