"""Serve the page after consent at a separate address for a minute, so that it can be reloaded.

The redirect URI's port closes right after the response (RFC 8252 section 8.3), and the code
disappears from the browser's address bar at once.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ddoauth_kit.oauth.callback import callback_pages as pages
from ddoauth_kit.oauth.callback.loopback_server import Asked, LoopbackServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

LASTS: Final = 60.0
FIRST_LOOK: Final = 5.0


class LastingPage:
    """Serve one page at an unguessable path, on a free port on these hosts.

    `seen` is called as soon as the browser has loaded the page, or after `first_look` seconds. The
    port closes after `lasts` seconds, or when the process ends.

    Raises:
        InputError: `port_not_opened`.
    """

    def __init__(
        self,
        page: Reply,
        *,
        hosts: tuple[str, ...],
        seen: Callable[[], None],
        lasts: float = LASTS,
        first_look: float = FIRST_LOOK,
    ) -> None:
        self._page = replace(page, then=seen)
        self.path = f"/authorized/{secrets.token_urlsafe(16)}"
        self._server = LoopbackServer(hosts, port=0, respond=self._respond, refuse=pages.refusal)
        self.port = self._server.port
        for seconds, then in ((first_look, seen), (lasts, self._server.close)):
            timer = threading.Timer(seconds, then)
            timer.daemon = True
            timer.start()

    def _respond(self, asked: Asked) -> Reply:
        return self._page if asked.path == self.path else pages.refusal(HTTPStatus.NOT_FOUND)
