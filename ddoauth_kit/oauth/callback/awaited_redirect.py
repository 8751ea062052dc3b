"""Pass an attempt's outcome from the thread that receives the redirect to the one that waits."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.redirect import Redirect, read_redirect

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient

Result = TypeVar("Result")


class AwaitedRedirect(Generic[Result]):
    """Accept redirects in one thread, and end another thread's wait; only the first outcome counts.

    `finish` turns the checked redirect into a value before the browser is told that the attempt
    succeeded. `outcome` is that value or an error, and `response` is the checked redirect. The wait
    lasts until `release` is called, so that a page about the outcome can be sent first.
    """

    def __init__(
        self, oauth: OAuthClient, *, finish: Callable[[AuthorizationResponse], Result]
    ) -> None:
        self._oauth = oauth
        self._finish = finish
        self.outcome: Future[Result] = Future()
        self.response: AuthorizationResponse | None = None
        self._taking = threading.Lock()
        self._over = threading.Event()

    def take(
        self, redirect: str | Redirect, *, session: str, spent: Callable[[Redirect], bool]
    ) -> bool:
        """Check and finish redirects, one at a time; return False if there is already an outcome.

        `spent` says whether a refused redirect used up the attempt.

        Raises:
            AuthorizationError: the redirect does not belong to the attempt, which stays pending.
        """
        redirect = read_redirect(redirect)
        with self._taking:
            if self.outcome.done():
                return False
            self._settle(redirect, session, spent)
            return True

    def release(self) -> None:
        """Let the waiting thread continue."""
        self._over.set()

    def end(self, error: AuthorizationError) -> None:
        """End the wait with an error, unless a redirect in progress produces an outcome."""
        with self._taking:
            if not self.outcome.done():
                self.outcome.set_exception(error)
        self._over.set()

    def wait(self, timeout: float) -> bool:
        """Return whether the wait ended within `timeout` seconds."""
        return self._over.wait(timeout)

    def _settle(self, redirect: Redirect, session: str, spent: Callable[[Redirect], bool]) -> None:
        try:
            response = self._oauth.receive(redirect, session=session)
        except AuthorizationError as error:
            if not spent(redirect):
                raise
            self.outcome.set_exception(_bare(error))
            return
        self.response = response
        try:
            self.outcome.set_result(self._finish(response))
        except Exception as error:  # noqa: BLE001 - the waiting thread needs it
            self.outcome.set_exception(_bare(error))


def _bare(error: Exception) -> Exception:
    """Return an error without the stack frames that contain the redirect."""
    error.__context__ = None
    return error.with_traceback(None)
