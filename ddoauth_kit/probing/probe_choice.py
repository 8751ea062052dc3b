"""Choose the safest call that distinguishes a granted scope from a missing one."""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import (
    Approach,
    CallProbe,
    Flow,
    NoProbe,
    Probe,
    RoundTripProbe,
    TelemetryProbe,
    Writes,
)
from ddoauth_kit.probing.request_values import (
    SEARCHES_FOR_NOTHING,
    absent_path,
    filled_query,
    names_something,
    search_body,
)
from ddoauth_kit.probing.round_trips import ROUND_TRIPS
from ddoauth_kit.scopes import unknown_scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ddoauth_kit.probing.catalogue import Operation, ScopeSet

KEY_SCOPE: Final = "api_keys_write"
_METHODS: Final = ("GET", "DELETE", "PATCH", "PUT", "POST")
_APPROACHES: Final = tuple(Approach)
_NO_FIELDS: Final = frozenset({"", "any", "optional"})
# Calls that might act on an incomplete body: an import, a paid investigation, a page to a person.
_NEVER: Final = frozenset(
    {
        "POST /api/v2/bits-ai/investigations",
        "POST /api/v2/on-call/pages",
        "POST /api/v2/team/sync",
    }
)


@lru_cache(maxsize=1024)
def choose_probe(scope: str, *, granted: ScopeSet, writes: Writes, now: datetime) -> Probe:
    """Return the best probe for a scope, given a token with the granted scopes.

    The order of preference is reads before writes, then calls that no other granted scope opens,
    then calls with fewer parameters. `now` is for the times that a call requires.
    """
    if scope == KEY_SCOPE:
        return TelemetryProbe(scope=scope, flow=Flow.IN, area="Key Management")
    if writes is Writes.ROUND_TRIP and scope in ROUND_TRIPS:
        return _round_trip(scope)
    found = [
        probe
        for operation in catalogue().opened_by(scope)
        for probe in _probes(scope, operation, granted=granted, now=now)
    ]
    allowed = [p for p in found if writes is not Writes.NONE or p.flow is Flow.OUT]
    if allowed:
        return min(allowed, key=lambda probe: _rank(probe, granted))
    return _nothing(scope, held_back=bool(found))


def _round_trip(scope: str) -> RoundTripProbe:
    """Return the round-trip probe, with the other scopes that may allow the creation."""
    create = ROUND_TRIPS[scope].create
    operation = catalogue().by_address[f"{create.method} {create.path}"]
    return RoundTripProbe(
        scope=scope,
        flow=Flow.EDIT,
        area=area_of(scope),
        operation=operation,
        alternatives=operation.alternatives(scope),
    )


def _rank(probe: CallProbe, granted: ScopeSet) -> tuple[Any, ...]:
    operation = probe.operation
    return (
        not probe.companions <= granted,
        bool(probe.explained_by(granted)),
        _APPROACHES.index(probe.approach),
        operation.deprecated,
        operation.preview,
        len(probe.companions),
        len(operation.query),
        _METHODS.index(operation.method),
        len(operation.path_ids),
        len(operation.path),
        operation.path,
    )


def _probes(
    scope: str, operation: Operation, *, granted: ScopeSet, now: datetime
) -> Iterator[CallProbe]:
    """Yield the safe ways to call an operation, for each set of scopes that includes this one."""
    query = filled_query(operation.query, now=now)
    listing = _listing(operation, granted)
    path = absent_path(operation.path, path_ids=operation.path_ids)
    for companions in operation.companions(scope) if query is not None else ():
        for approach, flow, body in _ways(operation, now=now, listed=listing is not None):
            yield CallProbe(
                scope=scope,
                flow=flow,
                approach=approach,
                area=area_of(scope),
                operation=operation,
                path=path,
                query=query or (),
                body=body,
                listing=listing if approach is Approach.LISTED else None,
                companions=companions,
                alternatives=operation.alternatives(scope),
            )


def _ways(
    operation: Operation, *, now: datetime, listed: bool
) -> Iterator[tuple[Approach, Flow, Any]]:
    if operation.method == "GET":
        aimed = Approach.LISTED if listed else Approach.ABSENT
        yield (aimed if operation.path_ids else Approach.READ), Flow.OUT, None
    elif (body := search_body(operation.address, now=now)) is not None:
        empty = operation.address in SEARCHES_FOR_NOTHING
        yield (Approach.ABSENT if empty else Approach.SEARCH), Flow.OUT, body
    elif approach := _harmless(operation):
        yield approach, Flow.EDIT, ({} if operation.body else None)


def _harmless(operation: Operation) -> Approach | None:
    """Return a harmless target for a write, or None if the write could change something."""
    if operation.address in _NEVER:
        return None
    has_fields = operation.body not in _NO_FIELDS
    if any(names_something(kind) for kind in operation.path_ids.values()):
        # A PUT may create a name that doesn't exist yet, and an action doesn't need a body.
        deletes = operation.method == "DELETE" and not operation.body
        changes = operation.method == "PATCH" and bool(operation.body)
        return Approach.ABSENT if deletes or changes or has_fields or _runs(operation) else None
    return Approach.UNACCEPTABLE if operation.method == "POST" and has_fields else None


def _runs(operation: Operation) -> bool:
    return operation.method == "POST" and operation.body == "any"


def _listing(operation: Operation, granted: ScopeSet) -> Operation | None:
    """Return the listing that provides a path's only id, if the token may call that listing."""
    path, _, last = operation.path.rpartition("/")
    if len(operation.path_ids) != 1 or not last.startswith("{"):
        return None
    found = catalogue().by_address.get(f"GET {path}")
    usable = found and not found.path_ids and not found.query and found.is_open_to(granted)
    return found if usable else None


@cache
def area_of(scope: str) -> str:
    """Return a scope's product area, which is the area of most operations that it opens."""
    opened = catalogue().opened_by(scope) or catalogue().permitted_by(scope)
    areas = Counter(operation.area for operation in opened)
    return areas.most_common(1)[0][0] if areas else "No public operation"


def flow_of(scope: str) -> Flow:
    """Return the direction in which a scope's data flows, if its calls don't show it."""
    known = catalogue().scopes.get(scope)
    return Flow.OUT if known and known.kind == "read" else Flow.EDIT


def _nothing(scope: str, *, held_back: bool) -> NoProbe:
    approach = Approach.HELD_BACK if held_back else Approach.NOTHING
    reason = (
        ("Only a write can test this scope, and you did not ask for writes.")
        if held_back
        else _why_none(scope)
    )
    return NoProbe(
        scope=scope, flow=flow_of(scope), area=area_of(scope), approach=approach, reason=reason
    )


def _why_none(scope: str) -> str:
    if scope not in catalogue().scopes:
        return f"{unknown_scope(scope)} Datadog's list is longer than the catalogue."
    if opened := catalogue().opened_by(scope):
        if len(opened) == 1:
            return "The only operation that it allows cannot be called safely."
        return f"None of the {len(opened)} operations that it allows can be called safely."
    if permitted := catalogue().permitted_by(scope):
        return (
            f"The API description names no operation for this scope; {permitted[0].address} needs "
            "a permission of the same name, which proves nothing about the scope."
        )
    return "The API description names no operation for this scope."
