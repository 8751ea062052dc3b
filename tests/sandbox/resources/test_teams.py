"""Teams have unique names and handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v2/team"


def body(**attributes: Any) -> dict[str, Any]:
    """Write a body with a handle and a name."""
    good = {"handle": "a", "name": "A"}
    return {"data": {"type": "team", "attributes": {**good, **attributes}}}


@pytest.mark.behaviour("team-unique")
def test_taken_names(ask: Ask) -> None:
    """A handle or name of another team is refused, both at creation and later."""
    made = ask("POST", PATH, body())
    assert made.status_code == 201
    wanted = made.json()["data"]["id"]
    refused = {"errors": ["Team name and handle must be unique"]}
    for taken in ({"handle": "sandbox-team"}, {"name": "Sandbox Team"}):
        for answer in (
            ask("POST", PATH, body(**{"handle": "b", "name": "B", **taken})),
            ask("PATCH", f"{PATH}/{wanted}", body(**taken)),
        ):
            assert (answer.status_code, answer.json()) == (409, refused)
    assert ask("PATCH", f"{PATH}/{wanted}", body(description="c")).status_code == 200


@pytest.mark.parametrize(
    "change", [{"handle": ""}, {"handle": None}, {"name": "a" * 201}, {"handle": "a" * 196}]
)
def test_bad_teams(ask: Ask, change: dict[str, Any]) -> None:
    """A team needs a name and a handle, neither of them too long."""
    assert ask("POST", PATH, body(**change)).status_code == 400


def test_unknown_teams(ask: Ask) -> None:
    """The words tell an unknown id from one that cannot be."""
    for wanted, words in (
        ("REPLACE.ME", "REPLACE.ME is not a valid UUID not found"),
        ("0" * 32, f"Team with ID {'0' * 32} not found"),
    ):
        answer = ask("GET", f"{PATH}/{wanted}")
        assert (answer.status_code, answer.json()) == (404, {"errors": [words]})


def test_pages_and_keywords(ask: Ask) -> None:
    """The listing counts its teams and can be searched for a word."""
    assert ask("POST", PATH, body()).status_code == 201
    page = ask("GET", PATH, params={"page[size]": "1", "page[number]": "1"}).json()
    assert [team["attributes"]["handle"] for team in page["data"]] == ["a"]
    assert page["meta"]["pagination"]["total"] == 2
    found = ask("GET", PATH, params={"filter[keyword]": "SANDBOX"}).json()
    assert len(found["data"]) == 1
