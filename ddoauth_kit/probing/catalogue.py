"""Look up what a scope opens, and which scopes a request needs.

The data is Datadog's OpenAPI spec and what partners hold beyond it;
`python -m ddoauth_kit.maintenance.spec` derives it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from collections.abc import Mapping

ScopeSet = frozenset[str]
Beginning = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Describe one OAuth scope.

    `kind` is `read`, `write` or `run`; `source` is `spec`, or `partners` for what published
    integrations hold and the spec omits.
    """

    name: str
    kind: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Describe one operation of Datadog's API.

    Any one of `scope_sets` opens it to a bearer token; an empty set means that no scope is named,
    and then `permissions` are those of the person behind the token. `path_ids` and `query` are its
    required parameters with their types, `body` the fields that a body must have (`any` for a body
    without such fields, `optional`, or nothing). `preview` operations may be missing on a site.
    """

    id: str
    method: str
    path: str
    host: Host
    area: str
    needs_key: bool
    scope_sets: tuple[ScopeSet, ...]
    permissions: tuple[str, ...]
    path_ids: Mapping[str, str]
    query: Mapping[str, str]
    body: str
    preview: bool
    deprecated: bool

    @property
    def address(self) -> str:
        """Return method and path, which together name one operation."""
        return f"{self.method} {self.path}"

    def companions(self, scope: str) -> tuple[ScopeSet, ...]:
        """Return what else is needed beside a scope, one set for each way it takes part in."""
        return tuple(names - {scope} for names in self.scope_sets if scope in names)

    def alternatives(self, scope: str) -> tuple[ScopeSet, ...]:
        """Return the sets of scopes that open it without this one."""
        return tuple(names for names in self.scope_sets if scope not in names)

    def is_open_to(self, granted: ScopeSet) -> bool:
        """Return whether granted scopes hold one whole set."""
        return any(names <= granted for names in self.scope_sets)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Hold all scopes and operations; `spec` says which version they were derived from."""

    spec: str
    scopes: Mapping[str, Scope]
    operations: tuple[Operation, ...]
    opened: Mapping[str, tuple[Operation, ...]]
    by_address: Mapping[str, Operation]
    _by_beginning: Mapping[Beginning, tuple[Operation, ...]]

    def opened_by(self, scope: str) -> tuple[Operation, ...]:
        """Return the operations that a scope opens, alone or with others."""
        return self.opened.get(scope, ())

    def permitted_by(self, scope: str) -> tuple[Operation, ...]:
        """Return the operations that name no scope, but a permission of this name."""
        return tuple(operation for operation in self.operations if scope in operation.permissions)

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation of a request, by its path or URL; the first fixed segment wins."""
        segments = _segments(path)
        among = self._by_beginning.get(_beginning(method.upper(), segments), ())
        fitting = [operation for operation in among if _fits(operation.path, segments)]
        return min(fitting, key=_templates, default=None)

    def scopes_for(self, method: str, path: str) -> tuple[ScopeSet, ...] | None:
        """Return the sets of scopes of which a request needs one; None for an unknown request."""
        operation = self.find(method, path)
        return operation.scope_sets if operation else None


@cache
def catalogue() -> Catalogue:
    """Read the catalogue, once a process (about 20 ms)."""
    text = resources.files("ddoauth_kit").joinpath("catalogue.json").read_text("utf-8")
    document = json.loads(text)
    operations = tuple(_operation(entry) for entry in document["operations"])
    opened: dict[str, list[Operation]] = {}
    by_beginning: dict[Beginning, list[Operation]] = {}
    for operation in operations:
        for scope in sorted(frozenset().union(*operation.scope_sets)):
            opened.setdefault(scope, []).append(operation)
        beginning = _beginning(operation.method, operation.path.split("/"))
        by_beginning.setdefault(beginning, []).append(operation)
    return Catalogue(
        spec=document["spec"],
        scopes=MappingProxyType(
            {name: Scope(name=name, **entry) for name, entry in document["scopes"].items()}
        ),
        operations=operations,
        opened=_frozen(opened),
        by_address=MappingProxyType({operation.address: operation for operation in operations}),
        _by_beginning=_frozen(by_beginning),
    )


def _operation(entry: dict[str, Any]) -> Operation:
    return Operation(
        id=entry["id"],
        method=entry["method"],
        path=entry["path"],
        host=Host(entry["host"]),
        area=entry["area"],
        needs_key=entry["auth"] == "api_key",
        scope_sets=tuple(frozenset(names) for names in entry["scopes"]),
        permissions=tuple(entry.get("permissions", ())),
        path_ids=MappingProxyType(entry.get("path_ids", {})),
        query=MappingProxyType(entry.get("query", {})),
        body=entry.get("body", ""),
        preview=entry.get("preview", False),
        deprecated=entry.get("deprecated", False),
    )


def _frozen(found: dict[Any, list[Any]]) -> Mapping[Any, tuple[Any, ...]]:
    return MappingProxyType({name: tuple(values) for name, values in found.items()})


def _beginning(method: str, segments: list[str]) -> Beginning:
    """Return what tells most operations apart; no template is in the first segments."""
    return method, len(segments), "/".join(segments[:4])


def _segments(address: str) -> list[str]:
    """Split an address's path, without a trailing slash; empty if it is not a URL."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return []
    return path.removesuffix("/").split("/")


def _templates(operation: Operation) -> list[bool]:
    """Tell which segments are templates; among those that fit, the least list is the closest."""
    return [segment.startswith("{") for segment in operation.path.split("/")]


def _fits(template: str, segments: list[str]) -> bool:
    return all(
        part == given or (part.startswith("{") and part.endswith("}") and given)
        for part, given in zip(template.split("/"), segments, strict=True)
    )
