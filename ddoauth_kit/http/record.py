"""Hold one masked exchange: known values and named fields at once, the rest when it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.masking.redaction import Masker, redact_body

if TYPE_CHECKING:
    from ddoauth_kit.exchange import Exchange
    from ddoauth_kit.secret import Secret


class Record:
    """Hold an exchange as one quick pass masked it, and give it away only looked through whole.

    Most exchanges are never read, and looking through every encoding costs more than sending.
    `secrets` are what it looks for, those that the answer issued among them; with None the
    exchange is given away as it is. `outlined` says that the answer is kept as its shape.
    """

    def __init__(
        self,
        exchange: Exchange,
        secrets: tuple[Secret, ...] | None = None,
        *,
        outlined: bool = False,
    ) -> None:
        self.purpose = exchange.purpose
        self.seconds = exchange.seconds
        self._kept = exchange, secrets
        self._outlined = outlined

    @property
    def exchange(self) -> Exchange:
        """Return the exchange as it may be shown; the first call does the work."""
        exchange, secrets = self._kept
        if secrets is not None:
            exchange = _whole(exchange, Masker(secrets), outlined=self._outlined)
            self._kept = exchange, None
        return exchange


def _whole(exchange: Exchange, mask: Masker, *, outlined: bool) -> Exchange:
    body = exchange.response_body
    return replace(
        exchange,
        url=mask(exchange.url),
        request_body=mask(exchange.request_body),
        response_headers=tuple((name, mask(value)) for name, value in exchange.response_headers),
        response_body=mask(body) if outlined else redact_body(body, masker=mask),
        facts=replace(exchange.facts, path=mask(exchange.facts.path)),
    )
