"""Parse the redirect that ends an authorization, and return a value that doesn't show secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.pasted_address import typed_address, without_quotes
from ddoauth_kit.oauth.redirect_query import redirect_pairs
from ddoauth_kit.secret import Secret

MAX_REDIRECT_LENGTH: Final = 16 * 1024
_SHOWN: Final = 200
# Parameters from RFC 6749, RFC 9207 and Datadog; the redirect URI's own parameters may repeat.
_ONCE: Final = frozenset(
    {
        "client_id",
        "code",
        "dd_oid",
        "dd_org_name",
        "domain",
        "error",
        "error_description",
        "error_uri",
        "iss",
        "scope",
        "site",
        "state",
    }
)


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect's unchecked values; the repr shows only the state and the code, masked.

    `client_id` and `iss` are None if the redirect does not contain them. `fault` is a code and a
    sentence that say why the redirect cannot be used.
    """

    state: Secret
    code: Secret
    domain: str = field(default="", repr=False)
    site_url: str = field(default="", repr=False)
    client_id: str | None = field(default=None, repr=False)
    iss: str | None = field(default=None, repr=False)
    error: str = field(default="", repr=False)
    error_description: str = field(default="", repr=False)
    dd_oid: str = field(default="", repr=False)
    dd_org_name: str = field(default="", repr=False)
    fault: tuple[str, str] | None = None

    def refuse_fault(self) -> None:
        """Raise if this is not a redirect, or has no `state` that leads to its attempt.

        Raises:
            AuthorizationError: `not_a_redirect`, `duplicate_parameter` or `missing_state`.
        """
        if self.fault:
            raise AuthorizationError(*self.fault)
        if not self.state:
            said = f" (it says error={self.error})." if self.error else "."
            raise AuthorizationError("missing_state", f"The redirect has no `state`{said}")


def read_redirect(redirect: str | bytes | Redirect) -> Redirect:
    """Parse a URL, a path with its query, or the query alone; return a parsed one unchanged.

    WSGI and ASGI servers provide the query as bytes. This function never raises an error, so no
    traceback contains the text with its code; `fault` says what is wrong.
    """
    if isinstance(redirect, Redirect):
        return redirect
    if isinstance(redirect, bytes):
        redirect = redirect.decode("latin-1")
    if what := _unusable(redirect):
        return _faulty("not_a_redirect", what)
    try:
        pairs = redirect_pairs(redirect)
    except ValueError:
        return _faulty("not_a_redirect", "The text is not a redirect: its query can't be read.")
    names = [name for name, _ in pairs]
    # RFC 6749 section 3.1: each of the response's parameters may occur only once.
    if twice := [f"`{name}`" for name in sorted(_ONCE) if names.count(name) > 1]:
        what = f"The redirect contains more than one {', '.join(twice)}."
        return _faulty("duplicate_parameter", what)
    said = dict(pairs)
    if "response_type" in said:
        what = "This is the address where an attempt begins, not the one where it ends."
        return _faulty("not_a_redirect", what)
    return Redirect(
        state=Secret(said.get("state", ""), label="state"),
        code=Secret(said.get("code", ""), label="code"),
        domain=said.get("domain", ""),
        site_url=said.get("site", ""),
        client_id=said.get("client_id"),
        iss=said.get("iss"),
        error=printable(said.get("error", "")),
        error_description=printable(said.get("error_description", "")),
        dd_oid=printable(said.get("dd_oid", "")),
        dd_org_name=printable(said.get("dd_org_name", "")),
    )


def pasted_redirect(redirect: str | Redirect) -> Redirect:
    """Parse a pasted redirect as `read_redirect` does, but ignore a full stop at its end."""
    return read_redirect(typed_address(redirect) if isinstance(redirect, str) else redirect)


def _unusable(text: object) -> str:
    if not isinstance(text, str):
        return f"A value of the type {type(text).__name__} is not a redirect."
    if len(text) > MAX_REDIRECT_LENGTH:
        return "The text is too long for a redirect."
    return (
        ""
        if without_quotes(text).isascii()
        else ("The redirect contains characters that a URL can't contain.")
    )


def _faulty(code: str, what: str) -> Redirect:
    nothing = Secret("", label="nothing")
    return Redirect(state=nothing, code=nothing, fault=(code, what))


def printable(text: str) -> str:
    """Return text from outside without control characters, truncated to 200 characters."""
    return "".join(c for c in text[:_SHOWN] if c.isprintable())
