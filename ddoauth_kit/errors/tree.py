"""Define the classes of errors; the package's docstring draws the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.errors.explainer import explain
from ddoauth_kit.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.exchange import Exchange


class DdoauthError(Exception):
    """The base class: a stable code, the server's masked messages and the masked exchange.

    `what` is a sentence. `said` contains the server's own messages, without secrets. `exchange` is
    the masked request and response, or None if nothing was sent.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        said: Sequence[str] = (),
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__(code, one_line(what))
        self.code = code
        self.what = one_line(what)
        self.said = tuple(one_line(text) for text in said if text)
        self.exchange = exchange

    @property
    def advice(self) -> str:
        """Return what to try next for this code."""
        return explain(self.code).fix

    @property
    def evidence(self) -> str:
        """Return what happened and, if the server gave a reason, its words and the code."""
        if not self.said:
            return self.what
        return f"{self.what} {self._server_said} (ddoauth explain {self.code})"

    @property
    def _server_said(self) -> str:
        return f"The server said: {'; '.join(self.said).removesuffix('.')}." if self.said else ""

    def __str__(self) -> str:
        return self.told(f'explain("{self.code}")')

    def told(self, more: str) -> str:
        """Return the whole message; `more` is the command that explains it further."""
        happened = " ".join(filter(None, (self.what, self._server_said)))
        return f"[{self.code}] {happened} Next: {self.advice} More: {more}."

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def _render_traceback_(self) -> list[str]:
        """Make notebooks show only the message, because the mistake isn't in the kit's code."""
        more = f'explain("{self.code}"), or `ddoauth explain {self.code}` in a terminal'
        return [f"{type(self).__name__}: {self.told(more)}"]


class InputError(DdoauthError):
    """Refuse an input before any request is sent."""


class AuthorizationError(DdoauthError):
    """Refuse an authorization response, or report the error in it (RFC 6749 4.1.2.1)."""


class TokenError(DdoauthError):
    """Report a refusal by the token or the revocation endpoint (RFC 6749 5.2, RFC 7009 2.2)."""


class ApiError(DdoauthError):
    """Report a refusal by one of Datadog's APIs."""


class ApiKeyError(ApiError):
    """Report that the client's only API key was not created, or is not accepted."""


class AnswerError(DdoauthError):
    """Report an unreadable response: 5xx, HTML, broken JSON, a missing field."""


class NetworkError(DdoauthError):
    """Report that no complete response arrived: a connection or TLS failure, or a timeout."""
