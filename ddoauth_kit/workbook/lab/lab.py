"""Each step of a lesson as a method, so that cells and panels do the same thing."""

from __future__ import annotations

import hashlib
import threading
import weakref
from contextlib import suppress
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Self

from ddoauth_kit.api.api_keys import (
    ApiKey,
    ApiKeyNotKeptError,
    cause_of,
    create_kept_api_key,
    ensure_api_key,
    key_owner_request,
    read_key_owner,
    validate_api_key,
)
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.api.telemetry import Telemetry
from ddoauth_kit.errors import (
    AuthorizationError,
    DdoauthError,
    InputError,
    NetworkError,
    TokenError,
)
from ddoauth_kit.exchange import Exchange, Purpose
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.oauth.grant import ENDED, Grant, grant_slot
from ddoauth_kit.oauth.tokens import TokenSet, current_user_request, stored_grant
from ddoauth_kit.store import Slot, Store
from ddoauth_kit.workbook.lab.lab_scopes import LabScopes
from ddoauth_kit.workbook.lab.samples import TRIES, read_samples, send_samples
from ddoauth_kit.workbook.show.cards import Rows, Skipped, rows
from ddoauth_kit.workbook.show.result_table import ResultTable
from ddoauth_kit.workbook.show.snippets import Snippet, as_curl, as_httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.http.transcript import Transcript
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.lab.backend import Backend

SAMPLE_NAME: Final = "ddoauth_kit.lesson"
SHOWN_SCOPES: Final = 12
NOT_ASKED: Final = (
    "Nothing was sent: set WRITES = True to let this lesson change things at Datadog."
)
NOT_KEPT: Final = (
    "The key was created, but could not be stored ({error}). Only the return value of this call "
    "contains it: save `api_key.key.reveal()` in your secret manager now."
)
KEPT_EARLIER: Final = "stored by an earlier lesson"
NOT_HELD: Final = (
    "The refresh token could not be stored ({error}). Only the return value of this call contains "
    "it: without it, the customer has to authorize again."
)
RUN_AGAIN: Final = (
    "This lab has already exchanged this response, and a code works only once: run the cell with "
    "`lab.authorize()` again, then this cell and the cells after it."
)
NO_KEY_SCOPE: Final = "This client does not request api_keys_write, so it can't send data."


class Lab:
    """Takes one registration through the flow on one site, step by step.

    `authorize` gets a redirect in the way that suits the mode: scripted consent in the sandbox, and
    the listener or a pasted URL with real Datadog. Secrets that are shown only once are stored
    before they are returned. `closed` is set once the lab is closed.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.site = backend.site
        self.oauth = backend.oauth
        self.customer = backend.customer
        self.inject = backend.inject
        self.scopes = LabScopes(self)
        self._grants: dict[Slot, Grant] = {}
        self._known_keys: dict[Slot, ApiKey] = {}
        self._exchanged: set[Secret] = set()
        self._sample: Telemetry | None = None
        self.closed = threading.Event()
        self._close = weakref.finalize(self, backend.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and stop the sandbox; garbage collection does the same."""
        self.closed.set()
        self._close()

    def on(self, site: str) -> Lab:
        """Return a lab for another site, in the same sandbox or with that site's credentials.

        Raises:
            InputError: the site is unknown, or has no registration.
        """
        return self if site == self.site.name else Lab(self.backend.elsewhere(site))

    @property
    def registration(self) -> ClientRegistration:
        """Return the client registration in use."""
        return self.oauth.registration

    @property
    def transcript(self) -> Transcript:
        """Return every exchange so far, masked."""
        return self.oauth.http.transcript

    @property
    def store(self) -> Store:
        """Return the store of tokens and keys."""
        return self.backend.store.store

    def sent(self, purpose: str) -> Exchange | Skipped:
        """Return the latest exchange with a purpose, such as `token exchange`, masked."""
        return self.transcript.last(purpose) or Skipped(f"No {purpose} was sent.")

    def curl(self, purpose: str) -> Snippet | Skipped:
        """Return the latest request with a purpose as a cURL command."""
        found = self.sent(purpose)
        return found if isinstance(found, Skipped) else as_curl(found)

    def httpx(self, purpose: str) -> Snippet | Skipped:
        """Return the latest request with a purpose as httpx code."""
        found = self.sent(purpose)
        return found if isinstance(found, Skipped) else as_httpx(found)

    def authorization_request(
        self, scopes: Iterable[str] | None = None, *, name_scopes: bool = True
    ) -> AuthorizationRequest:
        """Build a new authorization request, as if from an organization's tile on this site.

        `name_scopes=False` leaves out `scope`.
        """
        return self.oauth.begin(
            domain=self.site.domain, scopes=scopes, name_scopes=name_scopes, session=ONE_PERSON
        )

    def authorize(self, request: AuthorizationRequest | None = None) -> AuthorizationResponse:
        """Get consent for a request, by default a new one, and check the redirect.

        In live mode, a paste that doesn't belong to this attempt can be corrected twice.

        Raises:
            AuthorizationError: consent was denied, or the redirect cannot be trusted.
        """
        request = request or self.authorization_request()
        for _ in range(self.backend.chances - 1):
            try:
                return self.backend.authorized(request)
            except AuthorizationError as error:
                if not self.oauth.pending.waits(request):
                    raise
                print(error)  # noqa: T201 - what was wrong with the paste, before the next one
        return self.backend.authorized(request)

    def exchange(self, response: AuthorizationResponse) -> TokenSet:
        """Exchange a response's code for tokens, and store them before they are returned.

        Raises:
            TokenError, AnswerError, NetworkError: no tokens were issued, or none arrived.
        """
        try:
            tokens = self.oauth.exchange(response)
        except TokenError as error:
            if response.code in self._exchanged:
                error.what = f"{error.what} {RUN_AGAIN}"
            raise
        self._exchanged.add(response.code)
        if tokens.refresh_token:
            try:
                self.grant(tokens).keep(tokens)
            except Exception as error:  # noqa: BLE001 - the code is spent
                print(NOT_HELD.format(error=cause_of(error)))  # noqa: T201 - the one chance
        return tokens

    def grant(self, tokens: TokenSet) -> Grant:
        """Return the `Grant` for the tokens' site, client and organization."""
        holders = (slot for slot, grant in self._grants.items() if grant.is_current(tokens))
        return self._grant(next(holders, grant_slot(tokens)))

    def holds(self, tokens: TokenSet) -> bool:
        """Return whether the refresh token can be retrieved from the store."""
        try:
            kept = self.grant(tokens).kept()
        except InputError:
            return False
        return kept is not None and kept.refresh_token == tokens.refresh_token

    def refresh(self, tokens: TokenSet) -> TokenSet:
        """Get a new access token; a refused refresh token is deleted.

        If another process or panel has newer tokens for this grant, those are returned instead.

        Raises:
            TokenError, AnswerError, NetworkError: no token was issued, or none arrived.
            InputError: `not_stored`, if a new refresh token could not be stored; nothing was sent.
        """
        return self.grant(tokens).renew(tokens)

    def revoke(self, tokens: TokenSet) -> Exchange | Skipped:
        """Delete a grant, then end it at Datadog; return the last exchange.

        This step is skipped in live mode without `writes`.

        Raises:
            TokenError, AnswerError, NetworkError: Datadog did not confirm, but the grant is
                deleted here.
        """
        if not self.backend.writes:
            return Skipped(NOT_ASKED)
        self.grant(tokens).end(tokens)
        return self.transcript.last(Purpose.ACCESS_REVOCATION) or self.transcript.newest()

    def connect(self) -> TokenSet:
        """Return tokens by refreshing a stored grant, or by authorizing if none is stored.

        A bare refresh token, such as one from the environment, is tried first, then the latest
        grant.

        Raises:
            AuthorizationError, TokenError, AnswerError, NetworkError: no token could be issued.
            InputError: `not_stored`, if the store cannot be read.
        """
        return self._from_refresh_token() or self._from_grant() or self.exchange(self.authorize())

    def _from_refresh_token(self) -> TokenSet | None:
        """Turn a bare refresh token into a grant; if refreshing replaced it, use the newer one.

        The grant's organization is not known yet, so the token's digest is used instead.
        """
        bare = self._slot("refresh_token")
        while token := self.store.get(bare):
            digest = hashlib.sha256(token.reveal().encode()).hexdigest()[:16]
            grant = self._grant(Slot("grant", bare.site, bare.client_id, org=f"of-{digest}"))
            seed = stored_grant(self.registration, site=self.site, refresh_token=token)
            tokens = renewed(grant, seed)
            with suppress(InputError):
                self.store.forget(bare)
            if tokens or self.store.get(bare) == token:  # then it could not be forgotten
                return tokens
        return None

    def _from_grant(self) -> TokenSet | None:
        found = [
            (kept.expires_at, grant)
            for slot in self.store.slots()
            if (slot.kind, slot.site) == ("grant", self.site.name)
            and slot.client_id == self.registration.client_id
            and (kept := (grant := self._grant(slot)).kept())
        ]
        newest_first = (grant for _, grant in sorted(found, key=itemgetter(0), reverse=True))
        return next(filter(None, map(renewed, newest_first)), None)

    def _grant(self, slot: Slot) -> Grant:
        return self._grants.setdefault(slot, Grant(self.oauth, store=self.store, slot=slot))

    def current_user(self, tokens: TokenSet) -> Exchange:
        """Find out whose token this is; only this call works without a scope.

        Raises:
            ApiError, AnswerError, NetworkError: the call was refused, or no response arrived.
        """
        response = self.oauth.http.send(current_user_request(tokens))
        refuse_failure(response)
        return response.exchange

    def create_api_key(self, tokens: TokenSet) -> ApiKey | Skipped:
        """Create the API key and store it, after proving that the store works.

        This step is skipped for a client that does not request `api_keys_write`, and in live mode
        without `writes`.

        Raises:
            InputError: `not_stored`; nothing was created. ApiKeyError, AnswerError, NetworkError:
            the key was not created, or did not arrive.
        """
        reason = self._reason_not_to_write()
        if reason:
            return Skipped(reason)
        slot = self._slot("api_key")
        try:
            made = create_kept_api_key(self.oauth.http, tokens=tokens, store=self.store, slot=slot)
        except ApiKeyNotKeptError as error:
            return _told(error)
        self._known_keys[slot] = made
        return made

    def api_key(self, tokens: TokenSet) -> ApiKey | Skipped:
        """Return the key that an earlier lesson stored, or create the organization's only key.

        It calls `ensure_api_key`, which asks the site whether a stored key still works and whose it
        is.

        Raises:
            InputError, ApiKeyError, AnswerError, NetworkError: see `create_api_key`.
        """
        if self._reason_not_to_write():
            return self._own_kept_key(tokens) or self.create_api_key(tokens)
        slot = self._slot("api_key")
        try:
            found = ensure_api_key(self.oauth.http, tokens=tokens, store=self.store, slot=slot)
        except ApiKeyNotKeptError as error:
            return _told(error)
        named = found if found.name else replace(found, name=KEPT_EARLIER)
        known = self._known_keys.get(slot)
        if found.name or known is None or known.key != found.key:
            self._known_keys[slot] = named
        return named

    def _own_kept_key(self, tokens: TokenSet) -> ApiKey | None:
        """Return the stored key if it belongs to the grant's organization; change nothing."""
        kept = self.kept_api_key()
        if kept is None:
            return None
        owner = read_key_owner(self.oauth.http.send(key_owner_request(kept.key, site=kept.site)))
        own = owner is not None and tokens.dd_oid in {"", owner.org}
        return kept if own else None

    def kept_api_key(self) -> ApiKey | None:
        """Return the stored key, if any; its name and id are known once this lab has checked it.

        Raises:
            InputError: `not_stored`, if the store cannot be read.
        """
        slot = self._slot("api_key")
        kept = self.store.get(slot)
        if kept is None:
            return None
        known = self._known_keys.get(slot)
        if known and known.key == kept:
            return known
        return ApiKey(key=kept, key_id="", name=KEPT_EARLIER, site=self.site)

    def validate_api_key(self, api_key: ApiKey | Skipped) -> bool | Skipped:
        """Ask the site whether it accepts the key.

        Raises:
            ApiKeyError, AnswerError, NetworkError: the response was not clear.
        """
        if isinstance(api_key, Skipped):
            return api_key
        return validate_api_key(self.oauth.http, key=api_key.key, site=api_key.site)

    def sample(self) -> Telemetry:
        """Return one small sample of each kind of data, with the current time."""
        return Telemetry(
            name=SAMPLE_NAME,
            value=42.0,
            at=int(self.oauth.clock().timestamp()),
            source="ddoauth-kit",
            tags=("lesson:whole_flow", f"site:{self.site.name}"),
        )

    def send_data(self, api_key: ApiKey | Skipped) -> ResultTable | Skipped:
        """Send a metric, a log, an event and a service check with the key.

        Raises:
            ApiKeyError, AnswerError, NetworkError: a sample was not accepted.
        """
        if isinstance(api_key, Skipped):
            return api_key
        self._sample = self.sample()
        return send_samples(self.oauth.http, api_key=api_key, sample=self._sample)

    def read_data(self, tokens: TokenSet) -> ResultTable:
        """Read back what `send_data` sent, with the access token; without a sample, ask only once.

        Raises:
            ApiError, AnswerError, NetworkError: a query was refused.
        """
        return read_samples(
            self.oauth.http,
            tokens=tokens,
            sample=self._sample or self.sample(),
            sleep=self.backend.pause,
            tries=TRIES if self._sample else 1,
        )

    def drill(self, name: str) -> DdoauthError | Skipped:
        """Cause a failure in a separate sandbox, and return the error as a value.

        Raises:
            InputError: `unknown_drill`, for a drill that does not exist.
        """
        return self.backend.drill(name)

    def drills(self, *names: str) -> ResultTable:
        """Run several drills; columns: `drill`, `status`, `the server said`, `code`."""
        return drills_table((name, self.drill(name)) for name in names)

    def _reason_not_to_write(self) -> str:
        if "api_keys_write" not in self.registration.scopes:
            return NO_KEY_SCOPE
        return "" if self.backend.writes else NOT_ASKED

    def _slot(self, kind: str) -> Slot:
        return Slot(kind, self.site.name, self.registration.client_id)


def _told(error: ApiKeyNotKeptError) -> ApiKey:
    """Print that the key exists only in the returned value, and return that value."""
    print(NOT_KEPT.format(error=error.cause))  # noqa: T201 - the one chance
    return error.api_key


def _listed(scopes: tuple[str, ...]) -> str:
    """Shorten a list of scopes to fit on a card, which a hundred scopes would fill."""
    shown = " ".join(scopes[:SHOWN_SCOPES])
    return (
        shown if len(scopes) <= SHOWN_SCOPES else f"{shown} and {len(scopes) - SHOWN_SCOPES} more"
    )


@rows.register
def _(value: Lab) -> Rows:
    backend, registration, public = value.backend, value.registration, value.site.public
    kept = f"{value.store.where}" + (f" ({backend.store.reason})" if backend.store.reason else "")
    unusual = (("unusual", " ".join(registration.warnings)),) if registration.warnings else ()
    return (
        ("talks to", backend.talks_to),
        ("may change data", "yes" if backend.writes else "no, as long as WRITES = False"),
        ("site", f"{value.site.name} ({value.site.domain})"),
        ("consent at", public.app_url),
        ("secret and tokens go to", public.api_url),
        ("data goes to", f"{public.api_url} {public.logs_intake_url}"),
        ("tokens are stored in", kept),
        ("client", f"{registration.name or registration.client_id} ({registration.kind})"),
        ("redirect URI", registration.redirect_uris[0] if registration.redirect_uris else "none"),
        ("scopes", _listed(registration.scopes)),
        *unusual,
    )


def renewed(grant: Grant, seed: TokenSet | None = None) -> TokenSet | None:
    """Return a grant's new tokens, or None if the grant has ended."""
    try:
        return grant.renew(seed)
    except TokenError as error:
        if error.code not in ENDED:
            raise
        return None


def drills_table(errors: Iterable[tuple[str, DdoauthError | Skipped]]) -> ResultTable:
    """Return one row for each drill; columns: `drill`, `status`, `the server said`, `code`."""
    return ResultTable("drills", [_row(name, error) for name, error in errors])


def _row(name: str, error: DdoauthError | Skipped) -> dict[str, str]:
    if isinstance(error, Skipped):
        return {"drill": name, "status": "", "the server said": "", "code": "no error"}
    return {
        "drill": name,
        "status": _status(error),
        "the server said": "; ".join(error.said),
        "code": error.code,
    }


def _status(error: DdoauthError) -> str:
    if error.exchange:
        return str(error.exchange.status)
    return "no complete response" if isinstance(error, NetworkError) else "nothing sent"
