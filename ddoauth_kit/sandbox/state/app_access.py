"""What an org's administrators decide about each app, its scopes, and scopes that it adds later."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.orgs import Org


@dataclass
class AppAccess:
    """The decisions about one app in one org; initially, everything is allowed."""

    disabled: bool = False
    allows_new: bool = True
    blocked: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def opens(self, scope: str) -> bool:
        """Return whether users may grant the app this scope."""
        return scope not in self.blocked and (self.allows_new or scope in self.known)

    def block(self, scope: str) -> None:
        """Remove a scope."""
        self.blocked.add(scope)

    def allow(self, scope: str) -> None:
        """Restore a removed scope, or allow a new one."""
        self.blocked.discard(scope)
        self.known.add(scope)

    def let_new_in(self, allowed: bool, *, registered: tuple[str, ...]) -> None:  # noqa: FBT001
        """Allow scopes that the app requests later, or block those that it doesn't have yet."""
        self.allows_new = allowed
        if not allowed:
            self.known |= set(registered)


class AppDecisions:
    """All decisions of one sandbox, by client and org."""

    def __init__(self) -> None:
        self._by_app: defaultdict[tuple[str, str], AppAccess] = defaultdict(AppAccess)

    def of(self, client: Client, *, org: Org) -> AppAccess:
        """Return an org's decisions about an app."""
        return self._by_app[client.client_id, org.id]

    def split(
        self, scopes: tuple[str, ...], *, client: Client, org: Org
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the scopes that users may grant, and those that are blocked."""
        access = self.of(client, org=org)
        opened = tuple(scope for scope in scopes if access.opens(scope))
        return opened, tuple(scope for scope in scopes if scope not in opened)

    def forget(self, org: Org) -> None:
        """Delete the decisions of an org that has ended."""
        for key in [key for key in self._by_app if key[1] == org.id]:
            del self._by_app[key]
