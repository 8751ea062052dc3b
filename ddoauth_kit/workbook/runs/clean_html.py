"""Put a notebook's HTML on a page without parts that navigate, catch clicks or cover the page.

A policy on the page blocks scripts and external resources. It doesn't block `<meta
http-equiv=refresh>` or a transparent link over the whole page, so only listed elements, attributes
and styles are allowed.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import nh3

TAGS: Final = frozenset(
    {
        *("a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del"),
        *("details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img"),
        *("kbd", "label", "li", "mark", "ol", "p", "pre", "progress", "q", "s", "samp", "section"),
        *(
            "small",
            "span",
            "strong",
            "sub",
            "summary",
            "sup",
            "table",
            "tbody",
            "td",
            "tfoot",
            "th",
        ),
        *("thead", "tr", "u", "ul", "var", "wbr"),
    }
)
# The contents of these elements are not meant to be read.
_WHOLE: Final = frozenset({"iframe", "math", "noscript", "script", "style", "svg", "template"})
_ATTRIBUTES: Final = {
    "*": {"class", "style", "title", "lang", "dir"},
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "div": {"role", "aria-label", "tabindex"},
    "pre": {"tabindex"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "progress": {"value", "max", "aria-label"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
STYLES: Final = frozenset(
    {
        *("background-color", "border-collapse", "color", "font-family", "font-style"),
        *("font-weight", "overflow-wrap", "overflow-x", "text-align", "text-decoration"),
        *("vertical-align", "white-space"),
    }
)
_LINK: Final = re.compile(r"https?://[^/]|[\w.-]+(?:#|$)", re.ASCII)
_NOWHERE: Final = re.compile(r"<a>(.*?)</a>", re.DOTALL)
# The parser's time grows with the square of the number of open elements, of references in a text
# and of its non-breaking spaces.
_DEEPEST: Final = 256
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_CLOSED_BY_NEXT: Final = frozenset(
    {
        *("area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li"),
        *("link", "meta", "option", "p", "source", "tbody", "td", "tfoot", "th", "thead", "tr"),
        *("track", "wbr"),
    }
)
_MARK: Final = "\ue0a9"
_REFERENCE: Final = re.compile(
    rf"{_MARK}(?=[A-Za-z][A-Za-z0-9]{{1,31}};|#[0-9]{{1,7}};|#[xX][0-9a-fA-F]{{1,6}};)"
)
TOO_DEEP: Final = (
    "<p>This output is nested too deeply for a page. The notebook contains all of it.</p>"
)
_PICTURE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]")


def clean_html(text: str) -> str:
    """Return HTML that stays in its place and does nothing unless a link is clicked."""
    if _is_too_deep(text):
        return TOO_DEEP
    marked = text.replace(_MARK, "\ufffd").replace("\xa0", "&nbsp;").replace("&", _MARK)
    cleaned = _REFERENCE.sub("&", _cleaner().clean(marked)).replace(_MARK, "&amp;")
    return _NOWHERE.sub(r"\1", cleaned)


def _is_too_deep(text: str) -> bool:
    """Return whether elements are nested more deeply than any reader needs."""
    opened: Counter[str] = Counter()
    depth = 0
    for close, name in _TAG.findall(text):
        tag = name.lower()
        if tag in _CLOSED_BY_NEXT:
            continue
        if not close:
            opened[tag] += 1
            depth += 1
            if depth > _DEEPEST:
                return True
        elif opened[tag]:
            opened[tag] -= 1
            depth -= 1
    return False


@cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(_WHOLE),
        attributes={name: set(values) for name, values in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        filter_style_properties=set(STYLES),
        url_schemes={"http", "https", "data"},
        link_rel=None,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value, or None to remove it.

    A link doesn't get any other attribute, so it can't be styled to look like something else.
    """
    if tag == "a":
        return value if name == "href" and _LINK.match(value) else None
    if name == "tabindex":
        return value if value == "0" else None
    if name == "src":
        return value if _PICTURE.match(value) else None
    return value
