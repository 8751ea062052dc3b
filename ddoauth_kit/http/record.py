"""Record one exchange; mask known values and named fields at once, and the rest when first read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.masking.redaction import Masker, redact_body

if TYPE_CHECKING:
    from ddoauth_kit.exchange import Exchange
    from ddoauth_kit.secret import Secret


class Record:
    """An exchange that is masked quickly at first, and completely before anyone reads it.

    Most exchanges are never read, and searching every encoding takes longer than sending the
    request. `secrets` contains the values to look for, including those that the response issued; if
    it is None, the exchange is returned unchanged. `outlined` is true if only the structure of the
    response is recorded.
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
        """Return the completely masked exchange; only the first call does the work."""
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
