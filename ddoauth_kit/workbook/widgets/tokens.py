"""Show a grant, how long its access token lives, and ways to renew and end it."""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.widgets.base import Panel, button, row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab

SECOND: Final = 1.0
ENDED: Final = "This grant was revoked; authorize anew to go on."


class TokenPanel(Panel):
    """Show scopes and time to expiry; `tokens` holds the newest, None after a revocation.

    The sandbox's own clock stands still between requests, so the seconds since the last answer
    are counted here.
    """

    def __init__(self, lab: Lab, tokens: TokenSet) -> None:
        super().__init__()
        self.tokens: TokenSet | None = tokens
        self._lab = lab
        self._left = widgets.Label()
        self._left.add_class("ddoauth-countdown")
        self._refresh = button("Refresh", self.refresh, tooltip="Get a new access token")
        self._revoke = button("Revoke", self.revoke, tooltip="End the grant at Datadog")
        self._take(tokens)

    @property
    def value(self) -> object:
        """Return the tokens, or that they are revoked."""
        return self.tokens or Skipped(ENDED)

    def parts(self) -> Iterable[widgets.Widget]:
        """Return countdown and buttons, and begin to count."""
        threading.Thread(
            target=_count, args=(weakref.ref(self),), name="countdown", daemon=True
        ).start()
        return (self._left, row(self._refresh, self._revoke))

    def refresh(self) -> None:
        """Do what `lab.refresh` does, with the newest tokens."""
        self.start(self._renew)

    def revoke(self) -> None:
        """Do what `lab.revoke` does, with the newest tokens."""
        self.start(self._end)

    def tick(self) -> None:
        """Show the seconds that are left now."""
        if self.tokens is None:
            self._left.value = "no access token"
            return
        left = max(0, round(self._then - (time.monotonic() - self._seen)))
        self._left.value = f"access token: {left // 60}:{left % 60:02d} left"

    def _renew(self) -> None:
        if self.tokens is not None:
            self._take(self._lab.refresh(self.tokens))

    def _end(self) -> None:
        if self.tokens is None:
            return
        outcome = self._lab.revoke(self.tokens)
        if isinstance(outcome, Skipped):
            self.show(outcome)
            return
        self.tokens = None
        self._refresh.disabled = self._revoke.disabled = True
        self.tick()
        self.show(self.value)

    def _take(self, tokens: TokenSet) -> None:
        self.tokens = tokens
        self._seen = time.monotonic()
        self._then = tokens.seconds_left(self._lab.oauth.clock())
        self.tick()
        self.show(tokens)


def _count(found: weakref.ref[TokenPanel]) -> None:
    """Tick until the panel is forgotten or its grant has ended."""
    while (panel := found()) is not None and panel.tokens is not None:
        panel.tick()
        del panel
        time.sleep(SECOND)
