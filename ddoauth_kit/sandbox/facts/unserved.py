"""The operations of Datadog's API description that the sandbox does not serve, and why."""

from __future__ import annotations

from dataclasses import dataclass

_OTHER_WAY = "for public clients, which have no secret and do not belong to partners"


@dataclass(frozen=True)
class Unserved:
    """One operation that returns 404 in the sandbox."""

    method: str
    path: str
    why: str

    @property
    def address(self) -> str:
        """Return the method and path."""
        return f"{self.method} {self.path}"


UNSERVED = (
    Unserved("GET", "/", "the web application's own page has this address"),
    Unserved("GET", "/api/v2/oauth2/.well-known/openid-configuration", _OTHER_WAY),
    Unserved("GET", "/api/v2/oauth2/.well-known/sites", _OTHER_WAY),
    Unserved("POST", "/api/v2/cost/budget/csv/validate", "it doesn't ask for a credential"),
    Unserved("POST", "/api/v2/events", "it asks for an application key"),
    Unserved("POST", "/api/v2/oauth2/register", _OTHER_WAY),
)
