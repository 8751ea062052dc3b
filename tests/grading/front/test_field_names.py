"""Field names are shown, values never."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddoauth_kit.grading.front.field_names import (
    HIDDEN,
    body_fields,
    credential_headers,
    query_fields,
    shown_path,
)

FORM = "application/x-www-form-urlencoded"
PARTS = (
    '--b\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\nv4lue\r\n'
    '--b\r\nContent-Disposition: form-data; name="file"; filename="v4lue.txt"\r\n\r\nx\r\n--b--'
)


@pytest.mark.parametrize(
    ("body", "kind", "names"),
    [
        ("a=v4lue&b=v4lue", FORM, ("a", "b")),
        ("client%5Fid=v4lue", FORM, ("client_id",)),
        ("v4lue", FORM, ()),
        (
            '{"data": {"id": "v4lue", "keys": [{"name": 1}]}}',
            "application/json",
            ("data", "data.id", "data.keys", "data.keys.name"),
        ),
        ('{"a": "v4lue"}', "text/plain", ("a",)),
        ('["v4lue"]', "application/vnd.api+json", ()),
        ("{broken", "application/json", ()),
        (PARTS, "multipart/form-data; boundary=b", ("client_secret", "file")),
        ("", "", ()),
    ],
)
def test_names_of_a_body(body: str, kind: str, names: tuple[str, ...]) -> None:
    """Forms, JSON and parts of forms each give their names."""
    assert body_fields(body.encode(), kind) == names


@pytest.mark.parametrize(
    "secret", ["0123456789abcdef0123456789abcdef", "sandbox-secret with blanks", "sëcret"]
)
def test_a_secret_in_the_place_of_a_name_is_hidden(secret: str) -> None:
    """A program that mixes name and value up does not leak the value."""
    assert body_fields(f"{secret}=1".encode(), FORM) == (HIDDEN,)
    assert body_fields(json.dumps({secret: 1}).encode(), "application/json") == (HIDDEN,)
    assert query_fields(f"/x?{secret}") == ()
    assert secret not in shown_path("/v1/input/0123456789abcdef0123456789abcdef?a=b")


@given(st.dictionaries(st.text(max_size=10), st.integers(10**30, 10**31), max_size=5))
def test_values_never_show(fields: dict[str, int]) -> None:
    """Whatever the names are, the result contains no values."""
    told = body_fields(json.dumps({"x": fields}).encode(), "application/json")
    assert not [name for name in told for value in fields.values() if str(value) in name]


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_json_has_an_end(deep: str) -> None:
    """A body that nests without end names nothing, and nothing breaks."""
    assert body_fields(deep.encode(), "application/json") == ()


def test_headers_with_credentials() -> None:
    """The usual ones are named, in lower case and sorted."""
    names = [b"DD-API-KEY", b"Accept", b"Authorization"]
    assert credential_headers(names) == ("authorization", "dd-api-key")
