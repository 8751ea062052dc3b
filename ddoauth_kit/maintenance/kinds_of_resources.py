"""Say of each kind of resource in the API description who keeps it in the sandbox, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.api.operations import HANDLERS
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.described_schemas import described_kinds, described_members
from ddoauth_kit.sandbox.resources.all_kinds import RESOURCE_HANDLERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedKind, DescribedMembers

_WORDS = {
    "create": "create",
    "list": "list",
    "get": "read",
    "put": "change",
    "patch": "change",
    "delete": "delete",
}


@dataclass(frozen=True)
class KeptKind:
    """One row of the table: the path that creates, the store, and the reason."""

    path: str
    store: str
    why: str


def kinds_of_resources() -> Iterator[KeptKind]:
    """Yield every kind that can be created, by its path."""
    lists = described_members()
    for path, kind in described_kinds().items():
        if path not in lists:
            store, why = _store(kind)
            yield KeptKind(path, store, why)
    for path, members in lists.items():
        yield KeptKind(path, "members", ", ".join(_member_words(members)))


def _member_words(members: DescribedMembers) -> Iterator[str]:
    yield "add"
    yield from ["list"] if members.listing else []
    yield from ["read"] if members.reading else []
    yield from ["remove"] if members.removes else []


def _store(kind: DescribedKind) -> tuple[str, str]:
    taken = {" ".join(address) for address in (*HANDLERS, *RESOURCE_HANDLERS)}
    operations = {f"{entry.method} {entry.path}": entry for entry in catalogue().operations}
    if taken & set(kind.operations.values()):
        return "its own", "its rules or answers go beyond the description"
    if operations[kind.operations["create"]].manages_keys:
        return "none", "a bearer token lists keys and manages none"
    if "create" not in kind.ways:
        return "none", "the answer to its creation does not show it"
    done = dict.fromkeys(_WORDS[role] for role in kind.operations)
    many = ["delete many"] if kind.erasers else []
    return "generic", ", ".join([*done, *many])
