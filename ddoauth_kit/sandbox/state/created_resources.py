"""Resources created in an org, stored until somebody deletes them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ddoauth_kit.sandbox.state.orgs import Org

Item = dict[str, Any]

ITEMS_KEPT = 1000


class Shelf:
    """The latest thousand resources of one kind in one org, keyed by id, oldest first."""

    def __init__(self, items: Iterable[Item], *, key: Callable[[Item], str]) -> None:
        self._key = key
        # A plain dict would look for its oldest key among the gaps that removed ones left.
        self._items = OrderedDict((key(item), item) for item in items)

    def all(self) -> list[Item]:
        """Return the resources, oldest first."""
        return list(self._items.values())

    def find(self, wanted: str) -> Item | None:
        """Return the resource with an id, which must match exactly."""
        return self._items.get(wanted)

    def add(self, item: Item) -> Item:
        """Store a new resource; if there are already a thousand, the oldest is removed."""
        self._items[self._key(item)] = item
        while len(self._items) > ITEMS_KEPT:
            self._items.popitem(last=False)
        return item

    def replace(self, old: str, item: Item) -> Item:
        """Replace a resource; if the id changes, the resource moves to the end."""
        if self._key(item) != old:
            del self._items[old]
        self._items[self._key(item)] = item
        return item

    def remove(self, ids: Collection[str]) -> None:
        """Delete resources; each id must exist."""
        for old in ids:
            del self._items[old]


class Kept:
    """The shelves of all kinds and orgs."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[str, str], Shelf] = {}

    def shelf(
        self,
        kind: str,
        *,
        org: Org,
        key: Callable[[Item], str],
        samples: Callable[[], Iterable[Item]],
    ) -> Shelf:
        """Return an org's shelf for a kind, which initially contains the samples."""
        if (org.id, kind) not in self._shelves:
            self._shelves[org.id, kind] = Shelf(samples(), key=key)
        return self._shelves[org.id, kind]

    def find(self, kind: str, wanted: str, *, org: Org) -> Item | None:
        """Return the resource with this type and id from any of the org's shelves."""
        for (owner, _), shelf in self._shelves.items():
            item = shelf.find(wanted) if owner == org.id else None
            if item is not None and item.get("type") == kind:
                return item
        return None
