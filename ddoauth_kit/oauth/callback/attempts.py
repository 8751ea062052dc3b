"""Keep what a listener began: links, browser sessions, and the attempts bound to them."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.authorization_response import state_of
from ddoauth_kit.oauth.client import ONE_PERSON

if TYPE_CHECKING:
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.client import OAuthClient

MOST: Final = 20
ANOTHER: Final = "This address answers another attempt; the one that waits goes on waiting."


class Attempts:
    """Remember links by ticket, sessions by cookie, attempts by session; safe between threads.

    A session counts only if it was made here, so that no other program of this machine can plant
    one. The cookie's name is this listener's own.
    """

    def __init__(self, oauth: OAuthClient) -> None:
        self.cookie: Final = f"ddoauth_{secrets.token_hex(8)}"
        self._pending = oauth.pending
        self._lock = threading.Lock()
        self._tickets: dict[str, AuthorizationRequest | str] = {}
        self._sessions: set[str] = set()
        self._bound: list[tuple[AuthorizationRequest, str]] = []
        self._adopted: list[AuthorizationRequest] = []

    @property
    def begun(self) -> bool:
        """Return whether any browser was sent to a consent page."""
        return bool(self._bound)

    @property
    def closed(self) -> bool:
        """Return whether a program's own attempt is to be answered here, and nobody else's."""
        return any(session == ONE_PERSON for _, session in self._all())

    @property
    def too_many(self) -> bool:
        """Return whether so many attempts wait that something else than a customer begins them."""
        return len(self._bound) >= MOST

    def ticket(self, target: AuthorizationRequest | str) -> str:
        """Return an unguessable name for an attempt or a page, to be part of a link."""
        name = secrets.token_urlsafe(24)
        self._tickets[name] = target
        return name

    def has(self, ticket: str) -> bool:
        """Return whether a ticket was given out."""
        return ticket in self._tickets

    def target(self, ticket: str) -> AuthorizationRequest | str:
        """Return what a ticket is for."""
        return self._tickets[ticket]

    def new_session(self) -> str:
        """Begin the session of one browser."""
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        return session

    def session(self, cookies: str) -> str | None:
        """Return the session of a `Cookie` header, which may hold many other programs' cookies."""
        for pair in cookies.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.cookie and value in self._sessions:
                return value
        return None

    def note(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt that a browser began."""
        with self._lock:
            self._bound.append((request, session))

    def adopt(self, request: AuthorizationRequest, *, session: str) -> None:
        """Bind the program's own attempt to the first browser that opens its link.

        Raises:
            AuthorizationError: `wrong_state`, when another browser was first or it is too old.
        """
        with self._lock:
            if (request, session) in self._bound:
                return
            self._pending.take(request.state.reveal(), session=ONE_PERSON)
            self._pending.add(request, session=session)
            self._bound.append((request, session))
            self._adopted.append(request)

    def session_of(self, redirect: str) -> str:
        """Return the session of the attempt that a redirect answers, also of one to be begun here.

        Raises:
            AuthorizationError: `wrong_state`, or the redirect is none.
        """
        state = state_of(redirect)
        for request, session in self._all():
            if request.state.matches(state):
                return session
        raise AuthorizationError("wrong_state", ANOTHER)

    def spent(self, redirect: str) -> bool:
        """Return whether a redirect used up one of these attempts."""
        with suppress(AuthorizationError):
            state = state_of(redirect)
            for request, _ in self._all():
                if request.state.matches(state):
                    return not self._pending.waits(request)
        return False

    def _all(self) -> list[tuple[AuthorizationRequest, str]]:
        """Return what browsers began here, and the program's own attempts."""
        targets = tuple(self._tickets.values())
        return [
            *self._bound,
            *((each, ONE_PERSON) for each in targets if not isinstance(each, str)),
        ]

    def let_go(self) -> None:
        """Forget attempts that were not answered, and give the program's own back."""
        with self._lock:
            for request, session in self._bound:
                with suppress(AuthorizationError):
                    self._pending.take(request.state.reveal(), session=session)
                    if request in self._adopted:
                        self._pending.add(request, session=ONE_PERSON)
            self._bound.clear()
            self._tickets.clear()
