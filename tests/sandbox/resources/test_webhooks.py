"""Webhooks live under their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v1/integration/webhooks/configuration/webhooks"
GOOD = {"name": "a", "url": "https://example.com/a"}


def test_webhook_is_completed(ask: Ask) -> None:
    """Fields that the body omits get Datadog's defaults."""
    answer = ask("POST", PATH, GOOD)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["encode_as"], made["custom_headers"]) == ("json", None)
    assert "$EVENT_MSG" in made["payload"]
    assert ask("GET", f"{PATH}/a").json() == made


def test_names_are_unique(ask: Ask) -> None:
    """A taken name is refused when making and when renaming; a new name is found."""
    assert ask("POST", PATH, GOOD).status_code == 201
    assert ask("POST", PATH, GOOD).status_code == 400
    assert ask("PUT", f"{PATH}/a", {"name": "sandbox-webhook"}).status_code == 400
    assert ask("PUT", f"{PATH}/a", {"name": "a"}).status_code == 200
    assert ask("PUT", f"{PATH}/a", {"name": "b"}).json()["name"] == "b"
    assert ask("GET", f"{PATH}/a").status_code == 404
    assert ask("GET", f"{PATH}/b").status_code == 200


@pytest.mark.behaviour("webhook-unknown")
def test_deleted_is_gone(ask: Ask) -> None:
    """Deleting returns an empty object, but only once."""
    gone = ask("DELETE", f"{PATH}/sandbox-webhook")
    assert (gone.status_code, gone.json()) == (200, {})
    for method in ("DELETE", "GET"):
        again = ask(method, f"{PATH}/sandbox-webhook")
        assert (again.status_code, again.json()) == (404, {"errors": ["Webhook does not exist"]})


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a/b"},
        {"name": "a b"},
        {"name": "a" * 201},
        {"name": "\u00e4"},
        {"name": None},
        {"url": "ftp://example.com"},
        {"url": "example.com"},
        {"url": 5},
        {"encode_as": "xml"},
    ],
)
def test_bad_webhooks(ask: Ask, change: dict[str, Any]) -> None:
    """A name that can't be in a path, or an invalid address, is refused."""
    assert ask("POST", PATH, {**GOOD, **change}).status_code == 400
