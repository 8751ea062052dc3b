"""A small browser for the pages of the sandbox and of a server under test.

It uses httpx itself, because a browser stores cookies and can visit any host, which the sender of
the kit's credentials must not do. This browser never receives a client secret, token or API key.
"""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, field
from functools import cache, cached_property
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import httpx

from ddoauth_kit.errors import NetworkError
from ddoauth_kit.http.quiet import quiet
from ddoauth_kit.workbook.lab.in_process import ByAddress

if TYPE_CHECKING:
    import ssl
    from http.cookiejar import CookieJar

TIMEOUT: Final = 10.0
# A form in a comment or a script doesn't count, so the parser must see where those begin.
_FORMS: Final = re.compile(r"<form|<script|<!--", re.IGNORECASE)


@dataclass
class Form:
    """A form: its target, its fields with their values, and whether it asks for consent."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    decides: bool = False


@dataclass(frozen=True)
class BrowserPage:
    """A response: its status, `Location`, visible text and forms."""

    status: int
    location: str
    html: str = field(repr=False)

    @cached_property
    def text(self) -> str:
        """Return the visible text, with single spaces."""
        return " ".join(" ".join(_parsed(self.html).text).split())

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """Return the forms, in order; anything before the first form is not parsed."""
        begin = _FORMS.search(self.html)
        return tuple(_parsed(self.html[begin.start() :]).forms) if begin else ()


class Browser:
    """A browser that stores cookies, uses no proxy, and returns redirects unfollowed."""

    def __init__(self) -> None:
        # A consent page and its form use one connection, which servers close after a few seconds.
        limits = httpx.Limits(keepalive_expiry=1.0)
        sockets = httpx.HTTPTransport(verify=_certificates(), trust_env=False, limits=limits)
        self._client = httpx.Client(
            transport=ByAddress(sockets),
            # Without a transport of its own, the client would load the certificates again.
            verify=_certificates(),
            timeout=TIMEOUT,
            trust_env=False,
        )
        weakref.finalize(self, self._client.close)

    @property
    def cookies(self) -> CookieJar:
        """Return the cookies that have been stored so far."""
        return self._client.cookies.jar

    def open(self, url: str, form: dict[str, str] | None = None) -> BrowserPage:
        """Return a page, or the response to a form.

        Raises:
            NetworkError: `no_network`, if the server has stopped.
        """
        try:
            with quiet():
                answer = self._client.get(url) if form is None else self._sent(url, form)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = f"Nothing answers on port {urlsplit(url).port}: {_reason(error)}."
            raise NetworkError("no_network", what) from None
        return BrowserPage(answer.status_code, answer.headers.get("location", ""), answer.text)

    def _sent(self, url: str, form: dict[str, str]) -> httpx.Response:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self._client.post(url, content=urlencode(form), headers=kind)


@cache
def _certificates() -> ssl.SSLContext:
    """Load the certificate authorities once, because loading takes about 20 ms per browser."""
    return httpx.create_ssl_context(trust_env=False)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif self.forms and given.get("name") == "decision":
            self.forms[-1].decides = True
        elif self.forms and tag == "input":
            self.forms[-1].fields[given.get("name", "")] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:  # otherwise it is a style sheet or a script, which nobody reads
            self.text.append(data)


def _reason(error: BaseException) -> str:
    """Return the system's error message, because httpx's own may contain a URL with a code."""
    cause: BaseException | None = error
    while cause is not None:
        if words := getattr(cause, "strerror", None):
            return str(words)
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _parsed(html: str) -> _Parser:
    parser = _Parser()
    parser.feed(html)
    return parser
