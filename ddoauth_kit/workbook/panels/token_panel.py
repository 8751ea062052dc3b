"""Show a grant and its access token's remaining time, with buttons to refresh and end it."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from ddoauth_kit.errors import TokenError
from ddoauth_kit.without_threads import threads_exist
from ddoauth_kit.workbook.lab.backend import Mode
from ddoauth_kit.workbook.panels.authorize_panel import AuthorizePanel, unkept
from ddoauth_kit.workbook.panels.panel import Panel, button, row
from ddoauth_kit.workbook.show.cards import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.lab.lab import Lab

SECOND: Final = 1.0
ENDED: Final = "This grant has ended. To continue, authorize again here or in an earlier cell."


class TokenPanel(Panel):
    """Shows scopes and time to expiry; `tokens` has the latest tokens, or None once revoked.

    The sandbox's clock stands still between requests, so the panel counts the seconds since the
    last response, unless the clock was moved further ahead. It stops when the lab is closed. The
    panel shows only its own tokens and doesn't notice what a cell does with the same grant.
    """

    def __init__(self, lab: Lab, tokens: TokenSet) -> None:
        super().__init__()
        self.tokens: TokenSet | None = tokens
        self._lab = lab
        self._shown = False
        self._counting = threading.Thread()
        self._next: asyncio.TimerHandle | None = None
        self._left = widgets.Label()
        self._left.add_class("ddoauth-countdown")
        self._refresh = button("Refresh", self.refresh, tooltip="Get a new access token")
        self._revoke = button("Revoke", self.ask, tooltip="End the grant at Datadog")
        self._yes = button("Yes, end the grant", self.revoke)
        self._no = button("Keep it", self.keep)
        self._again = widgets.VBox()
        self._ask(asking=False)
        self._take(tokens)

    @property
    def value(self) -> object:
        """Return the tokens, or a statement that they are revoked."""
        return self.tokens or Skipped(ENDED, state="ended")

    def parts(self) -> Iterable[widgets.Widget]:
        """Return countdown and buttons, and start counting."""
        self._shown = True
        self._begin()
        return (self._left, row(self._refresh, self._revoke, self._yes, self._no), self._again)

    def refresh(self) -> None:
        """Do what `lab.refresh` does, with the latest tokens."""
        self.start(self._renew)

    def ask(self) -> None:
        """Ask before ending a grant, because that can't be undone."""
        self._ask(asking=True)
        self.say("Revoking ends the grant: the customer has to authorize again. Are you sure?")

    def keep(self) -> None:
        """Don't end the grant."""
        self._ask(asking=False)
        self.show(self.value)

    def revoke(self) -> None:
        """Do what `lab.revoke` does, with the latest tokens and without asking."""
        self._ask(asking=False)
        self.start(self._end)

    def tick(self) -> bool:
        """Show the remaining seconds, and return whether any are left."""
        tokens = self.tokens
        if tokens is None:
            self._left.value = "no access token: the grant has ended"
            return False
        if self._lab.closed.is_set():
            self._left.value = (
                f"access token: expires at {tokens.expires_at:%H:%M:%S} UTC by {self._clock}, or "
                "when it is revoked; the lab is closed, so the seconds are not counted"
            )
            return False
        by_clock = tokens.seconds_left(self._lab.oauth.clock())
        left = math.ceil(min(self._end_of_life - time.monotonic(), by_clock))
        self._left.value = (
            f"access token: expires in {left // 60}:{left % 60:02d}, or when it is revoked; "
            f"{tokens.expires_at:%H:%M:%S} UTC by {self._clock}"
            if left > 0
            else _expired(tokens, waits=by_clock > SECOND)
        )
        return left > 0

    def _begin(self) -> None:
        """Count in the background until the time is up; ipywidgets never frees a panel."""
        if not threads_exist():
            self._count_on_the_loop()
        elif not self._counting.is_alive():
            self._counting = threading.Thread(target=self._count, name="countdown", daemon=True)
            self._counting.start()

    def _count(self) -> None:
        while self.tick():
            self._lab.closed.wait(SECOND)

    def _count_on_the_loop(self) -> None:
        """Count in the kernel's event loop; without one, nothing can run in the background."""
        if self._next is not None:
            self._next.cancel()
        with suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            self._next = loop.call_later(SECOND, self._count_on_the_loop) if self.tick() else None

    def _renew(self) -> None:
        if self.tokens is None:
            return
        try:
            self._take(self._lab.refresh(self.tokens))
        except TokenError as error:
            if error.code == "invalid_refresh_token":
                self._over()
            raise
        else:
            self.add(
                f"Refreshed: the new access token expires at {self.tokens.expires_at:%H:%M:%S}."
            )
            self.add(unkept(self._lab, self.tokens))

    def _end(self) -> None:
        if self.tokens is None:
            return
        outcome = self._lab.revoke(self.tokens)
        if isinstance(outcome, Skipped):
            self.show(outcome)
            return
        self._over()
        self.show(self.value)

    def _over(self) -> None:
        """Offer to authorize again, because the grant has ended, here or at Datadog."""
        self.tokens = None
        self._refresh.disabled = self._revoke.disabled = True
        self.tick()
        if not self._again.children:
            self._again.children = (AuthorizePanel(self._lab, done=self._return).panel,)

    def _return(self, tokens: TokenSet) -> None:
        """Continue with a new grant."""
        self._again.children = ()
        self._refresh.disabled = self._revoke.disabled = False
        self._take(tokens)

    def _ask(self, *, asking: bool) -> None:
        self._revoke.layout.display = "none" if asking else ""
        for each in (self._yes, self._no):
            each.layout.display = "" if asking else "none"

    @property
    def _clock(self) -> str:
        live = self._lab.backend.mode is Mode.LIVE
        return "this machine's clock" if live else "the sandbox's clock"

    def _take(self, tokens: TokenSet) -> None:
        self._end_of_life = time.monotonic() + tokens.seconds_left(self._lab.oauth.clock())
        self.tokens = tokens
        self.tick()
        self.show(tokens)
        if self._shown:
            self._begin()


def _expired(tokens: TokenSet, *, waits: bool) -> str:
    """Explain that the time is up, how to continue, and that the sandbox's clock may differ."""
    after = "Refresh gets a new one" if tokens.refresh_token else "authorize again for a new one"
    slow = " (the sandbox's clock stands still between requests, so it may still accept the token)"
    return f"access token: expired; {after}{slow if waits else ''}"
