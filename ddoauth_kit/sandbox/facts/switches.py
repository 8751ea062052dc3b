"""The sandbox's switches, which work with every profile."""

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
        "plain-pkce": "The challenge method plain works, and so does a missing method.",
        "any-redirect-uri": "An unregistered redirect URI works.",
        "comma-scopes": "Scopes may be separated by commas.",
        "token-at-app": "The app host answers token and revocation requests.",
    }
)


@dataclass(frozen=True)
class Switches:
    """Hold settings for what Datadog's pages leave open, and for possible future changes.

    `rotates` issues a new refresh token with each refresh, `basic` allows HTTP Basic, and without
    `v1_token` the older token endpoint is gone. `tolerates` names mistakes that the sandbox accepts
    although Datadog refuses them.
    """

    rotates: bool = False
    basic: bool = False
    v1_token: bool = True
    tolerates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lifetime:
    """Say how long access tokens live, and what their `expires_in` says; both are in seconds.

    With `real`, the tokens also expire in real time, whatever the sandbox's own clock says.
    """

    access_token: float = 3600
    claims: float = 3600
    real: bool = False
