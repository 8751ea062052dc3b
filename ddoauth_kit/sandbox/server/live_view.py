"""Show the journal as a live page, to the browser that opened a one-time address."""

from __future__ import annotations

import hmac
import json
import secrets
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import PAGE_HEADERS, Answer, see_other
from ddoauth_kit.sandbox.http.refusals import page_refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from ddoauth_kit.sandbox.server.journal import Journal

LIVE_PATH = "/live"
ENTRIES_PATH = "/live/entries"
_SHOWN_AT_FIRST = 200
# In seconds. A proxy in between may end a silent connection.
_PATIENCE = 15.0
_BROWSERS_KEPT = 20
_OWN = frozenset({"same-origin", "none"})
_NUMBER_LENGTH = 15


class LiveView:
    """Show the journal only to browsers that opened a link from `link_path`.

    A link works only once. Scripts and other sites' pages can't use the cookie that it sets.
    """

    def __init__(self, journal: Journal, *, cookie: str) -> None:
        self._journal = journal
        self._cookie = cookie
        self._links: list[str] = []
        self._browsers: list[str] = []

    def link_path(self) -> str:
        """Return a one-time path on the sandbox that opens the view."""
        self._links = [*self._links[1 - _BROWSERS_KEPT :], secrets.token_urlsafe(24)]
        return f"{LIVE_PATH}?open={self._links[-1]}"

    def answer(self, request: Request) -> Answer | None:
        """Answer at the view's addresses, or return None for a browser without the cookie."""
        path = request.scope["path"]
        if request.method != "GET" or path not in {"/", LIVE_PATH, ENTRIES_PATH}:
            return None
        admitted = self._admits(request)
        if path == LIVE_PATH:
            return self._opened(request.query_params.get("open", ""))
        if path == "/" and admitted:
            return _page()
        if path == ENTRIES_PATH and admitted:
            after = self._begin(request.headers.get("last-event-id", ""))
            headers = (*PAGE_HEADERS, ("X-Accel-Buffering", "no"))
            stream = "text/event-stream; charset=utf-8"
            return Answer(200, b"", stream, headers, stream=lambda: self._events(after))
        return None

    def _admits(self, request: Request) -> bool:
        shown = request.cookies.get(self._cookie, "").encode(errors="replace")
        # The browser also sends the cookie for a page on another port of this machine.
        own = request.headers.get("sec-fetch-site", "none").strip().lower() in _OWN
        return own and any(hmac.compare_digest(each.encode(), shown) for each in self._browsers)

    def _opened(self, link: str) -> Answer:
        known = [each for each in self._links if hmac.compare_digest(each.encode(), link.encode())]
        if not known:
            text = "This link has already been used. Restart the sandbox to get a new one."
            raise page_refusal("live-link-once", text, status=403)
        self._links.remove(known[0])
        self._browsers = [*self._browsers[1 - _BROWSERS_KEPT :], secrets.token_urlsafe(32)]
        # Without a path, the cookie is for this page's folder, even behind a proxy's prefix.
        cookie = f"{self._cookie}={self._browsers[-1]}; HttpOnly; SameSite=Strict"
        return see_other("./", ("Set-Cookie", cookie))

    def _begin(self, last_seen: str) -> int:
        if last_seen.isascii() and last_seen.isdigit() and len(last_seen) <= _NUMBER_LENGTH:
            return int(last_seen)
        return max(0, self._journal.last - _SHOWN_AT_FIRST)

    async def _events(self, after: int) -> AsyncGenerator[bytes]:
        async for entries in self._journal.follow(after=after, patience=_PATIENCE):
            if not entries:
                yield b": nothing new\n\n"
            for entry in entries:
                data = json.dumps(entry.document(), separators=(",", ":"))
                yield f"id: {entry.number}\ndata: {data}\n\n".encode()


def _page() -> Answer:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    others = tuple(pair for pair in PAGE_HEADERS if pair[0] != "Content-Security-Policy")
    headers = (("Content-Security-Policy", policy), *others)
    page = _template().replace("@NONCE@", nonce).encode()
    return Answer(200, page, "text/html; charset=utf-8", headers)


@cache
def _template() -> str:
    folder = resources.files("ddoauth_kit").joinpath("sandbox", "server")
    return folder.joinpath("live_view.html").read_text(encoding="utf-8")
