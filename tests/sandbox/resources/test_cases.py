"""Cases belong to projects and are changed one thing at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v2/cases"
JSON_API = "application/vnd.api+json"


def case(project: object, **attributes: Any) -> dict[str, Any]:
    """Write the body of a new case."""
    link = {"project": {"data": {"type": "project", "id": project}}}
    content = {"title": "a", **attributes}
    return {"data": {"type": "case", "attributes": content, "relationships": link}}


def act(kind: str = "case", **attributes: Any) -> dict[str, Any]:
    """Write the body of a change."""
    return {"data": {"type": kind, "attributes": attributes}}


@pytest.fixture
def project(ask: Ask) -> str:
    """Give the id of the sample project."""
    wanted: str = ask("GET", f"{PATH}/projects").json()["data"][0]["id"]
    return wanted


def test_keys_count_up_in_a_project(ask: Ask, project: str) -> None:
    """The sample is the first of its project, and ids and keys both find a case."""
    made = ask("POST", PATH, case(project, priority="P2", status_name="In Progress"))
    assert (made.status_code, made.headers["content-type"]) == (201, JSON_API)
    data = made.json()["data"]
    assert data["attributes"]["key"] == "SANDBOX-2"
    assert data["attributes"]["status"] == "IN_PROGRESS"
    for name in (data["id"], "SANDBOX-2"):
        assert ask("GET", f"{PATH}/{name}").json()["data"] == data
    page = ask("GET", PATH, params={"page[size]": "1"}).json()
    assert page["meta"] == {"page": {"current": 0, "size": 1, "total": 2}}


def test_status_closes_and_opens(ask: Ask) -> None:
    """A closed case has its closing time, by status or by name, and an open one does not."""
    for change, closed in (
        ({"status": "CLOSED"}, True),
        ({"status_name": "Open"}, False),
    ):
        answer = ask("POST", f"{PATH}/SANDBOX-1/status", act(**change))
        assert bool(answer.json()["data"]["attributes"]["closed_at"]) == closed
    assert ask("POST", f"{PATH}/SANDBOX-1/status", act(status="GONE")).status_code == 400
    assert ask("POST", f"{PATH}/SANDBOX-1/status", act()).status_code == 400


def test_archive_and_assign_go_both_ways(ask: Ask) -> None:
    """Archiving and assigning can be undone."""
    empty = {"data": {"type": "case"}}
    for name, archived in (("archive", True), ("unarchive", False)):
        answer = ask("POST", f"{PATH}/SANDBOX-1/{name}", empty).json()["data"]
        assert bool(answer["attributes"]["archived_at"]) == archived
    assigned = ask("POST", f"{PATH}/SANDBOX-1/assign", act(assignee_id="u")).json()["data"]
    assert assigned["relationships"]["assignee"] == {"data": {"type": "user", "id": "u"}}
    free = ask("POST", f"{PATH}/SANDBOX-1/unassign", empty).json()["data"]
    assert free["relationships"]["assignee"] == {"data": None}
    assert "assignee_id" not in free["attributes"]


def test_refusals_have_codes(ask: Ask) -> None:
    """Unknown cases and projects are distinguished, and a wrong type is named."""
    answer = ask("GET", f"{PATH}/projects/x")
    assert (answer.status_code, answer.headers["content-type"]) == (404, JSON_API)
    assert answer.json()["errors"] == [{"code": "resource_not_found", "title": "project not found"}]
    answer = ask("POST", f"{PATH}/x/archive", {"data": {"type": "case"}})
    assert answer.json()["errors"] == [{"code": "resource_not_found", "title": "case not found"}]
    answer = ask("POST", f"{PATH}/SANDBOX-1/archive", {"data": {"type": "project"}})
    detail = 'got type "project" expected one of "case"'
    assert answer.json()["errors"] == [{"status": "400", "title": "Bad Request", "detail": detail}]


@pytest.mark.parametrize("change", [{"title": ""}, {"priority": "P9"}, {"type_id": 5}])
def test_bad_cases(ask: Ask, project: str, change: dict[str, Any]) -> None:
    """A case needs a title, and a priority that there is."""
    assert ask("POST", PATH, case(project, **change)).status_code == 400


@pytest.mark.parametrize("project", [None, 5, ["a"], {}])
def test_cases_need_a_project(ask: Ask, project: object) -> None:
    """A relationship that names none is refused."""
    assert ask("POST", PATH, case(project)).status_code == 400


@pytest.mark.parametrize("key", ["", "CASE", "case", "SANDBOX", "A-B", "A" * 11, "\u00c4"])
def test_bad_project_keys(ask: Ask, key: str) -> None:
    """A key has one to ten letters or digits, is not reserved, and is not taken."""
    body = act("project", key=key, name="a")
    assert ask("POST", f"{PATH}/projects", body).status_code == 400


def test_project_takes_its_cases_along(ask: Ask, project: str) -> None:
    """Deleting the sample project deletes its sample case, and no other."""
    made = ask("POST", f"{PATH}/projects", act("project", key="B", name="b")).json()["data"]["id"]
    other = ask("POST", PATH, case(made)).json()["data"]["id"]
    assert ask("DELETE", f"{PATH}/projects/{project}").status_code == 204
    assert ask("GET", f"{PATH}/SANDBOX-1").status_code == 404
    assert ask("GET", f"{PATH}/{other}").status_code == 200
