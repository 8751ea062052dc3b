"""The query is found in whatever a server passes or a person pastes."""

from __future__ import annotations

import quopri
from base64 import b64encode, urlsafe_b64encode
from html import escape
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import redirect, registration

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, authorization_request
from ddoauth_kit.oauth.authorization_response import read_authorization_response
from ddoauth_kit.oauth.redirect import pasted_redirect
from ddoauth_kit.oauth.redirect_query import redirect_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

BLANK = st.sampled_from(["", "&", "&&"])
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
OWN = st.lists(st.tuples(WORD, st.sampled_from(["", "=", "=1"])), max_size=3)
PLACES = st.sampled_from(
    ["", "/cb", "cb", "http://10.0.0.1:8000/x", "https://acme.example.com:443/cb", "//inner/cb"]
)


def _code(text: object, request: AuthorizationRequest, client: object = None) -> str:
    found = read_authorization_response(
        text,  # type: ignore[arg-type]
        request=request,
        registration=client or registration(),  # type: ignore[arg-type]
    )
    return found.code.reveal()


def _filtered(url: str) -> str:
    return f"https://x.safelinks.example.com/?url={quote(url, safe='')}&data=1&reserved=0"


@generated(OWN, BLANK, BLANK, PLACES)
def test_a_redirect_uri_may_have_a_query_of_its_own(
    own: list[tuple[str, str]], before: str, after: str, place: str
) -> None:
    """Its pieces, with a value, without one or twice, and blank pieces are skipped anywhere."""
    pieces = "&".join(f"own-{name}{value}" for name, value in own)
    client = registration(redirect_uris=(f"https://acme.example.com/cb?{pieces}",))
    request = authorization_request(client)
    query = redirect(request).rpartition("?")[2]
    assert _code(f"{place}?{pieces}&{before}{query}{after}", request, client) == "canary-code"


@generated(PLACES, st.none() | st.integers() | st.dictionaries(WORD, WORD))
def test_a_redirect_may_be_bytes_and_nothing_else_but_text(place: str, other: object) -> None:
    """WSGI and ASGI servers have the query as bytes; another type is refused by name."""
    request = authorization_request(registration())
    query = redirect(request).rpartition("?")[2]
    assert _code(f"{place}?{query}".encode(), request) == "canary-code"
    with pytest.raises(AuthorizationError, match=type(other).__name__) as caught:
        _code(other, request)
    assert caught.value.code == "not_a_redirect"


SPOILT: tuple[Callable[[str], str], ...] = (
    lambda url: f'"{url}"',
    lambda url: f"<{url}>",
    lambda url: f" “{url}” \n",
    lambda url: f"'`{url}`'",
    escape,
    lambda url: url.replace("&", "&#38;"),
    lambda url: url.replace("&", "&#x26;"),
    lambda url: f"({url})",
    lambda url: f"{url}#_=_",
    lambda url: url.partition("?")[2],
    _filtered,
    lambda url: f"https://www.google.com/url?sa=D&q={quote(url, safe='')}",
    lambda url: f"https://a.example.com/?u={quote(_filtered(url), safe='')}",
)


def test_a_pasted_redirect_is_read_through_what_mail_and_chat_add() -> None:
    """Quotes, `&amp;` and a mail filter's link make no difference to the redirect."""
    request = authorization_request(registration())
    for spoil in SPOILT:
        text = spoil(redirect(request))
        assert _code(text, request) == "canary-code", text


@generated(st.text(max_size=80))
def test_any_text_is_pairs_or_a_value_error(text: str) -> None:
    """Whatever is pasted, no other error is raised."""
    try:
        pairs = redirect_pairs(text)
    except ValueError:
        return
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in pairs)


def _proofpoint_2(url: str) -> str:
    coded = quote(url, safe="/:.").replace("-", "-2D").replace("_", "-5F")
    coded = coded.replace("%", "-").replace(":", "-3A").replace("/", "_")
    return f"https://urldefense.proofpoint.com/v2/url?u={coded}&d=DwMFaQ&c=a&r=b-c&m=d_e&s=f&e="


def _proofpoint_3(url: str) -> str:
    moved = "".join(c for c in url if c in "%+*#")
    for c in "%+*#":
        url = url.replace(c, "*")
    at_the_end = urlsafe_b64encode(moved.encode()).decode().rstrip("=")
    return f"https://urldefense.com/v3/__{url}__;{at_the_end}!!Abc_-d!e-F$ "


def _proofpoint_3_in_runs(url: str) -> str:
    """Move the scheme's `://` and the percent signs, three of them as a run."""
    head, rest = url.partition("://")[0], url.partition("://")[2]
    moved = urlsafe_b64encode(("://" + "%" * rest.count("%")).encode()).decode().rstrip("=")
    return f"https://urldefense.com/v3/__{head}**B{rest.replace('%', '*')}__;{moved}!!Abc$"


# What each of these makes of a URL, by its maker's pages or by many examples of it.
CARRIED: dict[str, Callable[[str], str]] = {
    "Safe Links": _filtered,
    "Safe Links of Teams": lambda url: (
        "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html"
        f"?url={quote(url, safe='')}&locale=en-us"
    ),
    "Proofpoint 1": lambda url: (
        f"https://urldefense.proofpoint.com/v1/url?u={quote(url, safe='')}&k=a%3D%0A&r=b&s=c"
    ),
    "Proofpoint 2": _proofpoint_2,
    "Proofpoint 3": _proofpoint_3,
    "Proofpoint 3 in runs": _proofpoint_3_in_runs,
    "Barracuda": lambda url: (
        f"https://linkprotect.cudasvc.com/url?a={quote(url, safe='')}&c=E,1,b-d,,&typo=1"
    ),
    "Barracuda, as it is": lambda url: (
        f"https://linkprotect.cudasvc.com/url?a={url}&c=E,1,b&typo=1"
    ),
    "Cisco": lambda url: f"https://secure-web.cisco.com/1S1h_Cy-8Q/{quote(url, safe='')}",
    "Cisco, as it is": lambda url: f"http://secure-web.cisco.com/1S1h_Cy8Q/{url}",
    "Sophos": lambda url: (
        "https://eu-west-1.protection.sophos.com/?d=acme.example.com"
        f"&u={quote(b64encode(url.encode()).decode())}&i=a&t=b&h=c"
    ),
    "Trend Micro": lambda url: (
        f"https://imsva.example.com/wis/clicktime/v1/query?url={quote(url, safe='')}&umid=a&auth=b"
    ),
    "FireEye": lambda url: (
        f"https://protect2.fireeye.com/v1/url?k=a-b-c&q=1&e=d-e&u={quote(url, safe='')}"
    ),
    "Symantec": lambda url: f"https://clicktime.symantec.com/15t?h=a=&u={quote(url, safe='')}",
    "Google": lambda url: f"https://www.google.com/url?sa=D&q={quote(url, safe='')}&ust=1&usg=a",
    "Slack": lambda url: f"https://slack-redir.net/link?url={quote(url, safe='')}",
    "two of them": lambda url: _filtered(_proofpoint_2(url)),
    "two others": lambda url: _proofpoint_3(_filtered(url)),
}
NOTED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "Markdown": lambda url: f"[the page]({url})",
    "Markdown of itself": lambda url: f"[{url}]({url})",
    "Markdown with a title": lambda url: f'[the page](<{url}> "a title")',
    "a note in Markdown": lambda url: f"[1]: {url}",
    "bold": lambda url: f"**{url}**",
    "Slack": lambda url: f"<{url}|the page>",
    "angle brackets": lambda url: f"<{url}>",
    "HTML": lambda url: f'<a href="{escape(url)}" target="_blank">the page</a>',
    "a wiki": lambda url: f"[{url} the page]",
    "Jira": lambda url: f"[the page|{url}]",
    "BBCode": lambda url: f"[url={url}]the page[/url]",
    "reST": lambda url: f"`the page <{url}>`_",
    "quoted-printable": lambda url: quopri.encodestring(url.encode()).decode(),
    "broken lines": lambda url: "\n".join(url[i : i + 60] for i in range(0, len(url), 60)),
    "an answered mail": lambda url: (
        "> " + "\r\n> ".join(url[i : i + 72] for i in range(0, len(url), 72))
    ),
    "a sentence": lambda url: f"The browser ended on {url}.",
    "in brackets": lambda url: f"It is this one (I think): ({url})",
}
ENDED: dict[str, Callable[[str], str]] = {
    **{f"with {mark!r} at the end": (lambda url, m=mark: f"{url}{m}") for mark in ".,;:!)]>"},
    "with words after it": lambda url: f"{url} (it took a while)",
    "with invisible characters": lambda url: f"\ufeff\u200b{url}\u00a0\u200b\n",
    "with a dot after the bracket": lambda url: f"({url}).",
}
ORDERS = (("code", "state", "domain", "site"), ("domain", "site", "code", "state"))


def _ordered(request: AuthorizationRequest, order: tuple[str, ...]) -> str:
    address, _, query = redirect(request).partition("?")
    pieces = {piece.partition("=")[0]: piece for piece in query.split("&")}
    return f"{address}?{'&'.join(pieces[name] for name in order)}"


def test_a_link_that_carries_the_redirect_is_read_in_every_notation() -> None:
    """A link as a mail filter changes it, with text that a person or a program adds around it."""
    request = authorization_request(registration(redirect_uris=("https://acme.example.com/cb",)))
    for link, noted, order in product(CARRIED, NOTED, ORDERS):
        text = NOTED[noted](CARRIED[link](_ordered(request, order)))
        assert _code(text, request) == "canary-code", f"{link}, {noted}: {text}"


def test_a_redirect_is_read_in_every_notation() -> None:
    """Whichever of its parameters is the last one."""
    request = authorization_request(registration(redirect_uris=("https://acme.example.com/cb",)))
    for noted, order in product(NOTED, ORDERS):
        text = NOTED[noted](_ordered(request, order))
        assert _code(text, request) == "canary-code", f"{noted}: {text}"


def test_what_a_person_pastes_may_end_like_a_sentence() -> None:
    """Its full stop, bracket or next words belong to no value."""
    request = authorization_request(registration())
    for ended, order in product(ENDED, ORDERS):
        pasted = pasted_redirect(ENDED[ended](_ordered(request, order)))
        assert _code(pasted, request) == "canary-code", ended  # type: ignore[arg-type]


@generated(
    st.sampled_from(sorted(CARRIED)), st.sampled_from(sorted(NOTED)), st.sampled_from(sorted(ENDED))
)
def test_link_notation_and_end_come_together(link: str, noted: str, ended: str) -> None:
    """A hundred of their combinations, pasted by a person."""
    request = authorization_request(registration())
    pasted = pasted_redirect(ENDED[ended](NOTED[noted](CARRIED[link](redirect(request)))))
    assert _code(pasted, request) == "canary-code"  # type: ignore[arg-type]
