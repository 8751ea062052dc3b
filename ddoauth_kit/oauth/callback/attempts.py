"""Remember a listener's links, its browser sessions, and the attempts bound to them."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
from ddoauth_kit.oauth.client import ONE_PERSON

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.redirect import Redirect

# The limits for one browser and for all of them are below the limit of `PendingAuthorizations`, so
# that requests to the listener can't displace attempts made elsewhere in the program.
MOST: Final = 20
SESSIONS: Final = 400
ANOTHER: Final = "This address belongs to another attempt; the pending attempt is still waiting."


@dataclass(eq=False, slots=True)
class Start:
    """The program's own attempt, and the first browser that opened its link."""

    begin: Callable[[str], AuthorizationRequest]
    session: str = field(default="", repr=False)


class Attempts:
    """Remember links by ticket, and attempts by their browser's session; this class is thread-safe.

    A session counts only if it was created here, so that another program on this machine can't
    plant one. Each listener has its own cookie name.
    """

    def __init__(self, oauth: OAuthClient) -> None:
        self.cookie: Final = f"ddoauth_{secrets.token_hex(8)}"
        self._pending = oauth.pending
        self._lock = threading.Lock()
        self._tickets: dict[str, Start | AuthorizationRequest | str] = {}
        self._sessions: dict[str, list[AuthorizationRequest]] = {}
        self._adopted: list[AuthorizationRequest] = []

    @property
    def begun(self) -> bool:
        """Return whether any browser has been sent to a consent page."""
        return any(self._sessions.values())

    @property
    def has_own(self) -> bool:
        """Return whether the listener serves only the program's own attempt."""
        return any(not isinstance(target, str) for target in tuple(self._tickets.values()))

    def too_many(self, session: str) -> bool:
        """Return whether this browser has begun more attempts than a person would."""
        return len(self._sessions.get(session, ())) >= MOST

    def ticket(self, target: Start | AuthorizationRequest | str) -> str:
        """Return an unguessable name for an attempt or a page, for use in a link."""
        name = secrets.token_urlsafe(24)
        self._tickets[name] = target
        return name

    def has(self, ticket: str) -> bool:
        """Return whether a ticket was issued."""
        return ticket in self._tickets

    def target(self, ticket: str) -> Start | AuthorizationRequest | str:
        """Return the start or the page that a ticket stands for."""
        return self._tickets[ticket]

    def new_session(self) -> str:
        """Begin the session of one browser.

        If there are too many sessions, the oldest of the newer half is removed, so that browsers
        from before a flood keep theirs and new ones can still begin.
        """
        session = secrets.token_urlsafe(32)
        with self._lock:
            if len(self._sessions) >= SESSIONS:
                self._let_go(next(islice(self._sessions, SESSIONS // 2, None)))
            self._sessions[session] = []
        return session

    def session(self, cookies: str) -> str | None:
        """Return the session in a `Cookie` header, which may contain other programs' cookies."""
        for pair in cookies.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.cookie and value in self._sessions:
                return value
        return None

    def note(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt that a browser has begun."""
        with self._lock:
            self._sessions.setdefault(session, []).append(request)

    def start(self, own: Start, *, session: str) -> AuthorizationRequest:
        """Begin the program's own attempt in the first browser that opens its link.

        Raises:
            AuthorizationError: `wrong_state`, if another browser opened it first.
        """
        with self._lock:
            own.session = own.session or session
            if own.session != session:
                raise AuthorizationError("wrong_state", ANOTHER)
        request = own.begin(session)
        self.note(request, session=session)
        return request

    def adopt(self, request: AuthorizationRequest, *, session: str) -> None:
        """Bind an attempt that the program made to the first browser that opens its link.

        Raises:
            AuthorizationError: `wrong_state`, if another browser opened it first or it is too old.
        """
        with self._lock:
            if request in self._sessions.get(session, ()):
                return
            self._pending.take(request.state.reveal(), session=ONE_PERSON)
            self._pending.add(request, session=session)
            self._sessions.setdefault(session, []).append(request)
            self._adopted.append(request)

    def session_of(self, redirect: Redirect) -> str:
        """Return the session of the attempt to which a redirect belongs, or that of a start.

        Raises:
            AuthorizationError: `wrong_state`, or a code for a value that is not a redirect.
        """
        redirect.refuse_fault()
        found = self._answered(redirect)
        if found is None:
            raise AuthorizationError("wrong_state", ANOTHER)
        return found[1]

    def spent(self, redirect: Redirect) -> bool:
        """Return whether a redirect used up one of these attempts."""
        found = self._answered(redirect)
        return found is not None and not self._pending.waits(found[0])

    def let_go(self) -> None:
        """Forget pending attempts, and release the program's own attempt."""
        with self._lock:
            for session in tuple(self._sessions):
                self._let_go(session)
            self._tickets.clear()

    def _answered(self, redirect: Redirect) -> tuple[AuthorizationRequest, str] | None:
        """Return the attempt that a redirect's state belongs to, with its session."""
        with self._lock:
            begun = [(each, name) for name, all_ in self._sessions.items() for each in all_]
        targets = tuple(self._tickets.values())
        own = ((each, ONE_PERSON) for each in targets if isinstance(each, AuthorizationRequest))
        return next((found for found in (*begun, *own) if found[0].state == redirect.state), None)

    def _let_go(self, session: str) -> None:
        for request in self._sessions.pop(session):
            with suppress(AuthorizationError):
                self._pending.take(request.state.reveal(), session=session)
                if request in self._adopted:
                    self._pending.add(request, session=ONE_PERSON)
