"""Describe the one call that tells whether a scope works, and build its requests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.http.message import Pairs, Request

if TYPE_CHECKING:
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.probing.catalogue import Operation, ScopeSet


class Writes(StrEnum):
    """Name how far probes may go.

    `none` reads only; `harmless` adds writes that can change nothing; `round-trip` creates
    something of its own, reads, changes and deletes it.
    """

    NONE = "none"
    HARMLESS = "harmless"
    ROUND_TRIP = "round-trip"


class Flow(StrEnum):
    """Name which way data goes (Datadog's page on OAuth asks for data flow in each scope)."""

    OUT = "data out"
    EDIT = "edit"
    IN = "data in"


class Approach(StrEnum):
    """Name how a probe can tell.

    `read` and `search` expect data; `listed` reads one thing out of a listing; `absent` aims at
    what does not exist; `unacceptable` sends a body that lacks what it must have. `held back`
    means that only writes could tell, `nothing` that no call can.
    """

    READ = "read"
    SEARCH = "search"
    LISTED = "listed"
    ABSENT = "absent"
    UNACCEPTABLE = "unacceptable"
    ROUND_TRIP = "round-trip"
    TELEMETRY = "telemetry"
    HELD_BACK = "held back"
    NOTHING = "nothing"


EXPECTS_DATA: Final = frozenset({Approach.READ, Approach.SEARCH, Approach.LISTED})


@dataclass(frozen=True, slots=True)
class Probe:
    """Hold the call for one scope, or the reason why there is none.

    `path` and `query` are filled in. `listing` is where an id for `{…}` in the operation's path
    comes from; `path` then has one that does not exist. `companions` are the scopes needed beside
    this one, `alternatives` the sets that open the operation without it.
    """

    scope: str
    flow: Flow
    approach: Approach
    area: str = ""
    operation: Operation | None = None
    path: str = ""
    query: Pairs = ()
    body: Any = None
    listing: Operation | None = None
    companions: ScopeSet = frozenset()
    alternatives: tuple[ScopeSet, ...] = ()
    reason: str = ""

    @property
    def expects_data(self) -> bool:
        """Tell whether a success would carry data."""
        return self.approach in EXPECTS_DATA

    def explained_by(self, granted: ScopeSet) -> tuple[str, ...]:
        """Return the granted scopes that would open the operation without this one, sorted."""
        held = [names for names in self.alternatives if names <= granted]
        return tuple(sorted(frozenset().union(*held)))


def probe_request(probe: Probe, *, tokens: TokenSet) -> Request:
    """Build the call of a probe; it changes nothing, so it may be repeated."""
    operation = probe.operation
    if operation is None:
        raise ValueError(probe.reason)
    return Request(
        purpose=f"probe of {probe.scope}",
        method=operation.method,
        site=tokens.site,
        host=operation.host,
        path=probe.path,
        query=probe.query,
        headers=(("authorization", tokens.access_token),),
        body=probe.body,
        repeatable=True,
        trial=True,
    )


def listing_request(probe: Probe, *, tokens: TokenSet) -> Request:
    """Build the listing that gives a probe the id of something that exists."""
    operation = probe.listing
    if operation is None:
        raise ValueError(f"The probe of {probe.scope} needs no listing.")
    return Request(
        purpose=f"listing for {probe.scope}",
        method=operation.method,
        site=tokens.site,
        host=operation.host,
        path=operation.path,
        headers=(("authorization", tokens.access_token),),
        repeatable=True,
        trial=True,
    )
