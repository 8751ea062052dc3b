"""Ids come out of paths by their templates, and pages out of listings by their queries."""

from __future__ import annotations

import pytest

from ddoauth_kit.sandbox.http.refusals import Refusal
from ddoauth_kit.sandbox.resources.paging import Paging, page_of, path_ids

ITEMS = [{"id": n} for n in range(5)]
BY_PAGE = Paging("size", "page", default=2, counts_pages=True)
BY_ITEM = Paging("limit", "offset", default=2)


def test_ids_are_read_by_the_template() -> None:
    """Each variable gets its segment, whatever it contains."""
    found = path_ids("/a/{x}/b/{y}", "/a/1\n{z}/b/%00")
    assert found == {"x": "1\n{z}", "y": "%00"}
    with pytest.raises(ValueError, match="zip"):
        path_ids("/a/{x}", "/a/1/2")


@pytest.mark.parametrize(
    ("paging", "query", "expected"),
    [
        (None, {"size": "1"}, [0, 1, 2, 3, 4]),
        (BY_PAGE, {}, [0, 1]),
        (BY_PAGE, {"page": "2"}, [4]),
        (BY_PAGE, {"page": "1", "size": "3"}, [3, 4]),
        (BY_ITEM, {"offset": "3", "limit": "1"}, [3]),
        (BY_ITEM, {"offset": "9"}, []),
    ],
)
def test_pages(paging: Paging | None, query: dict[str, str], expected: list[int]) -> None:
    """A page contains the items for its size and start, and the total."""
    page = page_of(ITEMS, query, paging=paging)
    assert [item["id"] for item in page.items] == expected
    assert page.total == 5


@pytest.mark.parametrize(
    "query", [{"size": "0"}, {"size": "a"}, {"page": "-1"}, {"page": "\u0663"}]
)
def test_bad_pages_are_refused(query: dict[str, str]) -> None:
    """A size or start that is not a plain number gets 400."""
    with pytest.raises(Refusal) as caught:
        page_of(ITEMS, query, paging=BY_PAGE)
    assert caught.value.status == 400
