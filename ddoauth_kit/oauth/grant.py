"""Keep a grant alive for everyone who uses it: refresh it once per expiry, and store it before use.

If refresh tokens rotate, two simultaneous refreshes look like theft, and the server ends the grant
(RFC 9700 section 4.14). Therefore, all coroutines, threads, clients and processes that share a
store wait while one of them fetches a token.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import (
    AnswerError,
    ApiError,
    DdoauthError,
    InputError,
    NetworkError,
    TokenError,
)
from ddoauth_kit.http.answers import error_texts
from ddoauth_kit.oauth.grant_record import GrantRecord, new_record, read, written
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.store import Slot, Store, refuse_unwritable
from ddoauth_kit.without_threads import apart, pause

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.sender import AsyncHttp
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.secret import Secret

LOG: Final = logging.getLogger("ddoauth_kit.grant")
PAUSE: Final = 30.0
GATHERED: Final = 0.02  # seconds within which the refusals of several calls share one check
ENDED: Final = frozenset({"invalid_refresh_token", "no_refresh_token", "grant_ended"})
_UNAUTHORIZED: Final = 401


def grant_slot(tokens: TokenSet, *, client_kind: str = "") -> Slot:
    """Return a grant's slot, which depends on its site, client and organization."""
    return Slot("grant", tokens.site.name, tokens.client_id, client_kind, tokens.dd_oid)


def keep_grant(client: OAuthClient, tokens: TokenSet, *, store: Store) -> Grant:
    """Store the result of `complete` under its site, client and organization.

    Raises:
        InputError: see `Grant.keep`.
    """
    grant = Grant(client, store=store, slot=grant_slot(tokens))
    grant.keep(tokens)
    return grant


def kept_grants(
    client: OAuthClient, *, store: Store, site: str = "", org: str = ""
) -> tuple[Grant, ...]:
    """Return a client's stored grants, for all customers or for one of them.

    A server uses this function to find its customers again after a restart. `site` is a site's
    name, and `org` is an organization's id, which is the `dd_oid` of its tokens.

    Raises:
        InputError: `not_stored`, if the store cannot be read.
    """
    wanted = client.registration.client_id
    return tuple(
        Grant(client, store=store, slot=slot)
        for slot in store.slots()
        if slot.kind == "grant"
        and slot.client_id == wanted
        and site in {"", slot.site}
        and org in {"", slot.org}
    )


class Grant:
    """Return valid tokens, and refresh them only once, however many callers ask for them.

    `slot` is the slot that `grant_slot` returned when the grant was stored. A `Grant` is
    thread-safe; if the store is a folder or a keyring, `Grant` objects for the same slot in other
    processes share the refresh.
    """

    def __init__(self, client: OAuthClient, *, store: Store, slot: Slot) -> None:
        self._client = client
        self._store = store
        self._slot = slot
        self._current: GrantRecord | None = None
        self._unsaved = False
        self._failure: tuple[DdoauthError, float] | None = None
        self._failures = 0
        self._accepted_at = -math.inf
        self._refused: Secret | None = None
        self._untried: Secret | None = None
        self._checking = threading.Lock()

    @property
    def slot(self) -> Slot:
        """Return the slot, whose name includes the site and the organization."""
        return self._slot

    def keep(self, tokens: TokenSet) -> None:
        """Store the result of `complete`, and replace the slot's earlier contents.

        If they can't be stored, the tokens stay in memory, and the kit tries again later.

        Raises:
            InputError: `not_stored`, `unsafe_store` or `store_busy`.
        """
        record = new_record(tokens, now=self._client.clock())
        self._current, self._unsaved = record, True
        with self._store.alone(self._slot):
            self._failure, self._failures = None, 0
            self._store.put(self._slot, written(record))
            self._unsaved = False

    def kept(self) -> TokenSet | None:
        """Return the stored tokens, however old they are, without sending anything.

        Raises:
            InputError: `not_stored`, if the store cannot be read.
        """
        secret = self._store.get(self._slot)
        return None if secret is None else read(secret, sites=self._client.sites).tokens

    @property
    def latest(self) -> TokenSet | None:
        """Return the latest tokens in memory, without reading the store or sending anything."""
        return self._current.tokens if self._current else None

    def is_current(self, tokens: TokenSet) -> bool:
        """Return whether these exact tokens are the ones in memory."""
        return self._current is not None and _same(self._current.tokens, tokens)

    def tokens(self) -> TokenSet:
        """Return tokens that are still valid for a while, from memory, the store or a refresh.

        Raises:
            TokenError: `grant_ended`, or `invalid_refresh_token` for the first caller that finds
                out.
            InputError: the store cannot be used; nothing was sent.
            TokenError, AnswerError, NetworkError: the refresh failed, but the grant stays stored.
                After two failures in a row, nothing is sent for half a minute.
            ApiError: `unauthorized`, if the site refuses even new tokens.
        """
        if self._unsaved:
            self._save_again()
        return self._ready() or self._renewed(asked=time.monotonic())

    async def atokens(self) -> TokenSet:
        """Return the same as `tokens`, without blocking the event loop."""
        ready = None if self._unsaved else self._ready()
        if ready is not None:
            return ready
        return await apart(self.tokens)

    def renew(self, tokens: TokenSet | None = None) -> TokenSet:
        """Refresh now, or return the stored tokens if they are newer than these.

        If nothing is stored, `tokens` themselves are refreshed and the result is stored.

        Raises:
            TokenError, InputError, AnswerError, NetworkError: see `tokens`.
        """
        with self._store.alone(self._slot):
            record = self._read()
            if record is None and tokens is not None:
                record = new_record(tokens, now=self._client.clock())
            if record is None:
                raise self._nothing_kept()
            if tokens is None or not tokens.access_token or _same(record.tokens, tokens):
                record = self._refreshed(record)
            self._current = record
            return record.tokens

    def send(self, build: Callable[[TokenSet], Request]) -> Response:
        """Send the call that `build` creates from tokens; repeat it if they prove to be invalid.

        A 401 from an endpoint that does not accept OAuth does not trigger a refresh, and neither
        does a 403.

        Raises:
            ApiError: `unauthorized`, if the kit can't find out whether the tokens are valid.
            DdoauthError: see `tokens` and `Http.send`.
        """
        while True:
            tokens = self.tokens()
            response = self._client.http.send(build(tokens))
            answered = time.monotonic()
            if self._is_final(response, tokens, at=answered, check=build is current_user_request):
                return response

    async def asend(self, http: AsyncHttp, build: Callable[[TokenSet], Request]) -> Response:
        """Do the same as `send`, without blocking the event loop."""
        check = build is current_user_request
        while True:
            tokens = await self.atokens()
            response = await http.send(build(tokens))
            if response.status != _UNAUTHORIZED:
                self._note_success(response, tokens)
                return response
            answered = time.monotonic()
            if await apart(self._is_final, response, tokens, at=answered, check=check):
                return response

    def end(self, tokens: TokenSet | None = None) -> None:
        """Forget the grant, then revoke it; API keys stay valid.

        If `tokens` is given, only those tokens are revoked, and a newer stored grant stays.

        Raises:
            TokenError, AnswerError, NetworkError: Datadog did not confirm the revocation; the grant
                is forgotten anyway.
            InputError: `not_stored`, if the store cannot delete it.
        """
        try:
            with self._store.alone(self._slot):
                record = self._read()
                kept = record.tokens if record else None
                if kept and (tokens is None or kept.refresh_token == tokens.refresh_token):
                    self._forget()
                tokens = tokens or kept
        finally:
            if tokens is not None:
                self._client.revoke(tokens)

    def _ready(self) -> TokenSet | None:
        """Return the tokens in memory, unless they need a refresh or are known to be refused."""
        current = self._current
        if current is None or current.is_due(self._client.clock()):
            return None
        return None if current.tokens.access_token == self._refused else current.tokens

    def _renewed(self, *, asked: float) -> TokenSet:
        """Return tokens from any source that are newer than the refused or expiring ones."""
        with self._store.alone(self._slot):
            kept = self._read()
            if kept is None:
                self._current = None
                raise self._nothing_kept()
            if kept.tokens.access_token == self._refused or kept.is_due(self._client.clock()):
                self._refuse_known_failure(asked)
                kept = self._refreshed(kept)
            self._current = kept
            return kept.tokens

    def _refreshed(self, kept: GrantRecord) -> GrantRecord:
        """Test the store, then refresh and store the result, because Datadog sends it only once."""
        if kept.tokens.access_token == self._untried == self._refused:
            what = "The newest access token was just issued, but is also refused."
            raise ApiError("unauthorized", what)
        refuse_unwritable(self._store, self._slot)
        self._note(replace(kept, sent_at=self._client.clock()))
        try:
            tokens = self._client.refresh(kept.tokens)
        except DdoauthError as error:
            self._failure = (error, time.monotonic())
            self._failures += 1
            if error.code not in ENDED:
                if not _is_lost(error):
                    self._note(kept)
                raise
            with suppress(InputError):  # the caller must see the refusal
                self._forget()
            raise _ended(error, lost=kept.sent_at) from None
        self._failure, self._failures = None, 0
        self._untried = tokens.access_token
        record = new_record(tokens, now=self._client.clock())
        self._save(record)
        return record

    def _note(self, record: GrantRecord) -> None:
        """Record that a refresh is in progress, so that a crash is noticed later.

        Only the message of a later refusal depends on this note, so a failure to write it is
        ignored.
        """
        if self._unsaved:
            self._current = record
            return
        with suppress(Exception):
            if self._store.get(self._slot) is not None:
                self._store.put(self._slot, written(record))

    def _nothing_kept(self) -> TokenError:
        why = f" {self._failure[0].what}" if self._failure else ""
        return TokenError("grant_ended", f"No {self._slot} is stored; nothing was sent.{why}")

    def _refuse_known_failure(self, asked: float) -> None:
        """Raise the last failure for callers that waited for that refresh, or during a pause."""
        if self._failure is None:
            return
        error, at = self._failure
        # Some clocks advance only every few milliseconds, so a failure at the same time came before
        # the call.
        if at > asked or (self._failures > 1 and time.monotonic() < at + PAUSE):
            raise type(error)(error.code, error.what, said=error.said, exchange=error.exchange)

    def _read(self) -> GrantRecord | None:
        """Return the latest record: the stored one, unless the last one could not be stored."""
        if self._unsaved:
            return self._current
        secret = self._store.get(self._slot)
        return None if secret is None else read(secret, sites=self._client.sites)

    def _save(self, record: GrantRecord) -> None:
        """Store a record; if that fails, keep it in memory and try again later."""
        self._current = record
        try:
            self._store.put(self._slot, written(record))
        except Exception as error:  # noqa: BLE001 - the old token may be dead, so this one counts
            self._unsaved = True
            name = error.code if isinstance(error, DdoauthError) else type(error).__name__
            LOG.warning("The %s is only in memory: %s.", self._slot, name)
        else:
            self._unsaved = False

    def _save_again(self) -> None:
        with suppress(InputError), self._store.alone(self._slot):
            if self._unsaved and self._current is not None:
                self._save(self._current)

    def _forget(self) -> None:
        self._current, self._unsaved = None, False
        self._store.forget(self._slot)

    def _is_final(self, response: Response, tokens: TokenSet, *, at: float, check: bool) -> bool:
        """Return whether a call must not be repeated; callers share a single check of the tokens.

        Only a call that was sent after the refusal counts, because a concurrent call may have been
        handled before it. `at` is when the response arrived, and `check` is true if the call was
        itself the check.
        """
        if response.status != _UNAUTHORIZED:
            self._note_success(response, tokens)
            return True
        with self._checking:
            if not self.is_current(tokens):
                return False
            if self._accepted_at >= at:
                return True
            if tokens.access_token != self._refused and not check:
                pause(GATHERED)
                response = self._client.http.send(current_user_request(tokens))
                if self._note_success(response, tokens):
                    return True
                if response.status != _UNAUTHORIZED:
                    raise _unknown(response)
            self._refused = tokens.access_token
            try:
                self._renewed(asked=at)
            except DdoauthError as error:
                what = (
                    "The access token is refused everywhere, and refreshing it failed: "
                    f"{error.what}"
                )
                seen = error.exchange or response.exchange
                raise type(error)(error.code, what, said=error.said, exchange=seen) from None
            return False

    def _note_success(self, response: Response, tokens: TokenSet) -> bool:
        """Remember when the current tokens were last accepted, and return whether they were."""
        accepted = response.succeeded
        if accepted and self.is_current(tokens):
            sent = time.monotonic() - response.record.seconds
            self._accepted_at, self._untried = max(self._accepted_at, sent), None
        return accepted


def _is_lost(error: DdoauthError) -> bool:
    """Return whether Datadog may have sent tokens that never arrived."""
    return isinstance(error, NetworkError | AnswerError) and error.code != "no_network"


def _ended(error: DdoauthError, *, lost: datetime | None) -> DdoauthError:
    """Add to the error whether a newer refresh token may have been lost with a response."""
    if lost is None:
        return error
    what = (
        f"{error.what} The response to an earlier refresh was lost: it was sent at "
        f"{lost:%Y-%m-%d %H:%M:%S} UTC, and the process ended, or the connection broke, before "
        "the response was stored. It may have contained the refresh token that replaces this one. "
        "That token is lost, and the older one is forgotten."
    )
    return TokenError(error.code, what, said=error.said, exchange=error.exchange)


def _same(tokens: TokenSet, others: TokenSet) -> bool:
    return tokens.access_token == others.access_token


def failed_check(check: Response) -> str:
    """Say what the response to `current_user_request` was, if it does not prove the token valid."""
    said = "; ".join(error_texts(check)) or "no message"
    return f"The call that works with every valid token returned {check.status}: {said}."


def _unknown(check: Response) -> ApiError:
    what = "A call was refused, and the token may or may not be valid."
    return ApiError("unauthorized", f"{what} {failed_check(check)}", exchange=check.exchange)
