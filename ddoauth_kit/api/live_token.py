"""Keep one access token alive while many calls use it: one check and one refresh, not twenty."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ddoauth_kit.answers import error_texts
from ddoauth_kit.api.probe_report import Baseline
from ddoauth_kit.api.queries import current_user_request
from ddoauth_kit.errors import ApiError, DdoauthError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.http import AsyncHttp
    from ddoauth_kit.message import Request, Response
    from ddoauth_kit.oauth.tokens import TokenSet

_OK = 200
_UNAUTHORIZED = 401


class LiveToken:
    """Send calls with a token, and find out after a 401 whether it is the token that died.

    `refresh` gets a new token set by blocking; it runs in a thread. Any live token may ask whose
    it is (`GET /api/v2/current_user`), so that call tells a dead token from an endpoint that is not
    open to OAuth.
    """

    def __init__(
        self,
        http: AsyncHttp,
        tokens: TokenSet,
        *,
        refresh: Callable[[TokenSet], TokenSet] | None = None,
    ) -> None:
        self.tokens = tokens
        self._http = http
        self._refresh = refresh
        self._lock = asyncio.Lock()
        self._alive_since = -1.0
        self._dead = ""

    @property
    def _site(self) -> str:
        return self.tokens.site.name

    async def baseline(self) -> Baseline:
        """Make the first call, refreshing once where it is refused."""
        try:
            response = await self.send(current_user_request)
        except DdoauthError as error:
            status = error.exchange.status if error.exchange else None
            self._dead = error.what
            return Baseline(self._site, alive=False, status=status, evidence=error.what)
        alive = response.status == _OK
        self._dead = "" if alive else _said(response)
        return Baseline(self._site, alive=alive, status=response.status, evidence=self._dead)

    async def send(self, build: Callable[[TokenSet], Request]) -> Response:
        """Send the call that `build` makes of a token set; once more after a refresh.

        Raises:
            ApiError: `unauthorized`, when the token is dead and no refresh helped.
            InputError, NetworkError, AnswerError: as `AsyncHttp.send`.
        """
        if self._dead:
            raise ApiError("unauthorized", self._dead)
        tokens, sent = self.tokens, time.monotonic()
        response = await self._http.send(build(tokens))
        if response.status != _UNAUTHORIZED or await self._is_alive(tokens, sent=sent):
            return response
        if not await self._refreshed(tokens):
            said = error_texts(response)
            raise ApiError("unauthorized", self._dead, said=said, exchange=response.exchange)
        return await self._http.send(build(self.tokens))

    async def _is_alive(self, tokens: TokenSet, *, sent: float) -> bool:
        """Tell whether a token lived when a call was sent; calls that wait share one check."""
        async with self._lock:
            if self.tokens is not tokens or self._dead:
                return False
            if self._alive_since >= sent:
                return True
            asked = time.monotonic()
            response = await self._http.send(current_user_request(tokens))
            if response.status == _UNAUTHORIZED:
                return False
            self._alive_since = asked
            return True

    async def _refreshed(self, tokens: TokenSet) -> bool:
        async with self._lock:
            if self.tokens is not tokens:
                return True
            if self._refresh is None:
                self._dead = "The access token is refused everywhere, and cannot be refreshed here."
                return False
            try:
                self.tokens = await asyncio.to_thread(self._refresh, tokens)
            except DdoauthError as error:
                self._dead = f"The access token is dead, and its refresh failed: {error.what}"
                return False
            return True


def _said(response: Response) -> str:
    texts = "; ".join(error_texts(response)) or "no words"
    return f"The call that any live token may make got {response.status}: {texts}."
