"""Show a step's value as a small two-column table, in text and HTML, without secrets."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import singledispatch
from html import escape
from typing import Any, Final

from ddoauth_kit.api.api_keys import ApiKey
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.errors.explainer import Explanation
from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.transcript import Transcript
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
from ddoauth_kit.oauth.pkce import CHALLENGE_METHOD
from ddoauth_kit.oauth.tokens import TokenSet
from ddoauth_kit.sites import Site
from ddoauth_kit.workbook.show.wire import transcript_html, wire_html, wire_text

WIDTH: Final = 88
Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A skipped step and the reason; it is falsy, so that code can test it.

    `state` is the word before the reason, such as `not yet`.
    """

    reason: str
    state: str = "skipped"

    def __bool__(self) -> bool:
        return False


@singledispatch
def rows(value: object) -> Rows:
    """Return the rows of a value's card: names and texts."""
    raise TypeError(f"There is no card for {type(value).__name__}.")


@rows.register
def _(value: Site) -> Rows:
    public = value.public
    return (
        ("site", value.name),
        ("domain", value.domain),
        ("app URL", public.app_url),
        ("API URL", public.api_url),
        ("logs intake URL", public.logs_intake_url),
        ("events intake URL", public.events_intake_url),
    )


@rows.register
def _(value: AuthorizationRequest) -> Rows:
    base, _, _ = value.shown_url.partition("?")
    return (
        ("send the browser to", base),
        ("response_type", "code"),
        ("client_id", value.client_id),
        ("redirect_uri", value.redirect_uri),
        ("scope", " ".join(value.scopes)),
        ("state", str(value.state)),
        ("code_challenge", str(value.pkce.challenge)),
        ("code_challenge_method", CHALLENGE_METHOD),
    )


@rows.register
def _(value: AuthorizationResponse) -> Rows:
    return (
        ("code", str(value.code)),
        ("domain", value.site.domain),
        ("next request goes to", value.site.public.api_url),
        ("organization", value.dd_org_name),
        ("dd_oid", value.dd_oid),
    )


@rows.register
def _(value: TokenSet) -> Rows:
    return (
        ("access token", str(value.access_token)),
        ("expires at", f"{value.expires_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("refresh token", str(value.refresh_token or "none")),
        ("granted scopes", " ".join(value.scopes.granted)),
        ("requested but not granted", " ".join(value.scopes.withheld) or "none"),
        ("works on", value.site.public.api_url),
    )


@rows.register
def _(value: ApiKey) -> Rows:
    return (
        ("API key", str(value.key)),
        ("name", value.name),
        ("id", value.key_id or "not stored"),
        ("works on", value.site.public.api_url),
    )


@rows.register
def _(value: DdoauthError) -> Rows:
    return (
        ("what happened", value.what),
        ("what the server said", "; ".join(value.said) or "nothing"),
        ("what to try next", value.advice),
        ("code", value.code),
    )


@rows.register
def _(value: Explanation) -> Rows:
    sources = ", ".join(f"{title} <{url}>" for title, url in value.sources)
    return (
        ("code", value.code),
        ("cause", value.cause),
        ("evidence", value.evidence),
        ("fix", value.fix),
        ("sources", sources or "none"),
    )


@rows.register
def _(value: Skipped) -> Rows:
    return ((value.state, value.reason),)


def as_text(value: object) -> str:
    """Return the card as aligned text, with long values wrapped."""
    found = rows(value)
    width = max(len(name) for name, _ in found) + 2
    lines = [
        textwrap.fill(
            f"{name:<{width}}{text}",
            width=WIDTH,
            subsequent_indent=" " * width,
            break_on_hyphens=False,
        )
        for name, text in found
    ]
    return "\n".join(lines)


def as_html(value: object) -> str:
    """Return the card as an HTML table with row headings."""
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top">{escape(name)}</th>'
        f'<td style="text-align:left;overflow-wrap:anywhere">{escape(text)}</td></tr>'
        for name, text in rows(value)
    )
    return f"<table>{body}</table>"


def show_cards_in(shell: Any) -> None:  # noqa: ANN401 - IPython's shell, or None outside of one
    """Make a notebook show a card if the last value of a cell is one of the kit's values."""
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for kind in set(rows.registry) - {object}:
        formatters["text/html"].for_type(kind, as_html)
        formatters["text/plain"].for_type(kind, lambda value, p, _cycle: p.text(as_text(value)))
    formatters["text/html"].for_type(Exchange, wire_html)
    formatters["text/html"].for_type(Transcript, transcript_html)
    formatters["text/plain"].for_type(Exchange, lambda value, p, _cycle: p.text(wire_text(value)))
