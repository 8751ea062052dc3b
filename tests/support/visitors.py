"""Act as a person with a browser, or a program with a socket, in tests of pages."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage

REDIRECTS = range(300, 400)


@dataclass
class Person:
    """Opens links, follows redirects, decides on consent pages, and keeps cookies."""

    browser: Browser = field(default_factory=Browser)

    def follow(self, url: str) -> tuple[str, BrowserPage]:
        """Return a link's final address, and the page there."""
        for _ in range(5):
            page = self.browser.open(url)
            if page.status not in REDIRECTS:
                return url, page
            url = urljoin(url, page.location)
        raise AssertionError("a redirect leads to a redirect, again and again")

    def decide(self, url: str, decision: str = "approve", **chosen: str) -> str:
        """Open a consent page, press a button, and return the resulting redirect.

        `chosen` contains the fields that a person changes first, such as the region.
        """
        where, page = self.follow(url)
        form = next(form for form in page.forms if form.decides)
        action = urljoin(where, form.action)
        answer = self.browser.open(action, {**form.fields, **chosen, "decision": decision})
        assert answer.status in REDIRECTS, answer.text
        return urljoin(action, answer.location)

    def finish(self, url: str, decision: str = "approve") -> BrowserPage:
        """Go through the whole flow and return the last page."""
        return self.browser.open(self.decide(url, decision))


@dataclass(frozen=True)
class Heard:
    """A raw response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    text: str


def say(port: int, payload: bytes | str, *, host: str = "127.0.0.1") -> Heard:
    """Send bytes to a port, and return everything received until the other side hangs up."""
    data = payload if isinstance(payload, bytes) else payload.encode("latin-1")
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(data)
        heard = b""
        while chunk := connection.recv(65536):
            heard += chunk
    head, _, body = heard.decode("latin-1").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    found = re.fullmatch(r"HTTP/1\.1 (\d{3}) .+", first)
    assert found, first
    headers = dict(line.split(": ", 1) for line in lines)
    return Heard(int(found[1]), {name.lower(): value for name, value in headers.items()}, body)


def get(url: str, *, method: str = "GET", **headers: str) -> Heard:
    """Send one request to a URL's port; underscores in header names become hyphens."""
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    given = {
        "host": parts.netloc,
        "connection": "close",
        **{n.replace("_", "-"): v for n, v in headers.items()},
    }
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return say(parts.port or 80, "\r\n".join([*lines, "", ""]))


@contextmanager
def waiting(waits: Any, *, timeout: float = 60.0) -> Iterator[list[Any]]:
    """Call `wait` alongside the test; the list contains the outcome once the block has ended."""
    outcome: list[Any] = []

    def wait() -> None:
        try:
            outcome.append(waits.wait(timeout))
        except DdoauthError as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield outcome
    finally:
        thread.join(timeout + 5)
