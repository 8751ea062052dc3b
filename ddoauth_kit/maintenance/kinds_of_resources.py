"""Determine which of the sandbox's stores contains each kind of resource, and why."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.api.operations import HANDLERS
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.described_schemas import described_kinds, described_members
from ddoauth_kit.sandbox.resources.all_kinds import RESOURCE_HANDLERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedKind, DescribedMembers

_WORDS = {
    "create": "create",
    "list": "list",
    "get": "read",
    "put": "change",
    "patch": "change",
    "delete": "delete",
}
# The features of the separate services that go beyond the description.
_OWN_RULES: Mapping[str, str] = MappingProxyType(
    {
        "/api/v1/dashboard": "the listing shows dashboards in short form; widgets get ids",
        "/api/v1/events": "sent events are listed and can be searched",
        "/api/v1/integration/webhooks/configuration/webhooks": (
            "names are unique, and a change can rename"
        ),
        "/api/v1/monitor": "a query must fit its monitor's type",
        "/api/v1/slo": "each type has its own fields for measuring; one response is a list",
        "/api/v1/synthetics/tests/api": (
            "a test has two addresses; another call pauses it, and assertions are checked"
        ),
        "/api/v2/cases": "projects count their cases, which many calls change",
        "/api/v2/cases/projects": "keys are unique, and deleting a project deletes its cases",
        "/api/v2/downtime": "the status depends on the schedule",
        "/api/v2/incidents": "fields are merged, and one of them can resolve an incident",
        "/api/v2/incidents/config/notification-rules": "a linked template must exist",
        "/api/v2/incidents/config/notification-templates": "a linked incident type must exist",
        "/api/v2/incidents/config/types": "the default type can't be deleted",
        "/api/v2/services/definitions": (
            "the same call creates and replaces, and each version has its own fields"
        ),
        "/api/v2/team": "names and handles are unique",
    }
)


@dataclass(frozen=True)
class KeptKind:
    """One row of the table: the path that creates the resource, its store, and the reason."""

    path: str
    store: str
    why: str


def kinds_of_resources() -> Iterator[KeptKind]:
    """Yield a row for every kind that can be created."""
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
        return "its own", _OWN_RULES[kind.path]
    if operations[kind.operations["create"]].manages_keys:
        return "none", "a bearer token can list keys but not manage them"
    if "create" not in kind.ways:
        return "none", "the response to its creation does not show it"
    done = dict.fromkeys(_WORDS[role] for role in kind.operations)
    many = ["delete many"] if kind.erasers else []
    return "generic", ", ".join([*done, *many])
