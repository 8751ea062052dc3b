"""Whatever a server hands over or a person pastes, the query in it is found."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import redirect, registration

from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, authorization_request
from ddoauth_kit.oauth.authorization_response import read_authorization_response
from ddoauth_kit.oauth.redirect_query import redirect_pairs

BLANK = st.sampled_from(["", "&", "&&"])
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
OWN = st.lists(st.tuples(WORD, st.sampled_from(["", "=", "=1"])), max_size=3)
PLACES = st.sampled_from(
    ["", "/cb", "cb", "http://10.0.0.1:8000/x", "https://acme.example.com:443/cb", "//inner/cb"]
)


def _code(text: str, request: AuthorizationRequest, client: object = None) -> str:
    found = read_authorization_response(
        text,
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


@pytest.mark.parametrize(
    "spoil",
    [
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
    ],
    ids=range(13),
)
def test_a_pasted_redirect_is_read_through_what_mail_and_chat_add(spoil: object) -> None:
    """Quotes, `&amp;` and the link of a mail filter change nothing about the answer."""
    request = authorization_request(registration())
    assert _code(spoil(redirect(request)), request) == "canary-code"  # type: ignore[operator]


@generated(st.text(max_size=80))
def test_any_text_is_pairs_or_a_value_error(text: str) -> None:
    """Nothing else is raised, whatever is pasted."""
    try:
        pairs = redirect_pairs(text)
    except ValueError:
        return
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in pairs)
