"""Failures on demand: what can fail, how often, and whether it fails this time."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.sandbox_error import SandboxError, meant
from ddoauth_kit.sandbox.state.handling import Handling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Fault:
    """One kind of failure."""

    name: str
    summary: str


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            Fault("server-error", "Token and API requests get 500 with a JSON body."),
            Fault("html-error", "Token and API requests get 502 with an HTML page."),
            Fault("malformed-json", "Token and API responses lose the second half of their JSON."),
            Fault("empty-body", "Token and API responses lose their body."),
            Fault("slow", "Token and API responses arrive three seconds late."),
            Fault("hang", "Token and API requests get no response for a minute."),
            Fault("cut-off", "Token and API responses are cut off before their announced end."),
            Fault(
                "rate-limited",
                ("Token and API requests get 429 with the number of seconds to wait."),
            ),
            Fault("echo-secret", "Token and API requests get a 400 that echoes the request."),
            Fault("denied-consent", "The customer's approval counts as a denial."),
            Fault("script-error", "Consent fails, and the error's description contains a script."),
            Fault("wrong-state", "The redirect has a different state from the request."),
            Fault("missing-state", "The redirect has no state."),
            Fault("duplicate-code", "The redirect contains the code twice."),
            Fault("foreign-domain", "The redirect names a domain that does not belong to Datadog."),
            Fault("wrong-domain", "The redirect names another Datadog site."),
            Fault("inconsistent-site", "The redirect's site and domain contradict each other."),
            Fault("narrowed-scopes", "The grant has one fewer scope than requested."),
            Fault(
                "duplicate-callback",
                "The sandbox calls a loopback redirect URI before the browser does.",
            ),
            Fault("expired-code", "The authorization code counts as expired."),
            Fault("spent-code", "The authorization code counts as already used."),
            Fault("token-endpoint-gone", "Token requests get 404, as if the endpoint had moved."),
            Fault(
                "token-redirect",
                "Token requests get a 307 redirect to a host that is not Datadog's.",
            ),
            Fault("error-with-200", "Token requests get 200 with an error in the body."),
            Fault(
                "other-error-shape",
                "A refused token request gets the error format of the other token endpoint.",
            ),
            Fault("lost-answer", "Tokens are issued, but the response is cut off."),
            Fault("no-refresh-token", "The response to a refresh contains no refresh token."),
            Fault("other-site-token", "The access token belongs to another Datadog site."),
            Fault("expired-token", "The access token of an API call counts as expired."),
            Fault(
                "clock-skew",
                ("The Date header is an hour ahead, and new access tokens expire at once."),
            ),
            Fault("revoked-grant", "The grant is revoked before its next refresh or API call."),
            Fault("app-disabled", "The app is disabled before a refresh or an API call."),
            Fault("key-exists", "Creating the API key gets 409, as if it already existed."),
        )
    }
)


@dataclass
class _Active:
    """One injected fault, and how many more times it will occur."""

    name: str
    count: float = math.inf
    probability: float = 1.0
    org: str | None = None
    attempt: str | None = None

    def concerns(self, handling: Handling) -> bool:
        """Return whether the fault applies to the current organization and attempt."""
        return self.org in {None, handling.org} and self.attempt in {None, handling.attempt}


class FaultPlan:
    """The faults injected into one sandbox.

    A fault with a count occurs that many times. A fault with a probability occurs at random, but
    follows the same pattern for the same seed. A fault for an organization or an attempt affects
    only its requests.
    """

    def __init__(self, *, seed: str, handling: Handling | None = None) -> None:
        # A pattern of failures is not secret, and it must be repeatable.
        self._random = random.Random(f"faults:{seed}")  # noqa: S311
        self._active: list[_Active] = []
        self._first: tuple[str, ...] = ()
        self._handling = handling or Handling()

    def inject(self, spec: str, *, org: str | None = None, attempt: str | None = None) -> None:
        """Add a fault written as NAME, NAME:COUNT or NAME:PROBABILITY (a float with a dot)."""
        self._active.append(replace(parse_fault(spec), org=org, attempt=attempt))

    def inject_first(self, specs: Iterable[str]) -> None:
        """Add faults that are active from the start and again after a reset."""
        self._first = tuple(specs)
        for spec in self._first:
            self.inject(spec)

    def clear(self, *, org: str | None = None) -> None:
        """Remove all faults, or those of one organization."""
        kept = [] if org is None else [each for each in self._active if each.org != org]
        self._active = kept

    def reset(self) -> None:
        """Restore the initial faults."""
        self._active = [parse_fault(spec) for spec in self._first]

    def strikes(self, name: str) -> bool:
        """Return whether this fault occurs now, and decrement its count if it does."""
        for active in self._active:
            if active.name == name and active.count > 0 and self._happens(active):
                active.count -= 1
                self._handling.struck.append(name)
                return True
        return False

    def _happens(self, active: _Active) -> bool:
        if not active.concerns(self._handling):
            return False
        return active.probability >= 1.0 or self._random.random() < active.probability


def parse_fault(spec: str) -> _Active:
    """Read a fault in command-line format."""
    name, colon, amount = spec.partition(":")
    if name not in FAULTS:
        known = ", ".join(FAULTS)
        raise SandboxError(f"unknown fault {name!r}.{meant(name, FAULTS)} The faults are: {known}")
    if not colon:
        return _Active(name)
    if "." in amount:
        return _Active(name, probability=_probability(spec, amount))
    if not (amount.isascii() and amount.isdigit() and int(amount) > 0):
        raise SandboxError(
            f"bad fault {spec!r}; write {name}:2 for a count or {name}:0.5 for a probability"
        )
    return _Active(name, count=int(amount))


def _probability(spec: str, amount: str) -> float:
    try:
        value = float(amount)
    except ValueError:
        value = math.nan
    if not 0.0 < value <= 1.0:
        raise SandboxError(f"bad fault {spec!r}; a probability is above 0.0 and at most 1.0")
    return value
