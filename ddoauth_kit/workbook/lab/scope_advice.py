"""Determine which scopes a set of calls needs, and which ones it doesn't need.

Datadog asks partners to request the minimum ("OAuth for integrations", scopes). This module finds
that minimum, as far as Datadog's OpenAPI spec describes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.catalogue import Operation, ScopeSet, catalogue
from ddoauth_kit.scopes import GrantedScopes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.exchange import Exchange

_SUCCESS: Final = range(200, 300)
_OAUTH_PATHS: Final = "/oauth2/"


@dataclass(frozen=True, slots=True)
class Call:
    """One API call: a method, and a path or URL."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class CallNeeds:
    """What one call needs; `operation` is None if the catalogue does not list it.

    `scopes` contains the scopes chosen for the call so that all calls together need the fewest.
    """

    call: Call
    operation: Operation | None
    scopes: ScopeSet = frozenset()

    @property
    def note(self) -> str:
        """Return a note about anything concerning this call that the scopes alone don't show."""
        if self.operation is None:
            return "not in the catalogue"
        if self.operation.needs_key:
            return "needs the API key, and creating it needs api_keys_write"
        if self.scopes:
            return ""
        needed = ", ".join(self.operation.permissions)
        return f"names no scope; permissions: {needed}" if needed else "needs no scope"


@dataclass(frozen=True, slots=True)
class ScopeNeeds:
    """The smallest set of scopes that opens a list of calls, sorted, and each call's needs."""

    scopes: tuple[str, ...]
    calls: tuple[CallNeeds, ...]


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """The requested, granted and used scopes, each in their original order."""

    requested: tuple[str, ...]
    granted: tuple[str, ...]
    used: tuple[str, ...]

    @property
    def not_granted(self) -> tuple[str, ...]:
        """Return the scopes that were requested but not granted."""
        return tuple(scope for scope in self.requested if scope not in self.granted)

    @property
    def not_used(self) -> tuple[str, ...]:
        """Return the scopes that were granted but not needed."""
        return tuple(scope for scope in self.granted if scope not in self.used)


def read_call(text: str) -> Call:
    """Parse a call that a person typed, such as `GET /api/v1/monitor`; a full URL also works.

    Raises:
        InputError: `unknown_call`, if the text is not a method and a path.
    """
    method, address, *_ = *text.split(), "", ""  # in a log, the protocol may follow the path
    try:
        path = urlsplit(address).path
    except ValueError:
        path = ""
    if not (method.isascii() and method.isalpha() and path.startswith("/")):
        what = f"{text!r} is not a call; write a method and a path, such as GET /api/v1/monitor."
        raise InputError("unknown_call", what)
    return Call(method.upper(), path)


def calls_of(exchanges: Iterable[Exchange]) -> tuple[Call, ...]:
    """Return a transcript's successful API calls, excluding duplicates and OAuth's own calls."""
    calls = (
        Call(exchange.method, exchange.facts.path)
        for exchange in exchanges
        if exchange.status in _SUCCESS
    )
    return tuple(dict.fromkeys(call for call in calls if _OAUTH_PATHS not in call.path))


def smallest_scopes(calls: Iterable[Call | str]) -> ScopeNeeds:
    """Return the fewest scopes that open all calls, preferring scopes that other calls need.

    Raises:
        InputError: `unknown_call`, if a string is not a call.
    """
    read = [read_call(call) if isinstance(call, str) else call for call in calls]
    found = [(call, catalogue().find(call.method, call.path)) for call in read]
    ways = {operation.address: _ways(operation) for _, operation in found if operation}
    chosen = _fewest(ways)
    needs = tuple(
        CallNeeds(call, operation, chosen[operation.address] if operation else frozenset())
        for call, operation in found
    )
    return ScopeNeeds(tuple(sorted(frozenset().union(*(need.scopes for need in needs)))), needs)


def scope_use(scopes: GrantedScopes, *, exchanges: Iterable[Exchange]) -> ScopeUse:
    """Compare a grant's scopes with the minimum that the calls in a transcript needed."""
    granted = frozenset(scopes.granted)
    called = (catalogue().find(call.method, call.path) for call in calls_of(exchanges))
    ways = {
        operation.address: tuple(way for way in _ways(operation) if way <= granted)
        for operation in called
        if operation
    }
    chosen = _fewest({address: open_ways for address, open_ways in ways.items() if open_ways})
    used = frozenset().union(*chosen.values())
    return ScopeUse(
        requested=scopes.requested,
        granted=scopes.granted,
        used=tuple(scope for scope in scopes.granted if scope in used),
    )


def unused_scopes(scopes: Iterable[str], *, exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    """Return the scopes that no call in a transcript needed; probes don't count.

    The result is only as good as the transcript: a call that is missing from it counts as not made.
    """
    asked = tuple(scopes)
    called = (each for each in exchanges if not each.facts.trial)
    return scope_use(GrantedScopes(requested=asked, granted=asked), exchanges=called).not_used


def missing_scopes(call: Call | str, *, granted: Iterable[str]) -> tuple[ScopeSet, ...]:
    """Return the sets of scopes that would have opened a refused call, smallest first.

    The list is empty if the granted scopes are sufficient, which means that the cause lies
    elsewhere, or if the call is unknown.

    Raises:
        InputError: `unknown_call`, if a string is not a call.
    """
    asked = read_call(call) if isinstance(call, str) else call
    operation = catalogue().find(asked.method, asked.path)
    held = frozenset(granted)
    ways = _ways(operation) if operation else ()
    if _open(ways, held) is not None:
        return ()
    return tuple(sorted((way - held for way in ways), key=len))


def _ways(operation: Operation) -> tuple[ScopeSet, ...]:
    if operation.needs_key:
        return (frozenset({"api_keys_write"}),)
    return operation.scope_sets


def _fewest(ways: dict[str, tuple[ScopeSet, ...]]) -> dict[str, ScopeSet]:
    """Choose one set per operation so that the union is smallest; the spec's order breaks ties."""
    fixed = frozenset().union(*(sets[0] for sets in ways.values() if len(sets) == 1))
    # Operations share their alternatives: the spec has only eight different ones, so this stays
    # small.
    undecided = dict.fromkeys(
        ways[address]
        for address in catalogue().by_address
        if address in ways and _open(ways[address], fixed) is None
    )
    union = min((fixed.union(*picked) for picked in product(*undecided)), key=len)
    chosen = {address: _open(sets, union) for address, sets in ways.items()}
    return {address: way for address, way in chosen.items() if way is not None}


def _open(sets: tuple[ScopeSet, ...], scopes: ScopeSet) -> ScopeSet | None:
    """Return the smallest set that these scopes contain completely, or None."""
    return min((names for names in sets if names <= scopes), key=len, default=None)
