"""Define what a lab talks to, and how a sandbox differs from real Datadog."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.workbook.lab.customer import Customer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.callback.addresses import CallbackUrls
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.sandbox.server.journal import JournalEntry
    from ddoauth_kit.sites import Site
    from ddoauth_kit.store import ChosenStore
    from ddoauth_kit.workbook.show.cards import Skipped


class Mode(StrEnum):
    """The kind of server that the lab talks to."""

    SANDBOX = "sandbox"
    LIVE = "live"


@dataclass(frozen=True, kw_only=True)
class Backend(ABC):
    """The parts of a lab for one site.

    Without `owned`, `close` does nothing, because another lab opened the parts. `person` replaces
    the backend's own method: it turns an authorization request into the redirect or the checked
    response.
    """

    site: Site
    oauth: OAuthClient
    store: ChosenStore
    writes: bool
    owned: bool = True
    person: Callable[[AuthorizationRequest], AuthorizationResponse | str] | None = None

    @property
    @abstractmethod
    def mode(self) -> Mode:
        """Return whether this is real Datadog."""

    @property
    @abstractmethod
    def talks_to(self) -> str:
        """Return a human-readable description of the server."""

    @property
    def chances(self) -> int:
        """Return how many redirects one attempt accepts; a person may mistype."""
        return 1

    @property
    def customer(self) -> Customer:
        """Return the one who clicks on the customer's pages."""
        return Customer(self.site, sandbox=self.mode is Mode.SANDBOX)

    @property
    def organizations(self) -> tuple[str, ...]:
        """Return the ids of the site's organizations, if a script may consent for them."""
        return ()

    @property
    def register(self) -> Callable[[CallbackUrls], None] | None:
        """Return a function that adds a redirect URI to the client, if that is possible."""
        return None

    def authorized(self, request: AuthorizationRequest) -> AuthorizationResponse:
        """Get consent as the mode requires, and check the redirect.

        Raises:
            AuthorizationError: consent was denied, or the redirect cannot be trusted.
        """
        answer = (self.person or self.consent)(request)
        if isinstance(answer, AuthorizationResponse):
            return answer
        return self.oauth.receive(answer, session=ONE_PERSON)

    @abstractmethod
    def consent(self, request: AuthorizationRequest) -> AuthorizationResponse | str:
        """Return the redirect for a request, or the checked response."""

    @abstractmethod
    def drill(self, name: str) -> DdoauthError | Skipped:
        """Cause a failure in a separate sandbox."""

    @abstractmethod
    def elsewhere(self, site: str) -> Backend:
        """Return this backend for another site.

        Raises:
            InputError: the site is unknown, or has no registration.
        """

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Let time pass."""

    @abstractmethod
    def close(self) -> None:
        """Close everything that was opened here."""

    def inject(self, fault: str) -> None:
        """Make this kernel's sandbox fail from now on.

        Raises:
            InputError: `no_own_sandbox`, or `unknown_fault`.
        """
        what = f"This lab doesn't have its own sandbox, so nothing can show the fault {fault!r}."
        raise InputError("no_own_sandbox", what)

    def journal(self) -> Sequence[JournalEntry] | None:
        """Return the requests that this kernel's sandbox received, or None without a sandbox."""
        return None
