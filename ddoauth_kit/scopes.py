"""List Datadog's OAuth scopes, and compare requested scopes with granted ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ddoauth_kit.errors.near_names import nearest


@cache
def known_scopes() -> frozenset[str]:
    """Return the scopes in Datadog's OpenAPI spec and the additional ones that partners have.

    More scopes exist than are listed here, so an unlisted name deserves a warning rather than an
    error.
    """
    text = resources.files("ddoauth_kit").joinpath("catalogue.json").read_text("utf-8")
    return frozenset(json.loads(text)["scopes"])


def unknown_scope(name: str) -> str:
    """Say that a scope is unknown, and suggest similar names."""
    return f"Scope {name[:80]!a} is not a known scope.{nearest(name, known_scopes())}"


def parse_scopes(text: str) -> tuple[str, ...]:
    """Split a scope string, without duplicates, in order (RFC 6749 3.3).

    Scopes are separated by spaces. Scope names don't contain commas, so a comma in a server's
    response is treated as a space.
    """
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


@dataclass(frozen=True, slots=True)
class GrantedScopes:
    """The requested scopes, and the scopes that the token response granted (RFC 6749 5.1)."""

    requested: tuple[str, ...]
    granted: tuple[str, ...]

    @property
    def withheld(self) -> tuple[str, ...]:
        """Return the requested scopes that weren't granted; administrators can restrict apps."""
        return tuple(scope for scope in self.requested if scope not in self.granted)

    @property
    def unasked(self) -> tuple[str, ...]:
        """Return the scopes that were granted without being requested."""
        return tuple(scope for scope in self.granted if scope not in self.requested)

    def __contains__(self, scope: object) -> bool:
        return scope in self.granted
