"""Say for each kind of resource which store of the sandbox holds it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.api.operations import HANDLERS
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.described_schemas import described_kinds
from ddoauth_kit.sandbox.resources.all_kinds import RESOURCE_HANDLERS
from ddoauth_kit.sandbox.resources.described_handlers import described_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedKind

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
    """Hold a row of the table: the path that creates the resource, its store, and the reason."""

    path: str
    store: str
    why: str


def kinds_of_resources() -> Iterator[KeptKind]:
    """Yield every kind that can be created, by its path."""
    for path, kind in described_kinds().items():
        store, why = _store(kind)
        yield KeptKind(path, store, why)


def _store(kind: DescribedKind) -> tuple[str, str]:
    taken = {" ".join(address) for address in (*HANDLERS, *RESOURCE_HANDLERS)}
    operations = {f"{entry.method} {entry.path}": entry for entry in catalogue().operations}
    if taken & set(kind.operations.values()):
        return "its own", "its rules or answers go beyond the description"
    if operations[kind.operations["create"]].manages_keys:
        return "none", "a bearer token lists keys and manages none"
    if "*" in kind.given:
        return "none", "one call creates many"
    if kind.path not in described_services():
        return "none", "the answer to its creation does not show it"
    done = dict.fromkeys(_WORDS[role] for role in kind.operations)
    return "generic", ", ".join(done)
