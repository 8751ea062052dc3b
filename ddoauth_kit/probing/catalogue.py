"""Look up which operations a scope opens, and which scopes a request needs.

`python -m ddoauth_kit.maintenance.spec` derives the data from Datadog's OpenAPI spec and from a
list of the additional scopes that partners have.
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
    """One OAuth scope.

    `kind` is `read`, `write` or `run`. `source` is `spec`, or `partners` for scopes that published
    integrations have but the spec omits.
    """

    name: str
    kind: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of Datadog's API.

    A bearer token needs all the scopes in any one of `scope_sets`. An empty set means that the
    operation doesn't name a scope; in that case, the token's user needs the `permissions`.
    `path_ids` and `query` are the required parameters with their types. `body` lists the required
    fields of the body (`any` for a body without required fields, `optional`, or nothing). `preview`
    operations may be missing on a site.
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
        """Return the method and the path, which together identify the operation."""
        return f"{self.method} {self.path}"

    def companions(self, scope: str) -> tuple[ScopeSet, ...]:
        """Return the scopes that are needed in addition to a scope, as alternative sets."""
        return tuple(names - {scope} for names in self.scope_sets if scope in names)

    def alternatives(self, scope: str) -> tuple[ScopeSet, ...]:
        """Return the sets of scopes that open the operation without this scope."""
        return tuple(names for names in self.scope_sets if scope not in names)

    def is_open_to(self, granted: ScopeSet) -> bool:
        """Return whether the granted scopes include at least one complete set."""
        return any(names <= granted for names in self.scope_sets)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All scopes and operations; `spec` is the version from which they were derived."""

    spec: str
    scopes: Mapping[str, Scope]
    operations: tuple[Operation, ...]
    opened: Mapping[str, tuple[Operation, ...]]
    by_address: Mapping[str, Operation]
    _by_beginning: Mapping[Beginning, tuple[Operation, ...]]

    def opened_by(self, scope: str) -> tuple[Operation, ...]:
        """Return the operations that a scope opens, alone or together with others."""
        return self.opened.get(scope, ())

    def permitted_by(self, scope: str) -> tuple[Operation, ...]:
        """Return the operations that name a permission with this name instead of a scope."""
        return tuple(operation for operation in self.operations if scope in operation.permissions)

    def find(self, method: str, path: str) -> Operation | None:
        """Find a request's operation by path or URL; fixed segments are preferred to templates."""
        segments = _segments(path)
        among = self._by_beginning.get(_beginning(method.upper(), segments), ())
        fitting = [operation for operation in among if _fits(operation.path, segments)]
        return min(fitting, key=_templates, default=None)


@cache
def catalogue() -> Catalogue:
    """Read the catalogue once per process (about 20 ms)."""
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
    """Return the first segments, which don't contain templates and tell most operations apart."""
    return method, len(segments), "/".join(segments[:4])


def _segments(address: str) -> list[str]:
    """Split an address's path, without a trailing slash; the result is empty for an invalid URL."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return []
    return path.removesuffix("/").split("/")


def _templates(operation: Operation) -> list[bool]:
    """Return which segments are templates; the match with the smallest list is the closest."""
    return [segment.startswith("{") for segment in operation.path.split("/")]


def _fits(template: str, segments: list[str]) -> bool:
    return all(
        part == given or (part.startswith("{") and part.endswith("}") and given)
        for part, given in zip(template.split("/"), segments, strict=True)
    )
