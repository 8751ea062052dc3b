"""Read what a person would see on a page: its text, links, forms and automatic redirect."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

_REFRESH: Final = re.compile(r"\s*[\d.]+\s*[;,]\s*(?:url\s*=)?\s*['\"]?([^'\"]+)", re.IGNORECASE)
_VOID_INPUTS: Final = frozenset({"button", "image", "reset", "file"})
_HIDDEN: Final = frozenset({"script", "style", "template", "noscript", "title"})


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link's absolute address and its text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class PageForm:
    """A form: its address and method, its fields and values, its buttons and its text.

    `password` is the name of the password field, or empty if there is none.
    """

    url: str
    method: str
    fields: tuple[tuple[str, str], ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    text: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A page's contents; `refresh` is the address of a meta refresh, or empty."""

    text: str = ""
    links: tuple[PageLink, ...] = ()
    forms: tuple[PageForm, ...] = ()
    refresh: str = ""
    has_script: bool = False


def read_html(text: str, *, url: str) -> HtmlPage:
    """Read a page; addresses on it are resolved against `url`, its own address."""
    reader = _Reader(url)
    reader.feed(text)
    reader.close()
    return HtmlPage(
        text=_squeezed(reader.words),
        links=tuple(PageLink(link.url, _squeezed(link.words)) for link in reader.links),
        forms=tuple(form.frozen() for form in reader.forms),
        refresh=reader.refresh,
        has_script=reader.has_script,
    )


@dataclass
class _Link:
    url: str
    words: list[str] = field(default_factory=list)


@dataclass
class _Form:
    url: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    password: str = ""

    def frozen(self) -> PageForm:
        fields, buttons = tuple(self.fields), tuple(self.buttons)
        return PageForm(
            self.url, self.method, fields, buttons, _squeezed(self.words), self.password
        )


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._form: _Form | None = None
        self._link: _Link | None = None
        self._select: str | None = None
        self._hidden = 0
        self.words: list[str] = []
        self.links: list[_Link] = []
        self.forms: list[_Form] = []
        self.refresh = ""
        self.has_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _HIDDEN:
            self._hidden += 1
            self.has_script |= tag == "script"
        elif tag == "base" and "href" in given:
            self._url = urljoin(self._url, given["href"])
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            found = _REFRESH.match(given.get("content", ""))
            self.refresh = urljoin(self._url, found[1].strip()) if found else ""
        elif tag == "a" and "href" in given:
            self._link = _Link(urljoin(self._url, given["href"]))
            self.links.append(self._link)
        elif tag == "form":
            url = urljoin(self._url, given.get("action") or self._url)
            self._form = _Form(url, given.get("method", "get").upper())
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(self._form, tag, given)

    def _control(self, form: _Form, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        kind = given.get("type", "submit" if tag == "button" else "text").lower()
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            taken = self._select in dict(form.fields)
            if not taken or "selected" in given:
                form.fields = [pair for pair in form.fields if pair[0] != self._select]
                form.fields.append((self._select, value))
        elif tag == "button" or (tag == "input" and kind == "submit"):
            form.buttons.append((name, value))
        elif tag == "textarea" and name:
            form.fields.append((name, value))
        elif tag == "input" and name and kind not in _VOID_INPUTS:
            form.password = name if kind == "password" else form.password
            ticked = kind not in {"checkbox", "radio"} or "checked" in given
            if ticked:
                form.fields.append((name, value or ("on" if kind == "checkbox" else "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a":
            self._link = None
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.words.append(data)
        if self._link is not None:
            self._link.words.append(data)
        if self._form is not None:
            self._form.words.append(data)


def _squeezed(words: list[str]) -> str:
    return " ".join(" ".join(words).split())
