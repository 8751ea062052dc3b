"""Remember the attempts that wait for their redirect; each can be taken once."""

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
    """Say what a store of waiting attempts must do; `SharedPending` is one for several processes.

    It holds verifiers, so it belongs where only the servers can read.
    """

    def add(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt."""

    def waits(self, request: AuthorizationRequest) -> bool:
        """Return whether an attempt still waits."""

    def take(self, state: str, *, session: str) -> AuthorizationRequest:
        """Return the attempt of a state and session and forget it, or refuse."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: AuthorizationRequest
    session: str
    deadline: float


class PendingAuthorizations:
    """Keep attempts for ten minutes, bound to the browser session that began them.

    `session` is whatever tells one browser from another, such as the value of a session cookie.
    A new attempt replaces no other one (RFC 6749 section 10.12). Safe to share between threads.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt.

        If 10,000 are pending, the oldest of the newer half is removed: a flood of attempts drives
        out its own, and not those that were there before it.
        """
        waiting = _Waiting(request, session, self._clock() + LIFETIME)
        with self._lock:
            self._forget_expired()
            if len(self._waiting) >= MOST:
                del self._waiting[next(islice(self._waiting, MOST // 2, None))]
            self._waiting[request.state.reveal()] = waiting

    def waits(self, request: AuthorizationRequest) -> bool:
        """Return whether an attempt still waits for its redirect."""
        with self._lock:
            self._forget_expired()
            return request.state.reveal() in self._waiting

    def take(self, state: str, *, session: str) -> AuthorizationRequest:
        """Return the attempt of a `state`, and forget it.

        A `state` from another session is refused and leaves the attempt waiting, so that a forged
        redirect cannot end somebody else's.

        Raises:
            AuthorizationError: `wrong_state`, for a state that is unknown, spent, too old or of
                another session.
        """
        with self._lock:
            self._forget_expired()
            waiting = self._waiting.get(state)
            if waiting is not None and waiting.session == session:
                return self._waiting.pop(state).request
        raise AuthorizationError("wrong_state", "No attempt of this session expects this redirect.")

    def _forget_expired(self) -> None:
        """Drop what is too old; attempts are kept in the order in which they began."""
        now = self._clock()
        while self._waiting:
            oldest = next(iter(self._waiting))
            if self._waiting[oldest].deadline > now:
                return
            del self._waiting[oldest]
