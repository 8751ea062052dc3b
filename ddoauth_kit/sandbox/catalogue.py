"""The scopes and operations to serve, read from the data file shared with the client side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CURRENT_USER = "GetCurrentUser"
MARKETPLACE_KEY = "CreateMarketplaceApiKey"


@dataclass(frozen=True)
class Operation:
    """One API operation; any one of its `scopes` sets opens it."""

    id: str
    method: str
    path: str
    role: str
    needs_key: bool
    scopes: tuple[frozenset[str], ...]

    @property
    def reads_data(self) -> bool:
        """Tell whether this takes a customer's data out, by a bearer token."""
        return not self.needs_key and self.id != MARKETPLACE_KEY

    def is_open_to(self, granted: frozenset[str]) -> bool:
        """Tell whether the granted scopes hold one complete set."""
        return not self.scopes or any(needed <= granted for needed in self.scopes)


@dataclass(frozen=True)
class Catalogue:
    """All scopes with their descriptions, and all operations."""

    descriptions: Mapping[str, str]
    operations: tuple[Operation, ...]

    def describe(self, scope: str) -> str:
        """Return what a scope allows, in the words of the consent page."""
        return self.descriptions.get(scope, "Not described in the public catalogue.")


@cache
def catalogue() -> Catalogue:
    """Read `catalogue.json` once for all sandboxes of the process."""
    text = resources.files("ddoauth_kit").joinpath("catalogue.json").read_text(encoding="utf-8")
    document = json.loads(text)
    return Catalogue(
        descriptions=MappingProxyType(
            {name: scope["description"] for name, scope in document["scopes"].items()}
        ),
        operations=tuple(
            Operation(
                id=entry["id"],
                method=entry["method"],
                path=entry["path"],
                role={"api": "api", "logs_intake": "logs", "events_intake": "events"}[
                    entry["host"]
                ],
                needs_key=entry["auth"] == "api_key",
                scopes=tuple(frozenset(scopes) for scopes in entry["scopes"]),
            )
            for entry in document["operations"]
        ),
    )
