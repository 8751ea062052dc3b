"""Keep one access token alive while many calls use it: one check and one refresh, not twenty."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from ddoauth_kit.errors import ApiError, DdoauthError
from ddoauth_kit.http.answers import error_texts
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.probing.probe_report import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.sender import AsyncHttp
    from ddoauth_kit.oauth.tokens import TokenSet

_OK = 200
_UNAUTHORIZED = 401
_SUCCESS = range(200, 300)


class LiveToken:
    """Send calls with a token, and find out after a 401 whether it is the token that died.

    `refresh` gets a new token set by blocking; it runs in a thread. Any live token may ask whose
    it is (`GET /api/v2/current_user`), so that call tells a dead token from an endpoint that is not
    open to OAuth. `dead` says why no more calls are sent, or nothing.
    """

    def __init__(
        self,
        http: AsyncHttp,
        tokens: TokenSet,
        *,
        refresh: Callable[[TokenSet], TokenSet] | None = None,
    ) -> None:
        self.tokens = tokens
        self.dead = ""
        self._http = http
        self._refresh = refresh
        self._lock = asyncio.Lock()
        self._accepted_at = -math.inf
        self._untried = False

    async def baseline(self) -> Baseline:
        """Make the first call, and once more after a refresh where it is refused."""
        site = self.tokens.site.name
        try:
            response = await self._asked()
            if response.status == _UNAUTHORIZED and await self._renewed():
                response = await self._asked()
        except DdoauthError as error:
            self.dead = error.what
            return Baseline(site, alive=False, status=None, evidence=self.dead)
        alive = response.status == _OK
        self.dead = "" if alive else self.dead or _said(response)
        return Baseline(site, alive=alive, status=response.status, evidence=self.dead)

    async def send(self, build: Callable[[TokenSet], Request]) -> Response:
        """Send the call that `build` makes of a token set; once more after a refresh.

        Raises:
            ApiError: `unauthorized`, when the token is dead and no refresh helped, or when that
                could not be found out.
            InputError, NetworkError, AnswerError: as `AsyncHttp.send`.
        """
        while True:
            self.refuse_dead()
            tokens = self.tokens
            response = await self._http.send(build(tokens))
            answered = time.monotonic()
            if response.status in _SUCCESS:
                self._accepted(tokens, at=answered - response.exchange.seconds)
            if response.status != _UNAUTHORIZED or await self._lived(tokens, at=answered):
                return response

    def refuse_dead(self) -> None:
        """Refuse to send anything once the token is dead.

        Raises:
            ApiError: `unauthorized`.
        """
        if self.dead:
            raise ApiError("unauthorized", self.dead)

    async def _lived(self, tokens: TokenSet, *, at: float) -> bool:
        """Tell whether a token lived when a call was refused; calls that wait share one check.

        Only a call that went out after the refusal can tell: one that was under way at the same
        time may have been looked at first.
        """
        async with self._lock:
            if self.tokens is not tokens or self.dead:
                return False
            if self._accepted_at >= at:
                return True
            check = await self._asked()
            if check.status in _SUCCESS:
                return True
            if check.status != _UNAUTHORIZED:
                what = f"A call was refused, and whether the token lives is unknown. {_said(check)}"
                raise ApiError("unauthorized", what, exchange=check.exchange)
            await self._renewed()
            return False

    async def _asked(self) -> Response:
        tokens = self.tokens
        response = await self._http.send(current_user_request(tokens))
        if response.status in _SUCCESS:
            self._accepted(tokens, at=time.monotonic() - response.exchange.seconds)
        return response

    def _accepted(self, tokens: TokenSet, *, at: float) -> None:
        if self.tokens is tokens:
            self._accepted_at = max(self._accepted_at, at)
            self._untried = False

    async def _renewed(self) -> bool:
        """Refresh a dead token, unless it is itself the untried fruit of a refresh."""
        if self._refresh is None:
            self.dead = "The access token is refused everywhere, and cannot be refreshed here."
        elif self._untried:
            self.dead = "The access token is refused everywhere, although it was just refreshed."
        else:
            try:
                self.tokens = await asyncio.to_thread(self._refresh, self.tokens)
            except DdoauthError as error:
                self.dead = f"The access token is dead, and its refresh failed: {error.what}"
            else:
                self._accepted_at, self._untried = -math.inf, True
        return not self.dead


def _said(response: Response) -> str:
    texts = "; ".join(error_texts(response)) or "no words"
    return f"The call that any live token may make got {response.status}: {texts}."
