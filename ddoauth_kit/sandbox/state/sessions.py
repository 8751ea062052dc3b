"""Browser sessions: which org each is signed in to, and its pending consents."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.refusals import Target
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.orgs import Org

SESSIONS_KEPT = 1000
PENDING_KEPT = 20


@dataclass(frozen=True)
class Pending:
    """One authorization request waiting for consent."""

    id: str
    client: Client
    org: Org
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    target: Target
    query: tuple[tuple[str, str], ...]
    method: str = "S256"
    attempt: str = ""


@dataclass
class Session:
    """One browser on one site, signed in to one of its orgs."""

    id: str = field(repr=False)
    site: str
    org: Org
    csrf: str = field(repr=False)
    pending: OrderedDict[str, Pending] = field(default_factory=OrderedDict)
    unseen: Client | None = None

    def accepts(self, csrf: str) -> bool:
        """Return whether a form came from one of this session's pages."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())

    def wait_for(self, pending: Pending) -> None:
        """Remember a request until it is answered; only the most recent few are kept."""
        self.pending[pending.id] = pending
        while len(self.pending) > PENDING_KEPT:
            self.pending.popitem(last=False)

    def take_unseen(self) -> Client | None:
        """Return new credentials, but only once."""
        client, self.unseen = self.unseen, None
        return client


class Sessions:
    """The latest thousand browser sessions of one sandbox.

    Ids and CSRF tokens are truly random: no lesson output depends on them, and a page on the same
    machine must not be able to guess them.
    """

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Session] = OrderedDict()
        self._tickets: OrderedDict[str, Org] = OrderedDict()

    def find(self, session_id: str | None, *, site: str) -> Session | None:
        """Return the session with this id on this site."""
        session = self._by_id.get(session_id or "")
        return session if session is not None and session.site == site else None

    def leave(self, org: Org, *, to: Org) -> None:
        """Sign browsers in to another org after their org has ended."""
        for ticket in [each for each, of in self._tickets.items() if of.id == org.id]:
            del self._tickets[ticket]
        for session in self._by_id.values():
            if session.org.id == org.id:
                session.org = to
                session.pending.clear()

    def ticket(self, org: Org) -> str:
        """Return a one-time ticket that signs a browser in to an org."""
        ticket = new_token()
        self._tickets[ticket] = org
        while len(self._tickets) > SESSIONS_KEPT:
            self._tickets.popitem(last=False)
        return ticket

    def redeem(self, ticket: str, *, site: str) -> Session | None:
        """Start the session that a ticket is for, on the ticket's own site."""
        org = self._tickets.get(ticket)
        if org is None or org.site.name != site:
            return None
        del self._tickets[ticket]
        return self.open(org=org)

    def open(self, *, org: Org) -> Session:
        """Start a session, signed in to an org."""
        session = Session(id=new_token(), site=org.site.name, org=org, csrf=new_token())
        self._by_id[session.id] = session
        while len(self._by_id) > SESSIONS_KEPT:
            self._by_id.popitem(last=False)
        return session


def new_token() -> str:
    """Return an unguessable value for a cookie or a hidden field."""
    return f"sandbox-session-{secrets.token_urlsafe(24)}"
