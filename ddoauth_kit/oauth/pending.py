"""Remember the attempts that are waiting for their redirects; each can be taken only once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from ddoauth_kit.errors import AuthorizationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest

LIFETIME: Final = 600.0
MOST: Final = 10_000


class PendingStore(Protocol):
    """What a store of waiting attempts must do; `SharedPending` is a store for several processes.

    The store contains verifiers, so put it where only your servers can read it.
    """

    def add(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt."""

    def waits(self, request: AuthorizationRequest) -> bool:
        """Return whether an attempt is still pending."""

    def take(self, state: str, *, session: str) -> AuthorizationRequest:
        """Return and forget the attempt with this state and session, or raise `wrong_state`."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: AuthorizationRequest
    session: str
    deadline: float


class PendingAuthorizations:
    """Remember attempts for ten minutes, each bound to the browser session that began it.

    `session` is a value that identifies a browser, such as the value of a session cookie. A new
    attempt does not replace an earlier one (RFC 6749 section 10.12). This class is thread-safe.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt.

        If 10,000 are pending, the oldest of the newer half is removed, so a flood of attempts
        displaces only its own attempts and not earlier ones.
        """
        waiting = _Waiting(request, session, self._clock() + LIFETIME)
        with self._lock:
            self._forget_expired()
            if len(self._waiting) >= MOST:
                del self._waiting[next(islice(self._waiting, MOST // 2, None))]
            self._waiting[request.state.reveal()] = waiting

    def waits(self, request: AuthorizationRequest) -> bool:
        """Return whether an attempt is still waiting for its redirect."""
        with self._lock:
            self._forget_expired()
            return request.state.reveal() in self._waiting

    def take(self, state: str, *, session: str) -> AuthorizationRequest:
        """Return the attempt for a `state`, and forget it.

        A `state` from another session is refused and leaves the attempt waiting, so that a forged
        redirect cannot end somebody else's.

        Raises:
            AuthorizationError: `wrong_state`, if the state is unknown, used up, too old or from
            another session.
        """
        with self._lock:
            self._forget_expired()
            waiting = self._waiting.get(state)
            if waiting is not None and waiting.session == session:
                return self._waiting.pop(state).request
        raise AuthorizationError("wrong_state", "No attempt of this session expects this redirect.")

    def _forget_expired(self) -> None:
        """Delete old attempts, which are stored in the order in which they began."""
        now = self._clock()
        while self._waiting:
            oldest = next(iter(self._waiting))
            if self._waiting[oldest].deadline > now:
                return
            del self._waiting[oldest]
