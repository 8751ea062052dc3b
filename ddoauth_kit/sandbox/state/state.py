"""Everything that one sandbox remembers, in one object that is passed to handlers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.sites import SITES
from ddoauth_kit.sandbox.facts.switches import Lifetime, Switches
from ddoauth_kit.sandbox.sandbox_error import NotThereError, SandboxError
from ddoauth_kit.sandbox.state.app_access import AppDecisions
from ddoauth_kit.sandbox.state.by_org import ByOrg
from ddoauth_kit.sandbox.state.clients import Client, Clients, RegisteredIntegration
from ddoauth_kit.sandbox.state.created_resources import Kept
from ddoauth_kit.sandbox.state.faults import FaultPlan
from ddoauth_kit.sandbox.state.fingerprints import Fingerprints
from ddoauth_kit.sandbox.state.grants import Grants
from ddoauth_kit.sandbox.state.handling import Handling
from ddoauth_kit.sandbox.state.issued_api_keys import ApiKeys
from ddoauth_kit.sandbox.state.mint import Mint
from ddoauth_kit.sandbox.state.orgs import Org, make_orgs
from ddoauth_kit.sandbox.state.rate_limits import RateLimits
from ddoauth_kit.sandbox.state.received_data import ReceivedData
from ddoauth_kit.sandbox.state.sessions import Sessions

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.clock import Clock
    from ddoauth_kit.sandbox.facts.profiles import Profile
    from ddoauth_kit.sandbox.facts.sites import Site
    from ddoauth_kit.sandbox.state.grants import AccessToken, Grant


@dataclass
class Twin:
    """The state of all nine sites; hold the sandbox's lock to use it."""

    profile: Profile
    integration: RegisteredIntegration
    seed: str
    clock: Clock
    latency: float = 0.0
    cookie: str = "ddoauth_sandbox"
    prefixes: tuple[str, ...] = ()
    first_switches: Switches = field(default_factory=Switches)
    first_lifetime: Lifetime = field(default_factory=Lifetime)
    telemetry: defaultdict[str, ReceivedData] = field(
        default_factory=lambda: defaultdict(ReceivedData)
    )

    def __post_init__(self) -> None:
        self.mint = Mint(seed=self.seed)
        self.prints = Fingerprints()
        self.handling = Handling()
        self.faults = FaultPlan(seed=self.seed, handling=self.handling)
        self.all_switches = ByOrg(self.first_switches)
        self.lifetimes = ByOrg(self.first_lifetime)
        self.clients = Clients(self.mint)
        self._begin()
        self.published = self.clients.publish(self.integration)
        self.private = {
            name: self.clients.make_private(self.integration, org=orgs[0])
            for name, orgs in self.orgs.items()
            if name in SITES
        }

    def _begin(self) -> None:
        self.orgs = make_orgs(self.mint)
        self.grants = Grants(mint=self.mint, clock=self.clock)
        self.keys = ApiKeys(mint=self.mint, clock=self.clock)
        self.limits = RateLimits(clock=self.clock, profile=self.profile)
        self.kept = Kept()
        self.sessions = Sessions()
        self.apps = AppDecisions()

    def reset(self) -> None:
        """Forget everything except the clients; their credentials still work."""
        self._begin()
        self.telemetry.clear()
        self.faults.reset()
        self.all_switches.reset()
        self.lifetimes.reset()

    @property
    def switches(self) -> Switches:
        """Return the switches of the current request's organization."""
        return self.all_switches.of(self.handling.org)

    def tolerates(self, name: str) -> bool:
        """Return whether a mistake is tolerated; if it is, remember that."""
        forgiven = name in self.switches.tolerates
        if forgiven:
            self.handling.tolerated.append(name)
        return forgiven

    def org_of_id(self, org_id: str) -> Org:
        """Return an org on any site by its id, or refuse an unknown id."""
        for orgs in self.orgs.values():
            for org in orgs:
                if org.id == org_id:
                    return org
        raise NotThereError(f"no organization has the id {org_id!r}")

    def org(self, site: Site, *, org_id: str | None = None) -> Org:
        """Return the org with this id on the site, or else the site's first org."""
        orgs = self.orgs[site.name]
        return next((org for org in orgs if org.id == org_id), orgs[0])

    def add_org(self, org: Org) -> None:
        """Allow browsers to sign in to a new org."""
        self.orgs[org.site.name] = (*self.orgs[org.site.name], org)

    def end_org(self, org: Org) -> None:
        """End an org and its grants, keys and sessions; each site keeps its first one."""
        first, *others = self.orgs[org.site.name]
        if org.id == first.id:
            raise SandboxError(
                f"{org.name} is the first organization of its site and can't be removed"
            )
        self.orgs[org.site.name] = (first, *(each for each in others if each.id != org.id))
        self.grants.revoke_org(org)
        for key in self.keys.of_org(org):
            self.keys.revoke(key.id, org=org)
        self.sessions.leave(org, to=first)
        self.apps.forget(org)
        self.faults.clear(org=org.id)
        self.all_switches.forget(org.id)
        self.lifetimes.forget(org.id)

    def block_scope(self, client: Client, *, org: Org, scope: str) -> None:
        """Remove a scope from an app, which ends the authorizations that include it."""
        self.apps.of(client, org=org).block(scope)
        self.grants.revoke_scope(client.client_id, org=org, scope=scope)

    def disable_app(self, client: Client, *, org: Org) -> None:
        """Disable an app for all users of an org, which ends its authorizations."""
        self.apps.of(client, org=org).disabled = True
        self.grants.revoke_client(client.client_id, org=org)

    def publish(self, client: Client) -> Client:
        """Create the published version of a private client, which still works for its org."""
        return self.clients.publish(client.integration)

    def amend(self, client_id: str, **changes: Any) -> Client:  # noqa: ANN401 - see `Clients.amend`
        """Change a client's registration, even for the request in progress."""
        changed = self.clients.amend(client_id, **changes)
        if client_id == self.published.client_id:
            self.published = changed
        self.private = {
            name: changed if client.client_id == client_id else client
            for name, client in self.private.items()
        }
        return changed

    def import_client(self, client: Client, *, site: str) -> Client:
        """Create the same integration's private client on another site."""
        return self.clients.make_private(client.integration, org=self.orgs[site][0])

    def ends_now(self, grant: Grant) -> bool:
        """Return whether a fault ends this grant now, alone or with its client's other grants."""
        if self.faults.strikes("revoked-grant"):
            self.grants.revoke(grant)
            return True
        if self.faults.strikes("app-disabled"):
            self.grants.revoke_client(grant.client.client_id, org=grant.org)
            return True
        return False

    def expires_now(self, token: AccessToken) -> bool:
        """Return whether a fault ends this access token now."""
        struck = self.faults.strikes("expired-token")
        if struck:
            self.grants.expire(token)
        return struck

    def uninstall(self, client_id: str, *, org: Org) -> None:
        """End an org's grants to a client; the API key stays valid, as at Datadog."""
        self.grants.revoke_client(client_id, org=org)
