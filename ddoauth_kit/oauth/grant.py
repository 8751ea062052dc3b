"""Keep one grant alive for all who use it: one refresh for each expiry, kept before it is used.

RFC 9700 section 4.14: where refresh tokens rotate, two refreshes at once look like theft, and the
server ends the grant. So whoever needs a token waits for whoever fetches it: coroutines, threads,
clients, and processes that share a store.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AnswerError, DdoauthError, InputError, NetworkError, TokenError
from ddoauth_kit.oauth.grant_record import GrantRecord, new_record, read, written
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.store import Slot, Store, refuse_unwritable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.sender import AsyncHttp
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.tokens import TokenSet

LOG: Final = logging.getLogger("ddoauth_kit.grant")
_UNAUTHORIZED: Final = 401


def grant_slot(tokens: TokenSet, *, client_kind: str = "") -> Slot:
    """Return where a grant belongs: by site, client and organization."""
    return Slot("grant", tokens.site.name, tokens.client_id, client_kind, tokens.dd_oid)


def kept_grants(
    client: OAuthClient, *, store: Store, site: str = "", org: str = ""
) -> tuple[Grant, ...]:
    """Return the grants of a client that a store holds, of all customers or of one.

    So a server finds its customers again after a restart. `site` is a site's name, and `org` the
    organization's id, `dd_oid` of the tokens.

    Raises:
        InputError: `not_stored`, when the store cannot be read.
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
    """Give tokens that live, and renew them once however many ask.

    `slot` is what `grant_slot` returned when the grant was kept. Safe to share between threads;
    grants of other processes on the same slot take part if the store is a file or a keyring.
    """

    def __init__(self, client: OAuthClient, *, store: Store, slot: Slot) -> None:
        self._client = client
        self._store = store
        self._slot = slot
        self._current: GrantRecord | None = None
        self._unsaved = False
        self._failure: tuple[DdoauthError, float] | None = None
        self._answer_lost = False
        self._alive_since = -1.0
        self._checking = threading.Lock()

    @property
    def slot(self) -> Slot:
        """Return where it is kept: the site and the organization are part of it."""
        return self._slot

    def keep(self, tokens: TokenSet) -> None:
        """Keep what `complete` returned, in place of whatever the slot held.

        Raises:
            InputError: `not_stored`, `unsafe_store` or `store_busy`.
        """
        record = new_record(tokens, now=self._client.clock())
        with self._store.alone(self._slot):
            self._current, self._answer_lost = record, False
            self._store.put(self._slot, written(record))

    def tokens(self) -> TokenSet:
        """Return tokens that are good for a while yet, from memory, the store or a refresh.

        Raises:
            TokenError: `grant_ended`, or `invalid_refresh_token` for the one who finds out.
            InputError: the store cannot be used; nothing was sent.
            TokenError, AnswerError, NetworkError: the refresh failed; the grant is kept.
        """
        if self._unsaved:
            self._save_again()
        current = self._current
        if current is not None and not current.is_due(self._client.clock()):
            return current.tokens
        return self._renewed(refused=None)

    async def atokens(self) -> TokenSet:
        """Return the same as `tokens` without blocking the event loop."""
        return await asyncio.to_thread(self.tokens)

    def send(self, build: Callable[[TokenSet], Request]) -> Response:
        """Send the call that `build` makes of tokens; after a 401 once more, with new ones.

        A 401 of an endpoint that is not open to OAuth leads to no refresh, and neither does a 403.

        Raises:
            DdoauthError: see `tokens` and `Http.send`.
        """
        tokens, sent = self.tokens(), time.monotonic()
        response = self._client.http.send(build(tokens))
        if response.status != _UNAUTHORIZED or self._is_alive(tokens, sent=sent):
            return response
        return self._client.http.send(build(self._renewed(refused=tokens)))

    async def asend(self, http: AsyncHttp, build: Callable[[TokenSet], Request]) -> Response:
        """Do the same as `send` without blocking the event loop."""
        tokens, sent = await self.atokens(), time.monotonic()
        response = await http.send(build(tokens))
        if response.status != _UNAUTHORIZED:
            return response
        if await asyncio.to_thread(self._is_alive, tokens, sent=sent):
            return response
        renewed = await asyncio.to_thread(self._renewed, refused=tokens)
        return await http.send(build(renewed))

    def end(self) -> None:
        """Forget the grant, then revoke it; API keys stay valid.

        Raises:
            TokenError, AnswerError, NetworkError: Datadog did not confirm; it is forgotten here.
            InputError: `not_stored`, when the store cannot forget it.
        """
        with self._store.alone(self._slot):
            record = self._kept()
            self._forget()
        if record is not None:
            self._client.revoke(record.tokens)

    def _renewed(self, *, refused: TokenSet | None) -> TokenSet:
        """Return newer tokens than those that were refused or are due, from whoever has them."""
        asked = time.monotonic()
        with self._store.alone(self._slot):
            kept = self._kept()
            if kept is None:
                self._current = None
                what = f"No {self._slot} is kept; nothing was sent."
                raise TokenError("grant_ended", what)
            stale = refused is not None and kept.tokens.access_token == refused.access_token
            if stale or kept.is_due(self._client.clock()):
                self._refuse_known_failure(asked)
                kept = self._refreshed(kept)
            self._current = kept
            return kept.tokens

    def _refreshed(self, kept: GrantRecord) -> GrantRecord:
        """Refresh and keep the result; the store is proven first, for the answer comes once."""
        refuse_unwritable(self._store, self._slot)
        try:
            tokens = self._client.refresh(kept.tokens)
        except DdoauthError as error:
            self._failure = (error, time.monotonic())
            self._answer_lost |= isinstance(error, NetworkError | AnswerError)
            if error.code not in {"invalid_refresh_token", "no_refresh_token"}:
                raise
            self._forget()
            raise self._ended(error) from None
        self._failure, self._answer_lost = None, False
        record = new_record(tokens, now=self._client.clock())
        self._save(record)
        return record

    def _ended(self, error: DdoauthError) -> DdoauthError:
        """Say what may have led here; a lost answer may have held the token that replaced it."""
        if not self._answer_lost:
            return error
        what = (
            f"{error.what} The answer to an earlier refresh was lost, and may have held a newer "
            "one."
        )
        return TokenError(error.code, what, said=error.said, exchange=error.exchange)

    def _refuse_known_failure(self, asked: float) -> None:
        """Let those who waited for a refresh that failed share its failure, and send nothing."""
        if self._failure is not None and self._failure[1] >= asked:
            error = self._failure[0]
            raise type(error)(error.code, error.what, said=error.said, exchange=error.exchange)

    def _kept(self) -> GrantRecord | None:
        """Return the newest record: the store's, unless it could not take the last one."""
        if self._unsaved:
            return self._current
        secret = self._store.get(self._slot)
        return None if secret is None else read(secret, sites=self._client.sites)

    def _save(self, record: GrantRecord) -> None:
        """Keep a record; where that fails it lives on in memory, and is tried again later."""
        self._current = record
        try:
            self._store.put(self._slot, written(record))
        except Exception as error:  # noqa: BLE001 - the old token may be dead, so this one counts
            self._unsaved = True
            name = error.code if isinstance(error, DdoauthError) else type(error).__name__
            LOG.warning("The %s is in memory alone: %s.", self._slot, name)
        else:
            self._unsaved = False

    def _save_again(self) -> None:
        with suppress(InputError), self._store.alone(self._slot):
            if self._unsaved and self._current is not None:
                self._save(self._current)

    def _forget(self) -> None:
        self._current, self._unsaved = None, False
        self._store.forget(self._slot)

    def _is_alive(self, tokens: TokenSet, *, sent: float) -> bool:
        """Tell whether a token still lived when a call was sent; those who wait share one check."""
        with self._checking:
            current = self._current
            if current is not None and current.tokens.access_token != tokens.access_token:
                return False
            if self._alive_since < sent:
                asked = time.monotonic()
                answer = self._client.http.send(current_user_request(tokens))
                if answer.status == _UNAUTHORIZED:
                    return False
                self._alive_since = asked
            return True
