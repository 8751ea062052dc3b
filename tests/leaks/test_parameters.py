"""A parameter with a secret is refused at any depth, and a user can say that a value is none."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.leaks.parameters import PLAIN, plain_values, refuse_secret_parameters
from ddoauth_kit.secret import Secret

pytestmark = pytest.mark.checklist("N3")
HEX = "c0ffee00c0ffee11c0ffee22c0ffee33"
KNOWN = Secret("canary/known 4711", label="DD_API_KEY")
REFUSED: list[tuple[str, Any]] = [
    *(("A", HEX), ("A", HEX.upper()), ("A", HEX + "c0ffee44"), ("A", f"/{HEX}"), ("A", f"x-{HEX}")),
    *(("A", {"b": [{"c": HEX}]}), ("A", [[HEX]]), ("A", {HEX: 1}), ("A", json.dumps({"a": HEX}))),
    *(("A", "ddpat_" + "a1B2" * 8), ("A", "ddsat_" + "a1B2" * 8), ("A", "ddapp_" + "a1B2" * 8)),
    ("A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"),
    *(("A", "https://a.example/cb?code=canary-1&state=canary-2"), ("A", f"pub{HEX}")),
    *(("A", "https://user:canary-1@a.example"), ("A", "Bearer canary-token-1")),
    *(("DDOAUTH_REFRESH_TOKEN_US1", "plain"), ("DDOAUTH_GRANT_EU1", "plain"), ("DD_PAT", "plain")),
    *(
        ("ACCESS_TOKEN", "x"),
        ("accessToken", "plain"),
        ("my_password", "plain"),
        ("API_KEYS", ["a"]),
    ),
    *(("A", {"client_secret": "plain"}), ("A", [{"refreshToken": "plain"}]), ("TOKEN", 4711)),
    *(("A", b64encode(HEX.encode()).decode()), ("A", "a=1&client_secret=canary-1")),
    *(("A", KNOWN.reveal()), ("A", "canary%2Fknown%204711"), ("A", ["x", f"y{KNOWN.reveal()}"])),
    ("A", f"https://http-intake.logs.datadoghq.com/v1/input/{HEX}"),
]
TAKEN: list[tuple[str, Any]] = [
    *(("COMMIT", HEX + "c0ffee44"), ("GIT_SHA", HEX + "c0ffee44"), ("RUN_ID", HEX), ("md5", HEX)),
    *(("TRACE_ID", HEX), ("traceId", HEX), ("CHECKSUM", HEX), ("build_id", HEX), ("REV", HEX)),
    *(("PAGE_TOKEN", "abcdef123456"), ("MAX_TOKENS", 4096), ("MAX_TOKENS", "4096")),
    *(("TOKEN_URL", "https://a.example/token"), ("NEXT_TOKEN", "x1"), ("SITE", "us1")),
    *(
        ("CLIENT", f"/scratch/{HEX}/oauth_clients.json"),
        ("CLIENT", f"~/{HEX}/a"),
        ("OUT", f"./{HEX}/a"),
    ),
    *(("ACCESS_TOKEN", ""), ("WRITES", True), ("A", None), ("A", 1.5), ("A", "1" * 32)),
    *(("A", {"b": ["events_read"]}), ("A", "6dd8ed6c-0000-4000-8000-00000000c11e")),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_secrets_are_refused(name: str, value: Any) -> None:
    """By shape, by name and by value, in lists and in objects; the value is not repeated."""
    with pytest.raises(InputError) as caught:
        refuse_secret_parameters({"SITE": "us1", name: value}, secrets=[KNOWN], environ={})
    assert caught.value.code == "secret_parameter"
    assert not [word for word in (HEX, HEX.upper(), "canary") if word in str(caught.value)]


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_others_are_taken(name: str, value: Any) -> None:
    """Commits, ids of runs, counts, cursors, paths and empty values are parameters."""
    refuse_secret_parameters({name: value}, secrets=[KNOWN], environ={})


@pytest.mark.parametrize("declared", ["A", "B,A", "B A"])
def test_a_user_can_say_that_a_value_is_none(declared: str) -> None:
    """A variable names parameters without secrets; a known secret is refused nevertheless."""
    environ = {PLAIN: declared}
    refuse_secret_parameters({"A": HEX}, environ=environ)
    assert plain_values({"A": HEX, "C": HEX}, environ=environ) == {HEX}
    known = Secret(HEX, label="DD_API_KEY")
    with pytest.raises(InputError):
        refuse_secret_parameters({"A": HEX}, secrets=[known], environ=environ)
