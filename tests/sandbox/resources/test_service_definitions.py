"""Service definitions are put in place by name, each by its version of the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v2/services/definitions"
GONE = {"errors": ["Not Found"], "error_details": [{}]}


def test_put_replaces(ask: Ask) -> None:
    """A second definition of a service replaces the first, under the same id."""
    first = ask("POST", PATH, {"schema-version": "v2", "dd-service": "a", "dd-team": "b"})
    assert first.status_code == 200
    [made] = first.json()["data"]
    assert made["attributes"]["meta"]["ingested-schema-version"] == "v2"
    later = {"schema-version": "v2.2", "dd-service": "a", "languages": ["python"], "dd-team": "b"}
    [again] = ask("POST", PATH, later).json()["data"]
    assert again["id"] == made["id"]
    assert "dd-team" not in again["attributes"]["schema"]
    assert ask("GET", f"{PATH}/a").json()["data"] == again
    assert len(ask("GET", PATH).json()["data"]) == 2


def test_deleted_is_gone(ask: Ask) -> None:
    """The 404 has details beside the errors."""
    assert ask("DELETE", f"{PATH}/sandbox-shop").status_code == 204
    for method in ("DELETE", "GET"):
        answer = ask(method, f"{PATH}/sandbox-shop")
        assert (answer.status_code, answer.json()) == (404, GONE)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"dd-service": "a"},
        {"dd-service": "a", "schema-version": "v9"},
        {"dd-service": "", "schema-version": "v2"},
        {"dd-service": "a", "schema-version": "v2", "links": [{}]},
        {"dd-service": "a", "schema-version": "v2", "docs": ["b"]},
    ],
)
def test_bad_definitions(ask: Ask, bad: dict[str, Any]) -> None:
    """A definition names its service and a version, and fits that version."""
    answer = ask("POST", PATH, bad)
    assert answer.status_code == 400
    assert answer.json()["error_details"] == [{}]
