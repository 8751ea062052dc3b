"""Objectives measure what their type wants, and come in a list called data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v1/slo"
GOOD = {
    "name": "a",
    "type": "metric",
    "query": {"numerator": "sum:a{*}.as_count()", "denominator": "sum:b{*}.as_count()"},
    "thresholds": [{"target": 99, "warning": 99.5, "timeframe": "7d"}],
}


def test_slo_is_completed(ask: Ask) -> None:
    """Targets are also shown as text, and times are whole seconds."""
    answer = ask("POST", PATH, GOOD).json()
    [made] = answer["data"]
    assert answer["error"] is None
    [threshold] = made["thresholds"]
    assert (threshold["target_display"], threshold["warning_display"]) == ("99.", "99.5")
    assert made["created_at"] == made["modified_at"] == 1767225600
    assert ask("GET", f"{PATH}/{made['id']}").json() == {"data": made}
    gone = ask("DELETE", f"{PATH}/{made['id']}").json()
    assert gone == {"data": [made["id"]], "error": None}
    again = ask("DELETE", f"{PATH}/{made['id']}")
    words = f"SLO not found: {made['id']} not found"
    assert (again.status_code, again.json()) == (404, {"errors": [words]})


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"type": "odd"},
        {"type": "monitor"},
        {"type": "time_slice"},
        {"query": {"numerator": "a"}},
        {"thresholds": []},
        {"thresholds": [{"target": "99", "timeframe": "7d"}]},
        {"thresholds": [{"target": 99, "timeframe": "8d"}]},
    ],
)
def test_bad_slos(ask: Ask, change: dict[str, Any]) -> None:
    """Name, thresholds, and what the type measures by must be there."""
    assert ask("POST", PATH, {**GOOD, **change}).status_code == 400


def test_type_stays(ask: Ask) -> None:
    """An objective does not change its type."""
    [sample] = ask("GET", PATH).json()["data"]
    other = {**GOOD, "type": "monitor", "monitor_ids": [1]}
    assert ask("PUT", f"{PATH}/{sample['id']}", other).status_code == 400
    assert ask("POST", PATH, other).status_code == 200


def test_ids_and_names_filter(ask: Ask) -> None:
    """The listing can be filtered by ids and searched for part of a name."""
    [made] = ask("POST", PATH, GOOD).json()["data"]
    by_id = ask("GET", PATH, params={"ids": f"x,{made['id']}"}).json()
    by_name = ask("GET", PATH, params={"query": "Sandbox"}).json()
    assert by_id["data"] == [made]
    assert made not in by_name["data"]
    assert by_name["metadata"]["page"]["total_count"] == 1
