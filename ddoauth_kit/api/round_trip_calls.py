"""List the round trips: for each write scope that partners ask for, calls that leave nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.api.round_trips import RoundTrip

ROUND_TRIPS: Final[Mapping[str, RoundTrip]] = {}
