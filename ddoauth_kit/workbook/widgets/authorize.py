"""Authorize by a link that comes back to the listener."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.listening import listener_of
from ddoauth_kit.workbook.paste import link
from ddoauth_kit.workbook.widgets.base import Panel, button, row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.oauth.callback import CallbackListener
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab

WAIT: Final = 300.0
NOT_YET: Final = "Nobody has authorized by this panel yet; `lab.connect()` does the same in a cell."


class AuthorizePanel(Panel):
    """Offer a link, wait for the redirect, and show the tokens masked; `tokens` holds them.

    `tokens` that a cell got before are shown, and nothing is asked for until somebody clicks.
    `wait` is in seconds.
    """

    def __init__(self, lab: Lab, tokens: TokenSet | None = None, *, wait: float = WAIT) -> None:
        super().__init__()
        self.tokens = tokens
        self._lab = lab
        self._wait = wait
        self._listener: CallbackListener[TokenSet] | None = None
        self._link = widgets.HTML()
        self._begin = button("Authorize", self.begin, tooltip="Open the listener, show the link")
        self._cancel = button("Cancel", self.cancel, tooltip="Stop waiting for the redirect")
        self._cancel.disabled = True
        self._tell()

    @property
    def value(self) -> object:
        """Return the tokens, or that there are none."""
        return self.tokens or Skipped(NOT_YET)

    def parts(self) -> Iterable[widgets.Widget]:
        """Return buttons and link."""
        return (row(self._begin, self._cancel), self._link)

    def begin(self) -> None:
        """Open the listener and offer the link; a second click while it waits does nothing."""
        self.start(self._listen)

    def cancel(self) -> None:
        """Stop waiting."""
        if self._listener is not None:
            self._listener.cancel()

    def _listen(self) -> None:
        lab = self._lab
        with listener_of(lab) as listener:
            self._listener = listener
            self._busy(waiting=True)
            url = listener.link_to(f"{listener.onboarding_url}?domain={lab.site.domain}")
            self._link.value = link(url, f"Authorize on {lab.site.name} (opens a new tab)")
            self.say("Waiting for the redirect. The link works once, in one browser.")
            try:
                self.tokens = listener.wait(self._wait)
            finally:
                self._link.value = ""
                self._listener = None
                self._busy(waiting=False)
        self._tell()

    def _busy(self, *, waiting: bool) -> None:
        self._begin.disabled, self._cancel.disabled = waiting, not waiting

    def _tell(self) -> None:
        if self.tokens is not None:
            self._begin.description = "Authorize again"
        self.show(self.value)
