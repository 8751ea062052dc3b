"""Refusals: one exception type, and the only function that turns it into a response."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.html import document, el
from ddoauth_kit.sandbox.http.messages import (
    Answer,
    html_answer,
    json_answer,
    see_other,
    with_query,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.facts.profiles import Profile

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
UNAUTHORIZED = 401
REALM = 'realm="ddoauth-sandbox"'


@dataclass(frozen=True)
class Target:
    """The target of an authorization response, and the parameters that every response carries."""

    uri: str
    state: str | None
    domain: str
    site: str

    def location(self, *first: tuple[str, str], last: tuple[tuple[str, str], ...] = ()) -> str:
        """Write the redirect's address."""
        state = () if self.state is None else (("state", self.state),)
        pairs = (*first, *state, ("domain", self.domain), ("site", self.site), *last)
        return with_query(self.uri, pairs)


class Refusal(Exception):  # noqa: N818 - it is an answer of the twin, not an error of it
    """An exception that becomes the response to a request; `behaviour` names the rule behind it."""

    def __init__(  # noqa: PLR0913 - what the channels need, each some of it
        self,
        behaviour: str,
        *,
        channel: str,
        status: int = 400,
        code: str = "",
        text: str = "",
        errors: tuple[object, ...] = (),
        target: Target | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        content_type: str = "application/json",
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        super().__init__(behaviour, text)
        self.behaviour = behaviour
        self.channel = channel
        self.status = status
        self.code = code
        self.text = text
        self.errors = errors
        self.target = target
        self.headers = headers
        self.content_type = content_type
        # This is set if a profile writes errors in a format other than a list.
        self.document: dict[str, object] | None = None
        # Set by the endpoints that always answer in RFC 6749's format.
        self.rfc = False
        self.more = more


def page_refusal(behaviour: str, text: str, *, status: int = 400) -> Refusal:
    """Refuse with a web application page, without redirecting."""
    return Refusal(behaviour, channel="page", status=status, text=text)


def redirect_refusal(behaviour: str, code: str, text: str, *, target: Target) -> Refusal:
    """Refuse with a redirect to the client (RFC 6749, 4.1.2.1)."""
    return Refusal(behaviour, channel="redirect", code=code, text=text, target=target)


def oauth_refusal(behaviour: str, code: str, text: str, *, status: int = 400) -> Refusal:
    """Refuse a request to the token or revocation endpoint."""
    return Refusal(behaviour, channel="oauth", status=status, code=code, text=text)


def api_refusal(
    behaviour: str,
    status: int,
    *errors: object,
    as_text: bool = False,
    more: Mapping[str, object] = MappingProxyType({}),
) -> Refusal:
    """Refuse an API call, with `more` fields next to the errors.

    Some of Datadog's services send their JSON as plain text.
    """
    content_type = "text/plain" if as_text else "application/json"
    return Refusal(
        behaviour, channel="api", status=status, errors=errors, content_type=content_type, more=more
    )


def error_of(path: str, status: int, title: str, detail: str) -> object:
    """Write one error in the path's format: v1 uses a string, later versions an object."""
    if path.startswith("/api/v1/"):
        return detail
    return {"status": str(status), "title": title, "detail": detail}


def bearer_refusal(
    behaviour: str, status: int, *errors: object, code: str = "", text: str = ""
) -> Refusal:
    """Refuse a bad or missing bearer token; the `rfc` profile adds a challenge with `code`."""
    return Refusal(behaviour, channel="bearer", status=status, errors=errors, code=code, text=text)


def answer_refusal(refusal: Refusal, *, profile: Profile) -> Answer:
    """Turn a refusal into the response that the profile requires."""
    if refusal.channel == "page":
        page = document("Something went wrong", el("p", refusal.text))
        return html_answer(refusal.status, page, *refusal.headers)
    if refusal.channel == "redirect" and refusal.target is not None:
        said = (("error", refusal.code), ("error_description", refusal.text))
        return see_other(refusal.target.location(*said))
    if refusal.channel == "oauth":
        return _oauth_answer(refusal, profile=profile)
    return _api_answer(refusal, profile=profile)


def _oauth_answer(refusal: Refusal, *, profile: Profile) -> Answer:
    headers = (*NO_STORE, *refusal.headers)
    if not (profile.rfc_errors or refusal.rfc):
        errors = [f"{refusal.code} - {refusal.text}"]
        return json_answer(refusal.status, {"errors": errors}, *headers)
    body = {"error": refusal.code, "error_description": refusal.text}
    if refusal.status != UNAUTHORIZED:
        return json_answer(refusal.status, body, *headers)
    # RFC 9110 15.5.2: a 401 without a challenge is not allowed.
    return json_answer(UNAUTHORIZED, body, *headers, ("WWW-Authenticate", f"Basic {REALM}"))


def _api_answer(refusal: Refusal, *, profile: Profile) -> Answer:
    if profile.rfc_errors and refusal.channel == "bearer":
        return _challenge(refusal)
    body = refusal.document or {"errors": list(refusal.errors), **refusal.more}
    answer = json_answer(refusal.status, body, *refusal.headers)
    return Answer(answer.status, answer.body, refusal.content_type, answer.headers)


def _challenge(refusal: Refusal) -> Answer:
    # RFC 6750 3.1: a request without any token gets a challenge without an error code.
    if not refusal.code:
        header = ("WWW-Authenticate", f"Bearer {REALM}")
        return json_answer(
            refusal.status, {"errors": list(refusal.errors)}, *refusal.headers, header
        )
    said = f'error="{refusal.code}", error_description="{refusal.text}"'
    header = ("WWW-Authenticate", f"Bearer {REALM}, {said}")
    body = {"error": refusal.code, "error_description": refusal.text}
    return json_answer(refusal.status, body, *refusal.headers, header)
