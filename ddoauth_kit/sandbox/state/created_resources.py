"""What customers and partners made in an org, kept until someone deletes it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from ddoauth_kit.sandbox.state.orgs import Org

Item = dict[str, Any]

ITEMS_KEPT = 1000


class Shelf:
    """The resources of one kind in one org, by id, oldest first; the newest thousand stay."""

    def __init__(self, items: Iterable[Item], *, key: Callable[[Item], str], kept: Kept) -> None:
        self._key = key
        self._kept = kept
        self._items = {key(item): item for item in items}

    def all(self) -> list[Item]:
        """Return the resources, oldest first."""
        return list(self._items.values())

    def find(self, wanted: str) -> Item | None:
        """Return the resource of an id, spelled exactly as it was given out."""
        return self._items.get(wanted)

    def add(self, make: Callable[[], Item]) -> Item:
        """Keep what `make` returns, which is asked only if the caller may change things."""
        self._kept.permit()
        item = make()
        self._items[self._key(item)] = item
        while len(self._items) > ITEMS_KEPT:
            del self._items[next(iter(self._items))]
        return item

    def replace(self, old: str, make: Callable[[], Item]) -> Item:
        """Put what `make` returns in a resource's place; a new id moves it to the end."""
        self._kept.permit()
        item = make()
        if self._key(item) != old:
            del self._items[old]
        self._items[self._key(item)] = item
        return item

    def remove(self, ids: Collection[str]) -> None:
        """Forget resources; each id must be there."""
        self._kept.permit()
        for old in ids:
            del self._items[old]


class Kept:
    """The shelves of all kinds and orgs, with one guard before every change."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._check: Callable[[], None] | None = None

    def shelf(
        self,
        kind: str,
        *,
        org: Org,
        key: Callable[[Item], str],
        samples: Callable[[], Iterable[Item]],
    ) -> Shelf:
        """Return an org's shelf of a kind, which holds the samples when first asked for."""
        if (org.id, kind) not in self._shelves:
            self._shelves[org.id, kind] = Shelf(samples(), key=key, kept=self)
        return self._shelves[org.id, kind]

    @contextmanager
    def guarded(self, check: Callable[[], None]) -> Iterator[None]:
        """Let every change inside the block first pass `check`, which raises to prevent it.

        Where content is validated before scopes, this stands between the two: a caller
        who lacks a scope hears what is wrong with the request, and changes nothing.
        """
        self._check = check
        try:
            yield
        finally:
            self._check = None

    def permit(self) -> None:
        """Raise what the guard raises, if there is one."""
        if self._check is not None:
            self._check()
