"""Exchange a code for tokens, refresh them, and revoke them (RFC 6749 4.1.3 and 6, RFC 7009)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import TokenError
from ddoauth_kit.exchange import Purpose
from ddoauth_kit.http.answers import (
    error_texts,
    oauth_error,
    read_object,
    refusal_sentence,
    refuse_unreadable,
    unexpected,
)
from ddoauth_kit.http.message import Pairs, Request, Response
from ddoauth_kit.registration import TokenEndpoint
from ddoauth_kit.scopes import GrantedScopes, parse_scopes
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import Host, Site

if TYPE_CHECKING:
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.registration import ClientRegistration

REVOKE_PATH: Final = "/oauth2/v1/revoke"
_OK: Final = 200
_NO_SUCH_ENDPOINT: Final = frozenset({404, 405})
_CODES: Final = {401: "invalid_client", 429: "rate_limited"}
_LONGEST_LIFETIME: Final = 10 * 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A grant: its tokens, its scopes, the access token's expiry, and its site.

    `expires_at` is in UTC. Store `site` with the tokens, because they work only on that site.
    `dd_oid` and `dd_org_name` come from the redirect and say to whom the grant belongs; Datadog
    does not document them. `token_endpoint` is the endpoint that issued the tokens, or None if that
    was not recorded.
    """

    access_token: Secret
    refresh_token: Secret | None
    expires_at: datetime
    scopes: GrantedScopes
    site: Site
    client_id: str
    dd_oid: str = ""
    dd_org_name: str = ""
    token_endpoint: TokenEndpoint | None = field(default=None, repr=False)

    def seconds_left(self, now: datetime | None = None) -> float:
        """Return the seconds until the access token expires; the result is negative after that."""
        return (self.expires_at - (now or datetime.now(UTC))).total_seconds()


def stored_grant(
    registration: ClientRegistration, *, site: Site, refresh_token: Secret
) -> TokenSet:
    """Return a grant of which only the refresh token was stored; refresh it before use."""
    return TokenSet(
        access_token=Secret("", label="access_token"),
        refresh_token=refresh_token,
        expires_at=datetime.min.replace(tzinfo=UTC),
        scopes=GrantedScopes(requested=registration.scopes, granted=registration.scopes),
        site=site,
        client_id=registration.client_id,
    )


def token_request(registration: ClientRegistration, *, response: AuthorizationResponse) -> Request:
    """Build the form-encoded request that exchanges a code on the site that `domain` named.

    The request goes only to the registration's token endpoint, because a code works only once.

    The redirect URI is the same as in the authorization request (RFC 6749 section 4.1.3).

    Raises:
        InputError: `missing_client_secret`.
    """
    form: Pairs = (
        ("grant_type", "authorization_code"),
        *_client(registration),
        ("redirect_uri", response.request.redirect_uri),
        ("code_verifier", response.request.pkce.verifier),
        ("code", response.code),
    )
    return _post(Purpose.EXCHANGE, response.site, registration.token_endpoint.path, form)


def refresh_request(registration: ClientRegistration, *, tokens: TokenSet) -> Request:
    """Build a refresh with `refresh_token` (RFC 6749 section 6), which Datadog's table leaves out.

    Raises:
        InputError: `missing_client_secret`.
        TokenError: `no_refresh_token`.
    """
    if not tokens.refresh_token:
        raise TokenError("no_refresh_token", "This grant came without a refresh token.")
    form: Pairs = (
        ("grant_type", "refresh_token"),
        *_client(registration),
        ("refresh_token", tokens.refresh_token),
    )
    return _post(Purpose.REFRESH, tokens.site, registration.token_endpoint.path, form)


def revocation_requests(
    registration: ClientRegistration, *, tokens: TokenSet
) -> tuple[Request, ...]:
    """Build the revocations of a grant, the refresh token first (RFC 7009 section 2.1).

    Datadog's example also sends the access token as a bearer token, so these requests do too.

    Raises:
        InputError: `missing_client_secret`.
    """
    bearer: Pairs = (("authorization", tokens.access_token),) if tokens.access_token else ()
    both = (
        (Purpose.REFRESH_REVOCATION, "refresh_token", tokens.refresh_token),
        (Purpose.ACCESS_REVOCATION, "access_token", tokens.access_token),
    )
    return tuple(
        _post(
            purpose,
            tokens.site,
            REVOKE_PATH,
            (*_client(registration), ("token", token), ("token_type_hint", hint)),
            headers=bearer,
        )
        for purpose, hint, token in both
        if token
    )


def read_token_response(  # noqa: PLR0913 - facts that the response lacks
    response: Response,
    *,
    site: Site,
    client_id: str,
    requested: tuple[str, ...],
    now: datetime,
    token_endpoint: TokenEndpoint = TokenEndpoint.V2,
) -> TokenSet:
    """Read the response to a token exchange (RFC 6749 section 5.1).

    `now` is the time on the client's clock when the response arrived; the expiry is counted from
    then. `token_endpoint` is the endpoint that responded.

    Raises:
        TokenError: `invalid_grant`, `invalid_client`, `rate_limited`, `token_refused` or
            `token_endpoint_missing`.
        AnswerError: the response cannot be read, or lacks what RFC 6749 requires.
    """
    if response.status in _NO_SUCH_ENDPOINT:
        raise _no_such_endpoint(response, site=site, asked=token_endpoint)
    answer = _read_success(response)
    scope = answer.get("scope")
    granted = _granted(response, scope, requested) if isinstance(scope, str) else None
    return TokenSet(
        access_token=answer["access_token"],
        refresh_token=answer["refresh_token"],
        expires_at=now + timedelta(seconds=_lifetime(response, answer)),
        scopes=GrantedScopes(
            requested=requested,
            granted=requested if granted is None else granted,
        ),
        site=site,
        client_id=client_id,
        token_endpoint=token_endpoint,
    )


def _granted(response: Response, scope: str, requested: tuple[str, ...]) -> tuple[str, ...]:
    """Read the granted scopes, and leave out any secret that a server may echo among them."""
    granted = parse_scopes(scope)
    if set(granted) <= set(requested):
        return granted
    return parse_scopes(response.masked(scope))


def _refused_refresh(tokens: TokenSet, *, asked: TokenEndpoint) -> tuple[str, str]:
    """Return a code and a sentence; an endpoint may not know a token that the other issued."""
    issuer = tokens.token_endpoint
    if issuer is None or asked is issuer:
        return "invalid_refresh_token", "The refresh token was refused."
    what = f"The {asked} token endpoint refused a refresh token that {issuer} issued."
    return "other_token_endpoint", what


def read_refresh_response(
    response: Response,
    *,
    tokens: TokenSet,
    now: datetime,
    token_endpoint: TokenEndpoint = TokenEndpoint.V2,
) -> TokenSet:
    """Read the response to a refresh; if it has no new refresh token or scope, keep the old one.

    Raises:
        TokenError: `invalid_refresh_token`, `other_token_endpoint` if the refused token came from
            another endpoint, `invalid_client`, `rate_limited`, `token_refused` or
            `token_endpoint_missing`.
        AnswerError: the response cannot be read, or lacks what RFC 6749 requires.
    """
    try:
        new = read_token_response(
            response,
            site=tokens.site,
            client_id=tokens.client_id,
            requested=tokens.scopes.granted,
            now=now,
            token_endpoint=token_endpoint,
        )
    except TokenError as error:
        if error.code != "invalid_grant":
            raise
        code, what = _refused_refresh(tokens, asked=token_endpoint)
        raise TokenError(code, what, said=error.said, exchange=error.exchange) from None
    return replace(
        tokens,
        access_token=new.access_token,
        refresh_token=new.refresh_token or tokens.refresh_token,
        expires_at=new.expires_at,
        token_endpoint=token_endpoint,
        scopes=GrantedScopes(
            requested=tokens.scopes.requested,
            granted=new.scopes.granted or tokens.scopes.granted,
        ),
    )


def read_revocation_response(response: Response) -> None:
    """Accept 200, which is also the response to an unknown token (RFC 7009 section 2.2).

    Raises:
        TokenError: `invalid_client`, `rate_limited` or `token_refused`.
        AnswerError: the server failed.
    """
    refuse_unreadable(response)
    if response.status != _OK:
        raise _refusal(response)


def _client(registration: ClientRegistration) -> Pairs:
    return (("client_id", registration.client_id), ("client_secret", registration.secret))


def _post(purpose: Purpose, site: Site, path: str, form: Pairs, *, headers: Pairs = ()) -> Request:
    return Request(
        purpose=purpose,
        method="POST",
        site=site,
        host=Host.API,
        path=path,
        headers=headers,
        form=form,
    )


def _read_success(response: Response) -> dict[str, Any]:
    """Return the response with both tokens as secrets, or None for a missing refresh token.

    Datadog's pages show two error formats, and libraries have mistaken one of them for tokens.
    Therefore, a response that contains an error never counts as a success, whatever its status and
    other contents are.
    """
    refuse_unreadable(response)
    if response.status != _OK:
        raise _refusal(response)
    answer = _with_secrets(read_object(response))
    if answer.get("error") or answer.get("errors"):
        if answer["access_token"]:
            raise unexpected(response, "contains both tokens and an error")
        raise _refusal(response)
    if not answer["access_token"]:
        raise unexpected(response, "has no `access_token`")
    if str(answer.get("token_type") or "bearer").lower() != "bearer":
        raise unexpected(response, "has a `token_type` other than Bearer")
    return answer


def _with_secrets(answer: dict[str, Any]) -> dict[str, Any]:
    """Wrap the response's tokens, so that a traceback with variables can't show them."""
    secrets = {
        name: Secret(value, label=name) if isinstance(value, str) and value else None
        for name, value in ((name, answer.get(name)) for name in ("access_token", "refresh_token"))
    }
    return {**answer, **secrets}


def _refusal(response: Response) -> TokenError:
    """Classify a refusal; Datadog documents 401 for a missing client secret."""
    code, texts = oauth_error(response)
    if code not in {"invalid_grant", "invalid_client"}:
        code = _CODES.get(response.status, "token_refused")
    what = refusal_sentence(response)
    return TokenError(code, what, said=texts, exchange=response.exchange)


def _no_such_endpoint(response: Response, *, site: Site, asked: TokenEndpoint) -> TokenError:
    """Name the setting: endpoints may change, and the kit never tries another one on its own."""
    address = site.shown_url(Host.API, asked.path)
    what = f"There is no token endpoint at {address} ({response.status})."
    said = error_texts(response)
    return TokenError("token_endpoint_missing", what, said=said, exchange=response.exchange)


def _lifetime(response: Response, answer: dict[str, Any]) -> int:
    """Return the access token's lifetime in seconds, or one hour if the response lacks it."""
    value = answer.get("expires_in", 3600)
    try:
        seconds = -1 if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        seconds = -1
    if not 0 <= seconds <= _LONGEST_LIFETIME:
        raise unexpected(response, "has an `expires_in` that is not a number of seconds")
    return seconds


def current_user_request(tokens: TokenSet) -> Request:
    """Build `GET /api/v2/current_user`, which asks who authorized; any valid token will do."""
    return api_request(tokens, "current user call", "/api/v2/current_user")


def monitor_list_request(tokens: TokenSet) -> Request:
    """Build a monitor listing (`GET /api/v1/monitor`, scope `monitors_read`)."""
    return api_request(tokens, "monitor listing", "/api/v1/monitor")


def api_request(
    tokens: TokenSet,
    purpose: str,
    path: str,
    *,
    method: str = "GET",
    **details: Any,  # noqa: ANN401 - as `Request` has them
) -> Request:
    """Build a call with an access token; `details` are further fields of `Request`.

    A GET may be repeated, and any other method only if `details` say so.
    """
    return Request(
        purpose=purpose,
        method=method,
        site=tokens.site,
        path=path,
        headers=(("authorization", tokens.access_token),),
        **{"host": Host.API, "repeatable": method == "GET", **details},
    )
