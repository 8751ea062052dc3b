"""Downtimes know whether they run, and are gone when cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v2/downtime"
TAGS = {"monitor_tags": ["a:b"]}


def body(**attributes: Any) -> dict[str, Any]:
    """Write a body with a scope and tags."""
    good = {"scope": "env:a", "monitor_identifier": TAGS}
    return {"data": {"type": "downtime", "attributes": {**good, **attributes}}}


@pytest.mark.parametrize(
    ("schedule", "status", "start", "end"),
    [
        (None, "active", "2026-01-01T00:00:00", None),
        ({"start": None}, "active", "2026-01-01T00:00:00", None),
        ({"start": "2027-01-01T02:00:00+02:00"}, "scheduled", "2027-01-01T00:00:00", None),
        (
            {"end": "2026-01-02T00:00:00"},
            "active",
            "2026-01-01T00:00:00",
            "2026-01-02T00:00:00.000Z",
        ),
    ],
)
def test_schedule_and_status(
    ask: Ask, schedule: dict[str, Any] | None, status: str, start: str, end: str | None
) -> None:
    """Times are shown in UTC; without a start it starts now."""
    made = ask("POST", PATH, body(schedule=schedule)).json()["data"]["attributes"]
    assert made["status"] == status
    assert made["schedule"]["start"].startswith(start)
    assert made["schedule"]["end"] == end


def test_recurring(ask: Ask) -> None:
    """A recurring downtime shows its rules and its current occurrence."""
    rule = {"rrule": "FREQ=DAILY;INTERVAL=1", "duration": "1d"}
    made = ask("POST", PATH, body(schedule={"recurrences": [rule]})).json()
    schedule = made["data"]["attributes"]["schedule"]
    assert schedule["recurrences"][0].items() >= rule.items()
    assert schedule["current_downtime"]["start"]


def test_monitor_is_linked(ask: Ask) -> None:
    """A downtime of one monitor points at it, and a change to tags ends that."""
    made = ask("POST", PATH, body(monitor_identifier={"monitor_id": 5})).json()["data"]
    assert made["relationships"]["monitor"] == {"data": {"type": "monitors", "id": "5"}}
    changed = ask("PATCH", f"{PATH}/{made['id']}", body()).json()["data"]
    assert changed["relationships"]["monitor"] == {"data": None}
    assert changed["attributes"]["schedule"] == made["attributes"]["schedule"]


@pytest.mark.parametrize(
    "change",
    [
        {"scope": ""},
        {"monitor_identifier": {}},
        {"monitor_identifier": {"monitor_tags": []}},
        {"monitor_identifier": {"monitor_id": "5"}},
        {"monitor_identifier": {"monitor_id": 5, **TAGS}},
        {"schedule": {"start": "soon"}},
        {"schedule": {"start": "0001-01-01T00:00:00+14:00"}},
        {"schedule": {"start": "2027-01-02T00:00:00Z", "end": "2027-01-01T00:00:00Z"}},
        {"schedule": {"end": "2020-01-01T00:00:00Z"}},
        {"schedule": {"recurrences": []}},
        {"schedule": {"recurrences": [{"rrule": "FREQ=DAILY"}]}},
        {"notify_end_states": ["sad"]},
    ],
)
def test_bad_downtimes(ask: Ask, change: dict[str, Any]) -> None:
    """A downtime of nothing, or one that ends before it starts, is refused."""
    assert ask("POST", PATH, body(**change)).status_code == 400


@pytest.mark.behaviour("downtime-cancelled")
def test_cancelled_is_gone(ask: Ask) -> None:
    """After a cancellation, it is found neither by id nor in the listing."""
    made = ask("POST", PATH, body()).json()["data"]["id"]
    current = ask("GET", PATH, params={"current_only": "true"}).json()
    assert [downtime["id"] for downtime in current["data"]] == [made]
    assert ask("DELETE", f"{PATH}/{made}").status_code == 204
    again = ask("DELETE", f"{PATH}/{made}")
    assert (again.status_code, again.json()) == (404, {"errors": [f"Downtime {made} not found"]})
    assert made not in ask("GET", PATH).text
