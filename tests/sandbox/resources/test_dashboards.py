"""Dashboards are listed short, read whole, and deleted one by one or together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v1/dashboard"
WIDGET = {"definition": {"type": "note", "content": "a"}}
GOOD = {"title": "Größe, now", "layout_type": "ordered", "widgets": [WIDGET]}


def test_dashboard_is_completed(ask: Ask) -> None:
    """Ids, address, author and times are assigned; widgets get their own ids."""
    made = ask("POST", PATH, GOOD).json()
    assert len(made["id"]) == 11
    assert made["url"] == f"/dashboard/{made['id']}/gr-e-now"
    assert made["author_handle"] == "ada@acme.example"
    assert isinstance(made["widgets"][0]["id"], int)
    assert ask("GET", f"{PATH}/{made['id']}").json() == made
    listed = ask("GET", PATH).json()["dashboards"][-1]
    assert "widgets" not in listed
    assert listed.items() <= made.items()


def test_change_replaces(ask: Ask) -> None:
    """A change sends the whole dashboard, and what it leaves out is gone."""
    made = ask("POST", PATH, {**GOOD, "description": "a"}).json()
    changed = ask("PUT", f"{PATH}/{made['id']}", {**GOOD, "widgets": made["widgets"]}).json()
    assert changed["description"] is None
    assert changed["widgets"] == made["widgets"]
    assert (changed["id"], changed["created_at"]) == (made["id"], made["created_at"])
    assert changed["modified_at"] > made["modified_at"]


@pytest.mark.parametrize(
    "change",
    [
        {"title": None},
        {"layout_type": "round"},
        {"widgets": None},
        {"widgets": [{}]},
        {"widgets": [{"definition": {"type": 1}}]},
        {"widgets": [{"definition": {"type": "odd"}}]},
        {"template_variables": [{}]},
    ],
)
def test_bad_dashboards(ask: Ask, change: dict[str, Any]) -> None:
    """A dashboard without title, layout or good widgets is refused."""
    answer = ask("POST", PATH, {**GOOD, **change})
    assert answer.status_code == 400
    assert next(iter(change)) in answer.json()["errors"][0]


def test_unknown_dashboards_are_named(ask: Ask) -> None:
    """The 404 repeats the id."""
    answer = ask("GET", f"{PATH}/abc-def-ghi")
    words = "Dashboard with ID abc-def-ghi not found"
    assert (answer.status_code, answer.json()) == (404, {"errors": [words]})


def test_many_go_together(ask: Ask) -> None:
    """All that a body names are deleted, or none if one of them is unknown."""
    ids = [ask("POST", PATH, GOOD).json()["id"] for _ in range(2)]

    def body(*wanted: str) -> dict[str, Any]:
        return {"data": [{"id": one, "type": "dashboard"} for one in wanted]}

    assert ask("DELETE", PATH, body(ids[0], "abc-def-ghi")).status_code == 404
    assert ask("GET", f"{PATH}/{ids[0]}").status_code == 200
    assert ask("DELETE", PATH, body(*ids, ids[0])).status_code == 204
    assert ask("GET", f"{PATH}/{ids[0]}").status_code == 404
    for bad in ({}, {"data": []}, {"data": [{"id": 1}]}):
        assert ask("DELETE", PATH, bad).status_code == 400
