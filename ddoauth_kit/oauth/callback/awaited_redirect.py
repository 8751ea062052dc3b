"""Hold the one answer to an attempt, whoever brings the redirect and whoever waits for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ddoauth_kit.errors import AuthorizationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class AttemptOutcome(Generic[Result]):
    """Hold what a redirect led to: a value or an error."""

    value: Result | None = None
    error: Exception | None = None

    def get(self) -> Result:
        """Return the value, or raise the error without the frames that held the redirect."""
        if self.error is not None:
            self.error.__context__ = None
            raise self.error.with_traceback(None)
        return self.value  # type: ignore[return-value] # one of the two is set


class AwaitedRedirect(Generic[Result]):
    """Take redirects from one thread and end the wait of another; the first outcome stays.

    `finish` makes a value of the checked redirect, before whoever brought it hears that all went
    well.
    """

    def __init__(
        self, oauth: OAuthClient, *, finish: Callable[[AuthorizationResponse], Result]
    ) -> None:
        self._oauth = oauth
        self._finish = finish
        self._outcome: AttemptOutcome[Result] | None = None
        self._taking = threading.Lock()
        self._over = threading.Event()

    @property
    def is_there(self) -> bool:
        """Return whether there is an outcome, so that nothing is begun any more."""
        return self._outcome is not None

    def take(
        self, redirect: str, *, session: str, spent: Callable[[str], bool]
    ) -> AttemptOutcome[Result] | None:
        """Check and finish a redirect, one at a time; return None if there was an outcome before.

        `spent` tells whether a refused redirect used up the attempt. The wait goes on until
        `release`, so that a page about it can be sent first.

        Raises:
            AuthorizationError: it is no answer to the attempt, which goes on waiting.
        """
        try:
            with self._taking:
                if self._outcome is not None:
                    return None
                self._outcome = self._outcome_of(redirect, session, spent)
                return self._outcome
        finally:
            del redirect

    def release(self) -> None:
        """Let whoever waits go on."""
        self._over.set()

    def end(self, error: AuthorizationError) -> None:
        """End the wait with an error, unless a redirect that is being taken brings an outcome."""
        with self._taking:
            self._outcome = self._outcome or AttemptOutcome(error=error)
        self._over.set()

    def wait(self, timeout: float) -> bool:
        """Return whether the wait was over before `timeout` seconds were."""
        return self._over.wait(timeout)

    def get(self) -> Result:
        """Return the value once the wait is over, or raise its error.

        Raises:
            AuthorizationError, TokenError, AnswerError, NetworkError: what there is instead.
        """
        assert self._outcome is not None  # noqa: S101 - whatever ends the wait sets one
        return self._outcome.get()

    def _outcome_of(
        self, redirect: str, session: str, spent: Callable[[str], bool]
    ) -> AttemptOutcome[Result]:
        try:
            response = self._oauth.receive(redirect, session=session)
        except AuthorizationError as error:
            if not spent(redirect):
                raise
            return AttemptOutcome(error=error)
        try:
            return AttemptOutcome(value=self._finish(response))
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            return AttemptOutcome(error=error)
