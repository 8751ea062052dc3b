"""Authorize with a link, and receive the redirect from the listener or a paste."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from ddoauth_kit.errors import AuthorizationError, DdoauthError
from ddoauth_kit.secret import Secret
from ddoauth_kit.without_threads import threads_exist
from ddoauth_kit.workbook.lab.attempt import begin_attempt
from ddoauth_kit.workbook.lab.in_process import is_in_process
from ddoauth_kit.workbook.lab.listen_or_paste import link
from ddoauth_kit.workbook.panels.page_view import PageView
from ddoauth_kit.workbook.panels.panel import Panel, button, row
from ddoauth_kit.workbook.panels.typed_form import Field, FormReply, TypedForm
from ddoauth_kit.workbook.show.cards import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.lab.attempt import Attempt
    from ddoauth_kit.workbook.lab.lab import Lab
    from ddoauth_kit.workbook.panels.typed_form import Typed

WAIT: Final = 300.0
NOT_YET: Final = (
    "Nobody has authorized with this panel yet; to authorize in a cell, call `lab.connect()`."
)
CANCELLED: Final = "Cancelled; the link no longer works. You can start again."
NOT_WAITING: Final = "No authorization is pending: press Authorize first."
UNKEPT: Final = (
    "This refresh token is not in the store: save this panel's "
    "`panel.tokens.refresh_token.reveal()` in your secret manager, or the customer will have to "
    "authorize again."
)
# Like a password, because the address contains the code.
REDIRECT: Final = Field("redirect", "Address of the page you ended up on", kind="secret")


class AuthorizePanel(Panel):
    """Offers a link, waits for the redirect, and shows the tokens masked; `tokens` contains them.

    If a cell already has `tokens`, the panel shows them and doesn't request anything before a
    click. `wait` is in seconds. `done` is called with new tokens.
    """

    def __init__(
        self,
        lab: Lab,
        tokens: TokenSet | None = None,
        *,
        wait: float = WAIT,
        done: Callable[[TokenSet], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self._lab = lab
        self._wait = wait
        self._done = done
        self._attempt: Attempt | None = None
        self._organization = ""
        self._link = widgets.HTML()
        self._page = PageView("Consent page of the sandbox", leave=self._left)
        self._begin = button("Authorize", self.begin, tooltip="Show the link, then wait")
        self._cancel = button("Cancel", self.cancel, tooltip="Stop waiting for the redirect")
        self.form = TypedForm(REDIRECT, actions={"Use this address": self.paste})
        self._busy(waiting=False)
        self._tell()

    @property
    def value(self) -> object:
        """Return the tokens, or a statement that there are none yet."""
        return self.tokens or Skipped(NOT_YET, state="not yet")

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the buttons, the link, the sandbox's page, and the field for a pasted redirect."""
        return (row(self._begin, self._cancel), self._link, self._page, self.form)

    def begin(self) -> None:
        """Offer the link and wait; another click during the wait does nothing."""
        self.start(self._await if threads_exist() else self._offer_once)

    def cancel(self) -> None:
        """Stop waiting."""
        if self._attempt is not None:
            # An exchange that has begun is not cancelled: this waits for it.
            self.beside(partial(self._stop, self._attempt))

    def paste(self, typed: Typed) -> FormReply:
        """Accept a pasted redirect; if it belongs to another attempt, this one stays pending."""
        redirect = typed.secrets.get("redirect")
        if self._attempt is None:
            self.say(NOT_WAITING)
        elif redirect is not None:
            self.beside(partial(self._take, self._attempt, redirect))
        return FormReply()

    def _left(self, redirect: str) -> None:
        """Accept the address to which the sandbox's page redirected."""
        if self._attempt is not None:
            self.beside(partial(self._take, self._attempt, Secret(redirect, label="redirect")))

    def _take(self, attempt: Attempt, redirect: Secret) -> None:
        try:
            attempt.take(redirect.reveal())
        except DdoauthError as error:
            self.show(error)
        else:
            self._end_without_threads(attempt)

    def _stop(self, attempt: Attempt) -> None:
        attempt.cancel()
        self._end_without_threads(attempt)

    def _end_without_threads(self, attempt: Attempt) -> None:
        """Show how the attempt ended if there is no thread that waits for it."""
        if not threads_exist() and attempt is self._attempt:
            self._finish(attempt)

    def _await(self) -> None:
        self._finish(self._offer())

    def _offer_once(self) -> None:
        if self._attempt is None:
            self._offer()

    def _offer(self) -> Attempt:
        attempt = self._attempt = begin_attempt(self._lab, check=self._name)
        self.say(attempt.advice)
        self._busy(waiting=True)
        # Last, because what follows a click on it replaces the advice.
        if is_in_process(attempt.url):
            self._page.visit(attempt.url)
        else:
            text = f"Authorize on {self._lab.site.name} (opens a new tab)"
            self._link.value = link(attempt.url, text)
        return attempt

    def _finish(self, attempt: Attempt) -> None:
        """Wait for an attempt to end, and show how it ended."""
        try:
            self.tokens = attempt.wait(self._wait)
        except AuthorizationError as error:
            if error.code != "wait_cancelled":
                raise
            self.say(CANCELLED)
            return
        finally:
            self._link.value = ""
            self._page.clear()
            self._attempt = None
            self._busy(waiting=False)
        self._tell()
        self.add(self._organization)
        self.add(unkept(self._lab, self.tokens))
        self._done(self.tokens)

    def _name(self, response: AuthorizationResponse) -> None:
        """Show who consented before the code is exchanged and the grant is stored."""
        self._organization = response.organization
        self.say(f"{self._organization} Getting tokens.")

    def _busy(self, *, waiting: bool) -> None:
        self._begin.disabled, self._cancel.disabled = waiting, not waiting
        self.form.layout.display = None if waiting else "none"

    def _tell(self) -> None:
        if self.tokens is not None:
            self._begin.description = "Authorize again"
        self.show(self.value)


def unkept(lab: Lab, tokens: TokenSet) -> str:
    """Return a warning if only the panel has the refresh token, otherwise ""."""
    return UNKEPT if tokens.refresh_token and not lab.holds(tokens) else ""
