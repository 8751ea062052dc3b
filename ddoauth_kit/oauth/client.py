"""Take a registration through authorization, exchange, refresh and revocation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AuthorizationError, DdoauthError, InputError
from ddoauth_kit.http.sender import Http
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, authorization_request
from ddoauth_kit.oauth.authorization_response import (
    AuthorizationResponse,
    read_authorization_response,
)
from ddoauth_kit.oauth.pending import PendingAuthorizations, PendingStore
from ddoauth_kit.oauth.redirect import Redirect, read_redirect
from ddoauth_kit.oauth.tokens import (
    TokenSet,
    read_refresh_response,
    read_revocation_response,
    read_token_response,
    refresh_request,
    revocation_requests,
    token_request,
)
from ddoauth_kit.sites import DATADOG_SITES, SiteTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.registration import ClientRegistration


ONE_PERSON: Final = "one person"
_NO_SESSION: Final = frozenset({"none", "null", "undefined", "nil", "nan", "false"})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OAuthClient:
    """Run the flow for one registration; a server uses the same client for as long as it runs.

    `begin` returns the request whose URL the browser opens; `complete` takes the redirect and
    returns tokens. Its two steps, `receive` and `exchange`, are for callers who want to see the
    result in between. `pending` stores the waiting attempts; by default, they are stored in this
    process.
    """

    def __init__(
        self,
        registration: ClientRegistration,
        *,
        sites: SiteTable = DATADOG_SITES,
        http: Http | None = None,
        clock: Callable[[], datetime] = _utc_now,
        pending: PendingStore | None = None,
    ) -> None:
        self.registration = registration
        self.sites = sites
        self.http = http or Http()
        self.clock = clock
        self.pending = pending if pending is not None else PendingAuthorizations()

    def begin(  # noqa: PLR0913 - each is a choice of the caller
        self,
        *,
        domain: str = "",
        site_url: str = "",
        redirect_uri: str | None = None,
        scopes: Iterable[str] | None = None,
        name_scopes: bool = True,
        session: str,
    ) -> AuthorizationRequest:
        """Build and remember an authorization request; open its `url` in the browser.

        `session` identifies this browser, for example by the value of a session cookie; the
        redirect must arrive in the same session. `ONE_PERSON` is for a program that serves only one
        person.

        Raises:
            InputError: `missing_session`, `missing_client_secret`, or see `authorization_request`.
        """
        _refuse_no_session(session)
        _ = self.registration.secret  # without it, a code would be wasted
        request = authorization_request(
            self.registration,
            domain=domain,
            site_url=site_url,
            sites=self.sites,
            redirect_uri=redirect_uri,
            scopes=scopes,
            name_scopes=name_scopes,
        )
        self.pending.add(request, session=session)
        return request

    def complete(self, redirect: str | bytes | Redirect, *, session: str) -> TokenSet:
        """Check the redirect and exchange its code, in one step.

        `redirect` is the URL with which your server was called, that URL's path and query, or only
        its query. It may be a string or, as in WSGI and ASGI servers, bytes.

        Raises:
            AuthorizationError, TokenError, AnswerError, NetworkError: see `receive` and `exchange`.
        """
        redirect = read_redirect(redirect)  # from here on, a traceback can't show its code
        return self.exchange(self.receive(redirect, session=session))

    def receive(self, redirect: str | bytes | Redirect, *, session: str) -> AuthorizationResponse:
        """Check a redirect, and use up the attempt to which it belongs.

        If the text is not a redirect, the attempt stays pending.

        Raises:
            AuthorizationError: the redirect does not belong to an attempt of this session, is
                malformed or hostile, or reports an error. Nothing was sent.
        """
        redirect = read_redirect(redirect)
        redirect.refuse_fault()
        return read_authorization_response(
            redirect,
            request=self._attempt_of(redirect, session=session),
            registration=self.registration,
            sites=self.sites,
        )

    def _attempt_of(self, redirect: Redirect, *, session: str) -> AuthorizationRequest:
        try:
            return self.pending.take(redirect.state.reveal(), session=session)
        except AuthorizationError as error:
            raise error.with_traceback(None) from None  # the frames of `take` contain the state

    def exchange(self, response: AuthorizationResponse) -> TokenSet:
        """Exchange the code for tokens; this never retries, because a code works only once.

        Raises:
            InputError, TokenError, AnswerError, NetworkError: see `read_token_response`.
        """
        answer = self.http.send(token_request(self.registration, response=response))
        tokens = read_token_response(
            answer,
            site=response.site,
            client_id=response.request.client_id,
            requested=response.request.scopes,
            now=self.clock(),
            token_endpoint=self.registration.token_endpoint,
        )
        return replace(tokens, dd_oid=response.dd_oid, dd_org_name=response.dd_org_name)

    def refresh(self, tokens: TokenSet) -> TokenSet:
        """Get a new access token; store the result, which may contain a new refresh token.

        Raises:
            TokenError, AnswerError, NetworkError: see `read_refresh_response`.
        """
        answer = self.http.send(refresh_request(self.registration, tokens=tokens))
        return read_refresh_response(
            answer,
            tokens=tokens,
            now=self.clock(),
            token_endpoint=self.registration.token_endpoint,
        )

    def revoke(self, tokens: TokenSet) -> None:
        """End a grant: revoke the refresh token, then the access token, even if the first fails.

        Discard the tokens, whatever happens. API keys stay valid.

        Raises:
            TokenError, AnswerError, NetworkError: the first failure, after both were tried.
        """
        failures: list[DdoauthError] = []
        for request in revocation_requests(self.registration, tokens=tokens):
            try:
                read_revocation_response(self.http.send(request))
            except DdoauthError as error:
                failures.append(error)
        if failures:
            raise failures[0]


def _refuse_no_session(session: object) -> None:
    """Refuse an empty session, which all browsers without a cookie would share."""
    letters = filter(str.isalnum, session) if isinstance(session, str) else ()
    word = "".join(letters).lower()
    if not word or word in _NO_SESSION:
        what = (
            f"The session is {session!r:.20}, so your server can't tell this browser from another."
        )
        raise InputError("missing_session", what)
