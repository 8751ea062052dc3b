"""Store a grant as a single secret, so that it changes as a whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.tokens import TokenSet
from ddoauth_kit.registration import TokenEndpoint
from ddoauth_kit.scopes import GrantedScopes
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from ddoauth_kit.sites import SiteTable

MARGIN: Final = 60.0
_SHARE: Final = 0.1
_TEXTS: Final = ("access_token", "refresh_token", "site", "client_id", "dd_oid", "dd_org_name")


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """Tokens, and the time from which they must be refreshed, by the client's clock.

    `sent_at` is when the kit sent a refresh whose response it has not stored, or None.
    """

    tokens: TokenSet
    renew_at: datetime
    sent_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether it is time for a refresh."""
        return now >= self.renew_at


def new_record(tokens: TokenSet, *, now: datetime) -> GrantRecord:
    """Return the record of tokens that have just arrived.

    They are refreshed a minute before they expire or, if they live only for minutes, when a tenth
    of their lifetime is left. The margin allows for clocks that differ slightly, and even a short
    lifetime does not lead to endless refreshes.
    """
    left = max(tokens.seconds_left(now), 0.0)
    margin = timedelta(seconds=min(MARGIN, left * _SHARE))
    return GrantRecord(tokens, renew_at=max(tokens.expires_at - margin, _ZERO))


def written(record: GrantRecord) -> Secret:
    """Return a record, including the site, as one secret for a store."""
    tokens = record.tokens
    content = {
        "access_token": tokens.access_token.reveal(),
        "refresh_token": tokens.refresh_token.reveal() if tokens.refresh_token else "",
        "expires_at": tokens.expires_at.isoformat(),
        "renew_at": record.renew_at.isoformat(),
        "requested": list(tokens.scopes.requested),
        "granted": list(tokens.scopes.granted),
        "site": tokens.site.name,
        "client_id": tokens.client_id,
        "dd_oid": tokens.dd_oid,
        "dd_org_name": tokens.dd_org_name,
        "token_endpoint": str(tokens.token_endpoint or ""),
        "sent_at": record.sent_at.isoformat() if record.sent_at else "",
    }
    return Secret(json.dumps(content), label="grant")


def read(secret: Secret, *, sites: SiteTable) -> GrantRecord:
    """Read a record back.

    Raises:
        InputError: `not_stored`, if the text is not the record of a grant; `unknown_site`.
    """
    try:
        content = json.loads(secret.reveal())
        texts = {name: _text(content[name]) for name in _TEXTS}
        requested, granted = (tuple(map(_text, content[n])) for n in ("requested", "granted"))
        expires_at, renew_at = (_moment(content[name]) for name in ("expires_at", "renew_at"))
        # Earlier versions, which knew only one endpoint, did not record it.
        issuer = _text(content.get("token_endpoint", TokenEndpoint.V1))
        token_endpoint = TokenEndpoint(issuer) if issuer else None
        sent_at = _moment(content["sent_at"]) if content.get("sent_at") else None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError("not_stored", "The stored grant can't be read.") from None
    refresh_token = texts["refresh_token"]
    tokens = TokenSet(
        access_token=Secret(texts["access_token"], label="access_token"),
        refresh_token=Secret(refresh_token, label="refresh_token") if refresh_token else None,
        expires_at=expires_at,
        scopes=GrantedScopes(requested=requested, granted=granted),
        site=sites.named(texts["site"]),
        client_id=texts["client_id"],
        dd_oid=texts["dd_oid"],
        dd_org_name=texts["dd_org_name"],
        token_endpoint=token_endpoint,
    )
    return GrantRecord(tokens, renew_at=renew_at, sent_at=sent_at)


_ZERO: Final = datetime.min.replace(tzinfo=UTC)


def _text(value: Any) -> str:  # noqa: ANN401 - JSON has no narrower type
    if not isinstance(value, str):
        raise TypeError
    return value


def _moment(value: Any) -> datetime:  # noqa: ANN401 - JSON has no narrower type
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment
