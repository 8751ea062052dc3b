"""What a sandbox can be told to do differently, whatever its profile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switches:
    """Hold the choices that Datadog's pages leave open, or that rehearse its future.

    `rotates` gives a new refresh token with each refresh, `basic` lets clients authenticate by
    HTTP Basic, and without `v1_token` the older token endpoint is gone.
    """

    rotates: bool = False
    basic: bool = False
    v1_token: bool = True
