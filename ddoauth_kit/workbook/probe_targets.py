"""Get ready to probe a site: a token, one to compare with, and the key that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.api.prober import ProbeTarget
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.parts import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab

CONTRASTS = 2


def probe_target(
    lab: Lab, site: str, *, scopes: Sequence[str] = (), contrasts: Sequence[TokenSet] = ()
) -> ProbeTarget:
    """Return what probing a site takes; without a token, a target that says why.

    In the sandbox it authorizes twice more, for one scope each, and creates the organization's
    API key if there is none, as lesson 04 does. With real Datadog it does neither.
    """
    wanted = tuple(dict.fromkeys(scopes or lab.registration.scopes))
    try:
        there = lab.on(site)
        tokens = there.connect()
        if there.parts.mode is Mode.SANDBOX:
            contrasts = contrasts or _fewer_scopes(there)
        return ProbeTarget(
            site=there.site,
            scopes=wanted,
            tokens=tokens,
            contrasts=tuple(contrasts),
            api_key=_api_key(there, tokens),
            refresh=there.refresh if tokens.refresh_token else None,
        )
    except DdoauthError as error:
        where = lab.oauth.sites.named(site)
        return ProbeTarget(site=where, scopes=wanted, tokens=None, reason=error.what)


def _fewer_scopes(lab: Lab) -> tuple[TokenSet, ...]:
    """Authorize for one scope, and again for another: each scope is then missing in one of them."""
    some = lab.registration.scopes[:CONTRASTS]
    if len(some) < CONTRASTS:
        return ()
    return tuple(_granted_only(lab, scope) for scope in some)


def _granted_only(lab: Lab, scope: str) -> TokenSet:
    request = lab.authorization_request([scope])
    return lab.oauth.exchange(lab.parts.authorized(request))


def _api_key(lab: Lab, tokens: TokenSet) -> ApiKey | None:
    if lab.parts.mode is Mode.SANDBOX and "api_keys_write" in tokens.scopes:
        key = lab.api_key(tokens)
        return None if isinstance(key, Skipped) else key
    return lab.kept_api_key()
