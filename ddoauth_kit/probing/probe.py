"""Describe the call that shows whether a scope works, and build its requests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from ddoauth_kit.http.message import Pairs, Request

if TYPE_CHECKING:
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.probing.catalogue import Operation, ScopeSet


class Writes(StrEnum):
    """Name how far probes may go.

    `none` reads only; `harmless` adds writes that cannot change anything; `round-trip` creates
    something of its own, reads, changes and deletes it.
    """

    NONE = "none"
    HARMLESS = "harmless"
    ROUND_TRIP = "round-trip"


class Flow(StrEnum):
    """Name the direction of data (Datadog's page on OAuth asks for each scope's data flow)."""

    OUT = "data out"
    EDIT = "edit"
    IN = "data in"


class Approach(StrEnum):
    """Name how a probe tests a scope.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneScope:
    """Hold what the probes of all kinds have; `area` is the product area of the scope."""

    scope: str
    flow: Flow
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoProbe(_OneScope):
    """Hold the reason why no call is made for a scope."""

    approach: Approach
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryProbe(_OneScope):
    """Stand for the scope that creates the API key: data sent with the key proves it."""

    approach: ClassVar[Approach] = Approach.TELEMETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class _WithOperation(_OneScope):
    """Hold an operation that a scope opens; `alternatives` are sets that open it without it."""

    operation: Operation
    alternatives: tuple[ScopeSet, ...] = ()

    def explained_by(self, granted: ScopeSet) -> tuple[str, ...]:
        """Return the granted scopes that would open the operation without this one, sorted."""
        held = [names for names in self.alternatives if names <= granted]
        return tuple(sorted(frozenset().union(*held)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTripProbe(_WithOperation):
    """Stand for a round trip, which begins with the operation that creates something."""

    approach: ClassVar[Approach] = Approach.ROUND_TRIP


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProbe(_WithOperation):
    """Hold one call for one scope.

    `path` and `query` are filled in. `listing` is where an id for `{…}` in the operation's path
    comes from; `path` then has one that does not exist. `companions` are the scopes needed beside
    this one.
    """

    approach: Approach
    path: str
    query: Pairs = ()
    body: Any = None
    listing: Operation | None = None
    companions: ScopeSet = frozenset()

    @property
    def expects_data(self) -> bool:
        """Return whether a success would carry data."""
        return self.approach in EXPECTS_DATA


Probe: TypeAlias = CallProbe | RoundTripProbe | TelemetryProbe | NoProbe


def probe_request(probe: CallProbe, *, tokens: TokenSet) -> Request:
    """Build the call of a probe; it changes nothing, so it may be repeated."""
    return Request(
        purpose=f"probe of {probe.scope}",
        method=probe.operation.method,
        site=tokens.site,
        host=probe.operation.host,
        path=probe.path,
        query=probe.query,
        headers=(("authorization", tokens.access_token),),
        body=probe.body,
        repeatable=True,
        trial=True,
    )


def listing_request(scope: str, listing: Operation, *, tokens: TokenSet) -> Request:
    """Build the listing that gives the probe of a scope the id of something that exists."""
    return Request(
        purpose=f"listing for {scope}",
        method=listing.method,
        site=tokens.site,
        host=listing.host,
        path=listing.path,
        headers=(("authorization", tokens.access_token),),
        repeatable=True,
        trial=True,
    )
