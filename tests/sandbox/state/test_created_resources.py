"""Shelves keep, replace and forget."""

from __future__ import annotations

import pytest

from ddoauth_kit.sandbox.state import created_resources as kept
from ddoauth_kit.sandbox.state.created_resources import Item, Kept, Shelf
from ddoauth_kit.sandbox.state.mint import Mint
from ddoauth_kit.sandbox.state.orgs import make_orgs


def key(item: Item) -> str:
    """Return the key under which these tests store their items."""
    return str(item["id"])


@pytest.fixture
def store() -> Kept:
    """Give an empty store."""
    return Kept()


@pytest.fixture
def shelf(store: Kept) -> Shelf:
    """Give a shelf with one sample."""
    org = make_orgs(Mint(seed="x"))["us1"][0]
    return store.shelf("thing", org=org, key=key, samples=lambda: [{"id": "sample"}])


def ids(shelf: Shelf) -> list[str]:
    """Return the ids on a shelf in their order."""
    return [key(item) for item in shelf.all()]


def test_items_stay_in_order(shelf: Shelf) -> None:
    """A replaced item stays in its place, a renamed one goes to the end."""
    shelf.add({"id": "a"})
    shelf.replace("sample", {"id": "sample", "new": True})
    assert shelf.find("sample") == {"id": "sample", "new": True}
    assert ids(shelf) == ["sample", "a"]
    shelf.replace("sample", {"id": "b"})
    assert ids(shelf) == ["a", "b"]
    shelf.remove(["a", "b"])
    assert shelf.all() == []
    assert shelf.find("a") is None


def test_shelves_are_made_once_per_org_and_kind(store: Kept, shelf: Shelf) -> None:
    """Deleted samples do not come back, and another org has its own."""
    first, second = make_orgs(Mint(seed="x"))["us1"]
    shelf.remove(["sample"])
    again = store.shelf("thing", org=first, key=key, samples=lambda: [{"id": "sample"}])
    assert again is shelf
    other = store.shelf("thing", org=second, key=key, samples=lambda: [{"id": "sample"}])
    assert ids(other) == ["sample"]


def test_the_oldest_makes_room(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full shelf forgets its first item for a new one."""
    monkeypatch.setattr(kept, "ITEMS_KEPT", 2)
    for name in "ab":
        shelf.add({"id": name})
    assert ids(shelf) == ["a", "b"]
