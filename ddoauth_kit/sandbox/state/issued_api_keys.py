"""API keys that clients created in customers' orgs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ddoauth_kit.sandbox.clock import Clock
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.mint import Mint
    from ddoauth_kit.sandbox.state.orgs import Org


@dataclass(frozen=True)
class ApiKey:
    """One API key; its value is shown only once, later only its last four characters."""

    id: str
    value: str = field(repr=False)
    name: str
    client_id: str
    org: Org
    created: datetime

    @property
    def last4(self) -> str:
        """Return the part of the value that the API Keys page shows."""
        return self.value[-4:]


class ApiKeys:
    """All API keys of one sandbox."""

    def __init__(self, *, mint: Mint, clock: Clock) -> None:
        self._mint = mint
        self._clock = clock
        self._by_value: dict[str, ApiKey] = {}

    def create(self, client: Client, *, org: Org) -> ApiKey | None:
        """Create a client's only key in an org, or return None if it already has one."""
        name = f"[{client.name}] OAuth Client API Key {client.client_id}"
        if any(key.name == name for key in self.of_org(org)):
            return None
        key = ApiKey(
            id=self._mint.next_uuid("api-key"),
            value=self._mint.credential("key"),
            name=name,
            client_id=client.client_id,
            org=org,
            created=self._clock.now(),
        )
        self._by_value[key.value] = key
        return key

    def find(self, value: str, *, site: str) -> ApiKey | None:
        """Return the key with this value, if it is valid on this site."""
        key = self._by_value.get(value)
        return key if key is not None and key.org.site.name == site else None

    def of_org(self, org: Org) -> list[ApiKey]:
        """Return an org's keys, oldest first."""
        return [key for key in self._by_value.values() if key.org.id == org.id]

    def revoke(self, key_id: str, *, org: Org | None = None) -> bool:
        """Revoke a key by its id, in one org if given; return whether it existed."""
        for key in self._by_value.values():
            if key.id == key_id and (org is None or key.org.id == org.id):
                del self._by_value[key.value]
                return True
        return False
