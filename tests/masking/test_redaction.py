"""Stored or shown text contains no secret, however it got there."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus, urlencode

import pytest
from support.builders import API_KEY, readable

from ddoauth_kit import Secret
from ddoauth_kit.masking.redaction import outline, redact, redact_body

# Each way of encoding writes something of this differently.
AWKWARD = 'canary/a "b"+<c>&\N{LATIN SMALL LETTER E WITH ACUTE} canary'
KNOWN = (Secret(AWKWARD, label="client_secret"),)
TOKENS = {"access_token": "canary-access-9f8e7d", "refresh_token": 'canary-"refresh-6c5b4a'}


@pytest.mark.checklist("C9")
@pytest.mark.parametrize(
    "encode",
    [
        str,
        quote,
        quote_plus,
        html.escape,
        json.dumps,
        lambda s: quote(s, safe=""),
        lambda s: quote(s, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
        lambda s: s.encode().hex(),
        lambda s: b64encode(s.encode()).decode(),
        lambda s: b64encode(f"an-id:{s}".encode()).decode(),
        lambda s: urlsafe_b64encode(f"id:{s}:more".encode()).decode(),
        lambda s: json.dumps(s).replace("/", "\\/"),
    ],
)
def test_a_known_secret_is_masked_in_each_encoding(encode: type[str]) -> None:
    """A server that repeats the request, in whatever form, is not quoted."""
    text = redact(f"you sent {encode(AWKWARD)}.", secrets=KNOWN)
    assert "<client_secret>" in text
    assert not readable(AWKWARD, text)


def test_trivial_secrets_do_not_garble_the_text() -> None:
    """A value of under four characters is not searched for."""
    assert redact("a b c", secrets=[Secret("a", label="x"), Secret("", label="y")]) == "a b c"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key {API_KEY} ok", "key <api_key …cdef> ok"),
        ("app " + "0123456789" * 4, "app <application_key>"),
        ("sandbox-key-0123456789abcdef0123", "<api_key …0123>"),
        ("sandbox-secret-aB_9-z then", "<sandbox_secret> then"),
        ("code=sandbox-code-x1&b=2", "code=<sandbox_code>&b=2"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer <credential>"),
        ("authorization: basic QWxhZGRpbjpvcGVu", "authorization: basic <credential>"),
        ("Bearer <access_token>", "Bearer <access_token>"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, masked: str) -> None:
    """Keys, bearer credentials and what the sandbox mints are known by their shape."""
    assert redact(text) == masked
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "text",
    ["6dd8ed6c-0000-4000-8000-00000000c11e", "1" * 32, "a" * 64, "Bearer token", "key: env"],
)
def test_what_is_no_credential_stays(text: str) -> None:
    """Client ids, longer hashes and ordinary words can still be read."""
    assert redact(text) == text


def test_secret_fields_of_json_are_masked_at_any_depth() -> None:
    """A token response keeps its structure, and shows which field contained what."""
    body = json.dumps({"data": [{"attributes": {"key": API_KEY}}], "scope": "é", **TOKENS})
    assert json.loads(redact_body(body)) == {
        "data": [{"attributes": {"key": "<api_key …cdef>"}}],
        "scope": "é",
        "access_token": "<access_token>",
        "refresh_token": "<refresh_token>",
    }


def test_an_ordinary_key_field_stays() -> None:
    """`key` is masked only if it is long enough to be an API key, because tags also have keys."""
    assert redact_body('{"key": "env"}') == '{"key": "env"}'
    assert "canary" not in redact_body(json.dumps({"key": "canary-" * 8}))


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_torn_json_is_masked(cut: int) -> None:
    """A truncated response is masked up to its last character."""
    body = json.dumps(TOKENS)[:-cut]
    assert not any(readable(token, redact_body(body)) for token in TOKENS.values())
    assert "refresh-6" not in redact_body(body)


def test_form_encoded_answers_are_masked() -> None:
    """Some servers return tokens as a form; its fields are also masked by name."""
    masked = redact_body(urlencode({**TOKENS, "expires_in": "3600"}))
    assert masked == "access_token=<access_token>&refresh_token=<refresh_token>&expires_in=3600"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000])
def test_hostile_json_is_text(text: str) -> None:
    """A body that crashes a parser is kept unchanged and does not end the program."""
    assert redact_body(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"accessToken": "canary-1"}',
        '{"access_token": {"value": "canary-1"}}',
        '{"refresh-token": ["canary-1"]}',
        '{"note": "access_token=canary-1"}',
        "{'access_token': 'canary-1'}",
        '{"access_token": "canary-1',
    ],
)
def test_tokens_in_odd_shapes_are_masked(text: str) -> None:
    """A token is masked by its field's name, however the name and the value are written."""
    assert "canary" not in redact_body(text)


def test_half_a_character_can_be_printed() -> None:
    """Half of a surrogate pair in a response does not break code that prints the record."""
    redact_body('{"errors": ["\\ud800"]}').encode()


def test_an_outline_holds_names_and_counts() -> None:
    """The structure of a response is kept without any of its values."""
    text = '{"data": [{"name": "Ann", "age": 3}, {}], "none": [], "ok": true}'
    assert json.loads(outline(text)) == {
        "data": ["2 items", {"name": "str", "age": "int"}],
        "none": ["0 items"],
        "ok": "bool",
    }
    assert outline("<html>") == "(6 characters)"


def test_an_outline_holds_no_keys_that_are_values() -> None:
    """A host or a tag that became a key is counted, at any depth."""
    text = '{"counts": {"db-1.customer.example": 3, "team:secret": 1, "total": 4}}'
    assert json.loads(outline(text)) == {"counts": {"total": "int", "…": "2 more"}}


@pytest.mark.parametrize("length", [399, 400, 401, 1_000, 20_000])
def test_a_known_value_may_have_any_length(length: int) -> None:
    """The record of a grant with all scopes is a known value, too, and is found as written."""
    value = ("é1" * length)[:length]
    known = (Secret(value, label="grant"),)
    assert redact(f"before {value} after", secrets=known) == "before <grant> after"
