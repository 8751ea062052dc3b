"""Hold what a lab is made of, and whether it is real."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
from ddoauth_kit.oauth.client import ONE_PERSON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.callback.addresses import CallbackUrls
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.sandbox.server.journal import JournalEntry
    from ddoauth_kit.sites import Site
    from ddoauth_kit.store import ChosenStore
    from ddoauth_kit.workbook.lab.customer import Customer
    from ddoauth_kit.workbook.show.cards import Skipped


class Mode(StrEnum):
    """Name what the lab talks to."""

    SANDBOX = "sandbox"
    LIVE = "live"


def refuse_faults(fault: str) -> None:
    """Say that there is no sandbox to misbehave.

    Raises:
        InputError: `sandbox_not_started`.
    """
    what = f"This lab has no sandbox of its own, so nothing can show the fault {fault!r}."
    raise InputError("sandbox_not_started", what)


@dataclass(frozen=True, slots=True)
class Backend:
    """Hold what a lab is made of.

    `consent` turns an authorization request into the redirect that answers it, or into the checked
    answer, `drill` runs a named drill, `pause` lets seconds pass, `close` ends what was opened.
    `elsewhere` returns the same parts for another site. `register` gives the client one more
    address to listen at, where that can be done: in a sandbox. `talks_to` is for people. With a
    sandbox of this kernel's own `inject` makes it fail on request, and `journal` says what it was
    asked for.
    `organizations` are the ids of the site's organizations, where a script may consent for them.
    """

    mode: Mode
    site: Site
    oauth: OAuthClient
    store: ChosenStore
    customer: Customer
    consent: Callable[[AuthorizationRequest], AuthorizationResponse | str]
    drill: Callable[[str], DdoauthError | Skipped]
    pause: Callable[[float], None]
    close: Callable[[], None]
    writes: bool
    elsewhere: Callable[[str], Backend]
    talks_to: str
    register: Callable[[CallbackUrls], None] | None = None
    inject: Callable[[str], None] = refuse_faults
    journal: Callable[[], Sequence[JournalEntry]] | None = None
    organizations: tuple[str, ...] = ()

    def authorized(self, request: AuthorizationRequest) -> AuthorizationResponse:
        """Get consent in the way that fits, and check what comes back; all ways end in `receive`.

        Raises:
            AuthorizationError: consent was denied, or the redirect is not to be believed.
        """
        answer = self.consent(request)
        if isinstance(answer, AuthorizationResponse):
            return answer
        return self.oauth.receive(answer, session=ONE_PERSON)
