"""Named profiles that change the sandbox's responses from Datadog's documented default."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.sandbox_error import SandboxError, meant

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Profile:
    """The changes that one profile makes; the defaults follow Datadog."""

    name: str
    summary: str
    rfc_errors: bool = False
    validates_first: bool = False
    oauth_data: bool = True
    misses_products: bool = False
    shapes_errors: bool = False
    rate_limit: int = 6000
    rate_period: int = 60


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("datadog", "Responds with Datadog's bodies and status codes."),
            Profile(
                "rfc",
                "Answers like RFC 6749 also at the v1 token endpoint, and like RFC 6750 at the "
                "API.",
                rfc_errors=True,
            ),
            Profile(
                "validate-first",
                "Returns 400 and 404 before it checks scopes, but after it checks the token.",
                validates_first=True,
            ),
            Profile(
                "no-oauth",
                "Returns 401 for bearer tokens, except for reading the current user and creating "
                "the API key.",
                oauth_data=False,
            ),
            Profile(
                "products-missing",
                "Returns 404 on sites without the operation's product, before all other checks.",
                misses_products=True,
            ),
            Profile(
                "error-shapes",
                "Writes refusals in four formats and content types, depending on the product.",
                shapes_errors=True,
            ),
            Profile(
                "rate-limits",
                "Allows three calls per operation in ten seconds of sandbox time, then 429.",
                rate_limit=3,
                rate_period=10,
            ),
        )
    }
)


def find_profile(name: str) -> Profile:
    """Return the profile with this name, or raise an error that lists the profiles."""
    try:
        return PROFILES[name]
    except KeyError:
        known = ", ".join(PROFILES)
        raise SandboxError(
            f"unknown profile {name!r}.{meant(name, PROFILES)} The profiles are: {known}"
        ) from None
