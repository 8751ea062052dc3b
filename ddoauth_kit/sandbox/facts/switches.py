"""The sandbox's switches, which can be combined with any profile."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Mistakes that the sandbox can tolerate, so that a client's later requests can be seen too.
TOLERANCES: Mapping[str, str] = MappingProxyType(
    {
        "no-pkce": "An authorization request without a code challenge is accepted.",
        "plain-pkce": "The challenge method plain is accepted, and so is a missing method.",
        "any-redirect-uri": "An unregistered redirect URI is accepted.",
        "comma-scopes": "Scopes may be separated by commas.",
        "token-at-app": "The app host answers token and revocation requests.",
    }
)


@dataclass(frozen=True)
class Switches:
    """Settings for behavior that Datadog's pages don't specify, and for possible future changes.

    `rotates` issues a new refresh token with each refresh, `basic` allows HTTP Basic, and without
    `v1_token` the older token endpoint is turned off. `tolerates` names mistakes that the sandbox
    accepts although Datadog refuses them.
    """

    rotates: bool = False
    basic: bool = False
    v1_token: bool = True
    tolerates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lifetime:
    """The lifetime of access tokens and the value of their `expires_in`, both in seconds.

    With `real`, the tokens also expire in real time, regardless of the sandbox's own clock.
    """

    access_token: float = 3600
    claims: float = 3600
    real: bool = False
