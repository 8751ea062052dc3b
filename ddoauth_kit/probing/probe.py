"""Describe the call that shows whether a scope works, and build its request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ddoauth_kit.oauth.tokens import api_request

if TYPE_CHECKING:
    from ddoauth_kit.http.message import Pairs, Request
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.probing.catalogue import Operation, ScopeSet


class Writes(StrEnum):
    """How far probes may go.

    `none` allows only reads. `harmless` also allows writes that can't change anything. `round-trip`
    creates an object, then reads, changes and deletes it.
    """

    NONE = "none"
    HARMLESS = "harmless"
    ROUND_TRIP = "round-trip"


class Flow(StrEnum):
    """The direction in which data flows; Datadog's page on OAuth asks for this for each scope."""

    OUT = "data out"
    EDIT = "edit"
    IN = "data in"


class Approach(StrEnum):
    """How a probe tests a scope.

    `read` and `search` expect data; `listed` reads an item from a listing; `absent` addresses
    something that doesn't exist; `unacceptable` sends a body without its required fields. `held
    back` means that only a write could test the scope, and `nothing` means that no call can.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneScope:
    """The fields that all probes share; `area` is the scope's product area."""

    scope: str
    flow: Flow
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoProbe(_OneScope):
    """The reason why a scope is not probed."""

    approach: Approach
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryProbe(_OneScope):
    """The scope that creates the API key; data sent with that key proves the scope."""

    approach: ClassVar[Approach] = Approach.TELEMETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class _WithOperation(_OneScope):
    """An operation that a scope opens; `alternatives` lists other sets that open it, too."""

    operation: Operation
    alternatives: tuple[ScopeSet, ...] = ()

    def explained_by(self, granted: ScopeSet) -> tuple[str, ...]:
        """Return, in order, the granted scopes that would open the operation without this one."""
        held = [names for names in self.alternatives if names <= granted]
        return tuple(sorted(frozenset().union(*held)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTripProbe(_WithOperation):
    """A round trip, which begins with the operation that creates an object."""

    approach: ClassVar[Approach] = Approach.ROUND_TRIP


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProbe(_WithOperation):
    """One call for one scope.

    `path` and `query` are complete. `listing` is the operation that provides an id for `{…}` in the
    operation's path; until it has been called, `path` contains an id that doesn't exist.
    `companions` lists the scopes that are needed in addition to this one.
    """

    approach: Approach
    path: str
    query: Pairs = ()
    body: Any = None
    listing: Operation | None = None
    companions: ScopeSet = frozenset()


Probe: TypeAlias = CallProbe | RoundTripProbe | TelemetryProbe | NoProbe


def probe_request(probe: CallProbe, *, tokens: TokenSet) -> Request:
    """Build a probe's call, which doesn't change anything, so the sender may repeat it."""
    return api_request(
        tokens,
        f"probe of {probe.scope}",
        probe.path,
        method=probe.operation.method,
        host=probe.operation.host,
        query=probe.query,
        body=probe.body,
        repeatable=True,
        trial=True,
    )


def listing_request(scope: str, listing: Operation, *, tokens: TokenSet) -> Request:
    """Build the listing request that finds an existing id for a scope's probe."""
    what = f"listing for {scope}"
    return api_request(tokens, what, listing.path, host=listing.host, trial=True)
