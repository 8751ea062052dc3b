"""Monitors need a type and a query that fits it, and keep the rest as given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v1/monitor"
GOOD = {"type": "query alert", "query": "avg(last_5m):avg:a.b{*} by {host} > 1"}


def test_monitor_is_completed(ask: Ask) -> None:
    """Omitted fields get Datadog's defaults, and fields that a body may not set are dropped."""
    made = ask("POST", PATH, {**GOOD, "id": 1, "created": "never", "made_up": 1}).json()
    assert isinstance(made["id"], int)
    assert made["id"] != 1
    assert made["created"] == made["modified"] != "never"
    assert (made["overall_state"], made["multi"], made["tags"]) == ("No Data", True, [])
    assert made["creator"]["email"] == "ada@acme.example"
    assert "made_up" not in made


@pytest.mark.behaviour("monitor-query")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "odd alert"}, "'type' is invalid"),
        ({"type": None}, "'type' is invalid"),
        ({"query": ""}, "'query' is invalid"),
        ({"query": "avg:a.b{*}"}, "invalid operator specified"),
        ({"tags": "a"}, "'tags' is invalid"),
        ({"priority": True}, "'priority' is invalid"),
        ({"options": {"thresholds": {"critical": "1"}}}, "'options' is invalid"),
    ],
)
def test_bad_monitors(ask: Ask, change: dict[str, Any], words: str) -> None:
    """The refusal names the parameter, and nothing is created or changed."""
    before = ask("GET", PATH).json()
    wanted = before[0]["id"]
    for answer in (
        ask("POST", PATH, {**GOOD, **change}),
        ask("PUT", f"{PATH}/{wanted}", change),
    ):
        assert answer.status_code == 400
        assert words in answer.json()["errors"][0]
    assert ask("GET", PATH).json() == before


def test_some_types_compare_nothing(ask: Ask) -> None:
    """A composite and a service check have queries of other forms."""
    for kind, query in (
        ("composite", "12345 && 67890"),
        ("service check", '"a.check".over("*").last(2).count_by_status()'),
    ):
        assert ask("POST", PATH, {"type": kind, "query": query}).status_code == 200


def test_change_keeps_the_rest(ask: Ask) -> None:
    """A change of one field leaves the others, and moves the time of change."""
    made = ask("POST", PATH, {**GOOD, "name": "a", "tags": ["b:c"]}).json()
    changed = ask("PUT", f"{PATH}/{made['id']}", {"name": "z"}).json()
    assert changed == {**made, "name": "z", "modified": changed["modified"]}
    assert changed["modified"] > made["modified"]
    gone = ask("DELETE", f"{PATH}/{made['id']}")
    assert (gone.status_code, gone.json()) == (200, {"deleted_monitor_id": made["id"]})


def test_names_filter(ask: Ask) -> None:
    """The listing can be searched for part of a name."""
    found = ask("GET", PATH, params={"name": "Orders"}).json()
    assert [monitor["name"] for monitor in found] == ["Orders stopped"]
