"""Authorization codes, the grants that they are exchanged for, and the tokens of the grants."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.clock import Clock
    from ddoauth_kit.sandbox.facts.switches import Lifetime
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.mint import Mint
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.sessions import Pending

CODE_SECONDS = 600
GRANTS_KEPT = 1000
RETIRED_KEPT = 100
ACCESS_TOKENS_KEPT = 1000


@dataclass
class Code:
    """One authorization code and everything that it is bound to."""

    value: str = field(repr=False)
    client: Client
    org: Org
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    expires: float
    method: str = "S256"
    attempt: str = ""
    grant: Grant | None = None
    spent: bool = False


@dataclass
class Grant:
    """One customer's grant to a client, with its tokens."""

    id: str
    client: Client
    org: Org
    scopes: tuple[str, ...]
    created: float
    attempt: str = ""
    exercised: float | None = None
    refresh_token: str = field(default="", repr=False)
    retired: list[str] = field(default_factory=list, repr=False)
    access_tokens: dict[str, None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class AccessToken:
    """One access token of a grant."""

    value: str = field(repr=False)
    grant: Grant
    expires: float
    # According to the machine's own clock, for a lifetime in real seconds.
    overdue_at: float = math.inf

    def lives(self, now: float) -> bool:
        """Return whether the token is valid at this time on the sandbox's clock."""
        return now < self.expires and time.monotonic() < self.overdue_at


class Grants:
    """All codes, grants and tokens of one sandbox.

    Expired codes and access tokens are deleted. Only a client's latest thousand grants in an org
    and a grant's latest thousand access tokens are kept, so a sandbox can run for days.
    """

    def __init__(self, *, mint: Mint, clock: Clock) -> None:
        self._mint = mint
        self._clock = clock
        # Oldest first, which is also the order in which they expire if their lifetimes are equal.
        self._codes: OrderedDict[str, Code] = OrderedDict()
        self._access: OrderedDict[str, AccessToken] = OrderedDict()
        self._refresh: dict[str, Grant] = {}
        self._by_client: defaultdict[tuple[str, str], OrderedDict[str, Grant]] = defaultdict(
            OrderedDict
        )

    def issue_code(self, asked: Pending, *, scopes: tuple[str, ...]) -> Code:
        """Create a code for an approved consent."""
        self._purge()
        code = Code(
            value=self._mint.credential("code"),
            client=asked.client,
            org=asked.org,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            method=asked.method,
            attempt=asked.attempt,
            scopes=scopes,
            expires=self._clock.timestamp() + CODE_SECONDS,
        )
        self._codes[code.value] = code
        return code

    def find_code(self, value: str) -> Code | None:
        """Return a code until it expires, even after its use, so that a second use is detected."""
        self._purge()
        return self._codes.get(value)

    def redeem(self, code: Code) -> Grant:
        """Turn a checked code into a grant."""
        grant = Grant(
            id=self._mint.next_uuid("grant"),
            client=code.client,
            org=code.org,
            scopes=code.scopes,
            created=self._clock.timestamp(),
            attempt=code.attempt,
        )
        code.grant = grant
        self.renew_refresh_token(grant)
        of_client = self._by_client[code.client.client_id, code.org.id]
        of_client[grant.id] = grant
        while len(of_client) > GRANTS_KEPT:
            self.revoke(next(iter(of_client.values())))
        return grant

    def renew_refresh_token(self, grant: Grant) -> None:
        """Give the grant a new refresh token; the old one is remembered as retired."""
        if grant.refresh_token:
            grant.retired.append(grant.refresh_token)
        while len(grant.retired) > RETIRED_KEPT:
            self._refresh.pop(grant.retired.pop(0), None)
        grant.refresh_token = self._mint.credential("refresh")
        self._refresh[grant.refresh_token] = grant

    def issue_access_token(self, grant: Grant, *, lifetime: Lifetime) -> AccessToken:
        """Issue another access token; earlier ones stay valid until they expire."""
        self._purge()
        token = AccessToken(
            self._mint.credential("access"),
            grant=grant,
            expires=self._clock.timestamp() + lifetime.access_token - self._clock.ahead,
            overdue_at=time.monotonic() + lifetime.access_token if lifetime.real else math.inf,
        )
        self._access[token.value] = token
        grant.access_tokens[token.value] = None
        while len(grant.access_tokens) > ACCESS_TOKENS_KEPT:
            oldest = next(iter(grant.access_tokens))
            del grant.access_tokens[oldest]
            self._access.pop(oldest, None)
        return token

    def find_access_token(self, value: str) -> AccessToken | None:
        """Return an access token, if it is valid."""
        self._purge()
        token = self._access.get(value)
        # A token that ends early, through a fault or a short lifetime, is not purged first.
        return token if token is not None and token.lives(self._clock.timestamp()) else None

    def whose(self, value: str) -> Grant | None:
        """Return the grant of an access token, even if it has expired, or of a refresh token."""
        token = self._access.get(value)
        return token.grant if token is not None else self._refresh.get(value)

    def expire(self, token: AccessToken) -> None:
        """End an access token before its time."""
        self._access.pop(token.value, None)
        token.grant.access_tokens.pop(token.value, None)

    def find_by_refresh_token(self, value: str) -> Grant | None:
        """Return the grant of a refresh token, whether current or retired."""
        return self._refresh.get(value)

    def find_by_any_token(self, value: str) -> Grant | None:
        """Return the grant of an access or a refresh token."""
        token = self.find_access_token(value)
        return token.grant if token else self.find_by_refresh_token(value)

    def of_org(self, org: Org) -> list[Grant]:
        """Return the grants in an org, oldest first."""
        return [
            g for (_, o), grants in self._by_client.items() if o == org.id for g in grants.values()
        ]

    def revoke(self, grant: Grant) -> None:
        """End a grant and all of its tokens; ending it twice is harmless."""
        for access in grant.access_tokens:
            self._access.pop(access, None)
        grant.access_tokens.clear()
        for refresh in (grant.refresh_token, *grant.retired):
            self._refresh.pop(refresh, None)
        self._by_client[grant.client.client_id, grant.org.id].pop(grant.id, None)

    def revoke_client(self, client_id: str, *, org: Org) -> None:
        """End every grant of a client in an org, and all codes that have not been exchanged yet."""
        for grant in list(self._by_client[client_id, org.id].values()):
            self.revoke(grant)
        for code in self._codes.values():
            if code.client.client_id == client_id and code.org.id == org.id:
                code.spent = True

    def revoke_scope(self, client_id: str, *, org: Org, scope: str) -> None:
        """End the grants and codes of a client in an org that include a scope."""
        for grant in list(self._by_client[client_id, org.id].values()):
            if scope in grant.scopes:
                self.revoke(grant)
        for code in self._codes.values():
            if (code.client.client_id, code.org.id) == (client_id, org.id) and scope in code.scopes:
                code.spent = True

    def revoke_org(self, org: Org) -> None:
        """End all grants and codes of an org."""
        clients = {client_id for client_id, org_id in self._by_client if org_id == org.id}
        clients |= {c.client.client_id for c in self._codes.values() if c.org.id == org.id}
        for client_id in clients:
            self.revoke_client(client_id, org=org)

    def _purge(self) -> None:
        now = self._clock.timestamp()
        while self._codes and next(iter(self._codes.values())).expires <= now:
            self._codes.popitem(last=False)
        while self._access and next(iter(self._access.values())).expires <= now:
            value, token = self._access.popitem(last=False)
            token.grant.access_tokens.pop(value, None)
