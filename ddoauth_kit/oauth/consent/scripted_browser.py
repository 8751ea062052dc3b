"""Be a small browser for the sandbox's pages: cookies, forms, and redirects handed back."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from ddoauth_kit.errors import NetworkError

if TYPE_CHECKING:
    from email.message import Message

TIMEOUT: Final = 10.0


@dataclass
class Form:
    """Hold a form: where it goes, its fields with their values, and whether it asks for consent."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    decides: bool = False


@dataclass(frozen=True)
class BrowserPage:
    """Hold what came back: status, `Location`, the text to read, and the forms to send."""

    status: int
    location: str
    text: str
    forms: tuple[Form, ...]


class Browser:
    """Keep cookies, use no proxy, and hand redirects back instead of following them."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(CookieJar()),
            _KeepRedirects,
        )

    def open(self, url: str, form: dict[str, str] | None = None) -> BrowserPage:
        """Return a page, or what sending a form brings.

        Raises:
            NetworkError: `no_network`, where nothing serves pages any more.
        """
        data = urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, data=data)  # noqa: S310 - the kit's own sandbox
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return _page(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return _page(error.code, error.headers, error.read().decode())
        except OSError as error:
            what = f"No page answers on port {urlsplit(url).port}: {_reason(error)}."
            raise NetworkError("no_network", what) from None


class _KeepRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0913, PLR0917 - the signature is urllib's
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        """Follow nothing: the redirect is what the caller came for."""


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
        if self.cdata_elem is None:  # else it is a style sheet or a script, which nobody reads
            self.text.append(data)


def _reason(error: OSError) -> object:
    """Return the system's words; urllib wraps its error, and the URL may carry a code."""
    inner = getattr(error, "reason", error)
    return getattr(inner, "strerror", None) or type(inner).__name__


def _page(status: int, headers: Message, source: str) -> BrowserPage:
    parser = _Parser()
    parser.feed(source)
    text = " ".join(" ".join(parser.text).split())
    return BrowserPage(status, headers.get("Location", ""), text, tuple(parser.forms))
