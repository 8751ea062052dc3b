"""Synthetic tests pause and run, and are deleted by a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v1/synthetics/tests"
GOOD: dict[str, Any] = {
    "name": "a",
    "type": "api",
    "config": {"request": {"method": "GET", "url": "https://example.com"}},
    "locations": ["aws:eu-central-1"],
    "message": "",
    "options": {"tick_every": 60},
}


def test_both_addresses_show_a_test(ask: Ask) -> None:
    """A new test runs, has a public id, and is the same at both addresses."""
    made = ask("POST", f"{PATH}/api", GOOD).json()
    wanted = made["public_id"]
    assert [len(part) for part in wanted.split("-")] == [3, 3, 3]
    assert (made["status"], made["subtype"]) == ("live", "http")
    assert made["config"]["assertions"] == []
    assert ask("GET", f"{PATH}/{wanted}").json() == made
    assert ask("GET", f"{PATH}/api/{wanted}").json() == made


def test_status(ask: Ask) -> None:
    """Pausing returns true and is visible afterwards."""
    wanted = ask("POST", f"{PATH}/api", GOOD).json()["public_id"]
    answer = ask("PUT", f"{PATH}/{wanted}/status", {"new_status": "paused"})
    assert (answer.status_code, answer.json()) == (200, True)
    assert ask("GET", f"{PATH}/{wanted}").json()["status"] == "paused"
    assert ask("PUT", f"{PATH}/{wanted}/status", {"new_status": "odd"}).status_code == 400
    assert ask("PUT", f"{PATH}/x/status", {"new_status": "live"}).status_code == 404


def test_all_or_none_are_deleted(ask: Ask) -> None:
    """An unknown id in the list saves the others."""
    ids = [ask("POST", f"{PATH}/api", GOOD).json()["public_id"] for _ in range(2)]
    assert ask("POST", f"{PATH}/delete", {"public_ids": [ids[0], "x"]}).status_code == 404
    gone = ask("POST", f"{PATH}/delete", {"public_ids": [*ids, ids[0]]}).json()
    assert [test["public_id"] for test in gone["deleted_tests"]] == ids
    again = ask("POST", f"{PATH}/delete", {"public_ids": ids})
    assert (again.status_code, again.json()) == (404, {"errors": ["Synthetics test not found"]})
    assert ask("POST", f"{PATH}/delete", {"public_ids": []}).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"type": "browser"},
        {"config": []},
        {"config": {"assertions": [{}]}},
        {"config": {"assertions": [{"type": "odd", "operator": "is"}]}},
        {"config": {"assertions": [{"type": "body", "operator": "odd"}]}},
        {"config": {"assertions": [{"type": "body"}]}},
        {"locations": []},
        {"options": None},
        {"options": {"tick_every": 29}},
        {"status": "odd"},
        {"subtype": "odd"},
    ],
)
def test_bad_tests(ask: Ask, change: dict[str, Any]) -> None:
    """A test without request, place or options is refused."""
    assert ask("POST", f"{PATH}/api", {**GOOD, **change}).status_code == 400
