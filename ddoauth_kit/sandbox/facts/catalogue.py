"""The scopes and operations to serve, read from the data file shared with the client side."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CURRENT_USER = "GetCurrentUser"
VALIDATE_BEARER = "ValidateAPIKey"
MARKETPLACE_KEY = "CreateMarketplaceApiKey"

_ROLES = {"api": "api", "logs_intake": "logs", "events_intake": "events"}
_KEYS = re.compile(r"/(api|application)_keys?(/|$)")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Operation:
    """One API operation; a caller needs every scope in at least one of the sets in `scopes`."""

    id: str
    method: str
    path: str
    role: str
    needs_key: bool
    scopes: tuple[frozenset[str], ...]
    area: str = ""
    path_ids: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    query: tuple[str, ...] = ()
    body: str = ""

    @property
    def touches_data(self) -> bool:
        """Return whether this operation reads or changes a customer's data with a bearer token."""
        return not self.needs_key and self.id not in {
            MARKETPLACE_KEY,
            CURRENT_USER,
            VALIDATE_BEARER,
        }

    @property
    def manages_keys(self) -> bool:
        """Return whether this operation manages API or application keys; listing doesn't count."""
        keys = _KEYS.search(self.path) is not None and self.id != MARKETPLACE_KEY
        return keys and (self.method != "GET" or bool(self.path_ids))

    def is_open_to(self, granted: frozenset[str]) -> bool:
        """Return whether the granted scopes include one complete set."""
        return not self.scopes or any(needed <= granted for needed in self.scopes)


@dataclass(frozen=True)
class Catalogue:
    """All scopes with their descriptions, and all operations."""

    descriptions: Mapping[str, str]
    kinds: Mapping[str, str]
    sources: Mapping[str, str]
    operations: tuple[Operation, ...]

    def describe(self, scope: str) -> str:
        """Describe what a scope allows, as the consent page does."""
        return self.descriptions.get(scope, "Not described in the public catalogue.")


@cache
def catalogue() -> Catalogue:
    """Read `catalogue.json` once for all sandboxes in the process."""
    text = resources.files("ddoauth_kit").joinpath("catalogue.json").read_text(encoding="utf-8")
    document = json.loads(text)
    scopes = document["scopes"].items()
    return Catalogue(
        descriptions=MappingProxyType({name: scope["description"] for name, scope in scopes}),
        kinds=MappingProxyType({name: scope["kind"] for name, scope in scopes}),
        sources=MappingProxyType({name: scope["source"] for name, scope in scopes}),
        operations=tuple(map(_operation, document["operations"])),
    )


@cache
def _areas() -> Mapping[str, str]:
    return MappingProxyType(
        {f"{entry.method} {entry.path}": entry.area for entry in catalogue().operations}
    )


def area_of(address: str) -> str:
    """Return the product area of the operation with this method and path."""
    return _areas().get(address, "")


def _operation(entry: dict[str, Any]) -> Operation:
    return Operation(
        id=entry["id"],
        method=entry["method"],
        path=entry["path"],
        role=_ROLES[entry["host"]],
        needs_key=entry["auth"] == "api_key",
        scopes=tuple(map(frozenset, entry["scopes"])),
        area=entry["area"],
        path_ids=entry.get("path_ids", _NOTHING),
        query=tuple(entry.get("query", ())),
        body=entry.get("body", ""),
    )
