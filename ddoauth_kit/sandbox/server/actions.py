"""Everything you can do to a running sandbox outside its pages, one function each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from ddoauth_kit.sandbox.facts.sites import EVERY_SITE, find_site, site_of_host
from ddoauth_kit.sandbox.facts.switches import TOLERANCES, Lifetime, Switches
from ddoauth_kit.sandbox.http.messages import Incoming, read_pairs
from ddoauth_kit.sandbox.sandbox_error import NotThereError, SandboxError, meant
from ddoauth_kit.sandbox.server.attribution import AUTHORIZE_PATH
from ddoauth_kit.sandbox.server.leaks import leaked_kinds
from ddoauth_kit.sandbox.state.clients import check_redirect_uri, check_uri, read_integration
from ddoauth_kit.sandbox.state.orgs import make_org

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from ddoauth_kit.sandbox.http.messages import Answer
    from ddoauth_kit.sandbox.server.journal import Journal, JournalEntry
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.issued_api_keys import ApiKey
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

LONGEST_LIFETIME = 31_536_000
LONGEST_ADVANCE = 100 * 365 * 86400
MOST_ORGS = 1000


class Actions:
    """Control a sandbox for a test, a grader or a person, from any thread.

    The HTTP interface at `/control`, the pytest fixture, the lab and `Sandbox` share these
    functions. `org` is an organization's id; without it, an action applies to the whole sandbox. An
    impossible action raises `SandboxError`.
    """

    def __init__(
        self,
        twin: Twin,
        *,
        lock: threading.RLock,
        journal: Journal,
        handle: Callable[[Incoming], Answer],
    ) -> None:
        self._twin = twin
        self._lock = lock
        self._journal = journal
        self._handle = handle

    def entries(self, *, after: int = 0) -> list[JournalEntry]:
        """Return the journal's entries after a number."""
        return self._journal.entries(after=after)

    def listen(self, listener: Callable[[JournalEntry], None]) -> Callable[[], None]:
        """Call a quick function with each new entry; return a function that stops these calls."""
        return self._journal.listen(listener)

    @property
    def last_number(self) -> int:
        """Return the number of the journal's latest entry."""
        return self._journal.last

    def inject(self, fault: str, *, org: str | None = None, attempt: str | None = None) -> None:
        """Make something fail from now on: NAME, NAME:COUNT or NAME:PROBABILITY.

        `attempt` is the fingerprint of a state; with it, the fault affects only that authorization
        and its tokens.
        """
        with self._lock:
            self._checked(org)
            self._twin.faults.inject(fault, org=org, attempt=attempt)

    def clear_faults(self, *, org: str | None = None) -> None:
        """End all faults, or only those of one organization."""
        with self._lock:
            self._twin.faults.clear(org=org)

    def switch(
        self,
        *,
        rotate: bool | None = None,
        basic: bool | None = None,
        v1_token: bool | None = None,
        tolerate: Iterable[str] | None = None,
        org: str | None = None,
    ) -> Switches:
        """Change only the named switches, and return all of them."""
        with self._lock:
            self._checked(org)
            old = self._twin.all_switches.of(org)
            new = Switches(
                rotates=old.rotates if rotate is None else rotate,
                basic=old.basic if basic is None else basic,
                v1_token=old.v1_token if v1_token is None else v1_token,
                tolerates=old.tolerates if tolerate is None else _tolerances(tolerate),
            )
            self._twin.all_switches.put(new, org=org)
            return new

    def set_lifetime(
        self, access_token: float, *, claims: float | None = None, org: str | None = None
    ) -> Lifetime:
        """Make new access tokens expire after this many seconds of real time.

        `expires_in` has the same value or, to test a client that must not rely on it, the value of
        `claims`.
        """
        lifetime = read_lifetime(access_token, claims=claims)
        with self._lock:
            self._checked(org)
            self._twin.lifetimes.put(lifetime, org=org)
            return lifetime

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward and return the new time; it never moves backward."""
        if not 0 <= seconds <= LONGEST_ADVANCE:
            raise SandboxError(f"the clock only moves forward; it can't move by {seconds} seconds")
        with self._lock:
            return self._twin.clock.advance(seconds)

    def organizations(self) -> list[Org]:
        """Return the organizations of all sites, with each site's first one at the front."""
        with self._lock:
            return [org for orgs in self._twin.orgs.values() for org in orgs]

    def make_org(
        self,
        site: str,
        *,
        name: str,
        user: str = "Uma User",
        permissions: Iterable[str] | None = None,
        vanity: str | None = None,
    ) -> Org:
        """Create an organization with one user, on any site or in the rehearsal region.

        The user may do everything unless `permissions` are given; scopes have the same names.
        """
        if not name.strip() or not user.strip():
            raise SandboxError("an organization and its user must have names")
        with self._lock:
            where = find_site(site, EVERY_SITE)
            if len(self._twin.orgs[where.name]) >= MOST_ORGS:
                raise SandboxError(f"{where.name} has {MOST_ORGS} organizations; remove some first")
            allowed = None if permissions is None else frozenset(permissions)
            org = make_org(
                self._twin.mint, where, name=name, user=user, permissions=allowed, vanity=vanity
            )
            self._twin.add_org(org)
            return org

    def end_org(self, org: str) -> None:
        """End an organization and its grants, codes and keys; a site's first one can't be ended."""
        with self._lock:
            self._twin.end_org(self._twin.org_of_id(org))

    def sign_in_path(self, org: str) -> str:
        """Return a one-time path on the app host that signs a browser in to an organization."""
        with self._lock:
            return f"/sign-in?ticket={quote(self._twin.sessions.ticket(self._twin.org_of_id(org)))}"

    def uninstall(self, client_id: str, *, org: str) -> None:
        """End a client's grants in an organization, as the customer would; its API key stays."""
        with self._lock:
            client = self._client(client_id)
            self._twin.uninstall(client.client_id, org=self._twin.org_of_id(org))

    def disable(self, client_id: str, *, org: str) -> None:
        """Disable an app for all users of an organization, which ends its grants."""
        with self._lock:
            self._twin.disable_app(self._client(client_id), org=self._twin.org_of_id(org))

    def enable(self, client_id: str, *, org: str) -> None:
        """Let the users of an organization authorize an app again."""
        with self._lock:
            where = self._twin.org_of_id(org)
            self._twin.apps.of(self._client(client_id), org=where).disabled = False

    def block_scope(self, client_id: str, *, org: str, scope: str) -> None:
        """Remove a scope from an app, which ends the authorizations that include it."""
        with self._lock:
            client, where = self._client(client_id), self._twin.org_of_id(org)
            self._twin.block_scope(client, org=where, scope=_registered(client, scope))

    def allow_scope(self, client_id: str, *, org: str, scope: str) -> None:
        """Allow an app to have a scope again, in later authorizations."""
        with self._lock:
            client, where = self._client(client_id), self._twin.org_of_id(org)
            self._twin.apps.of(client, org=where).allow(_registered(client, scope))

    def revoke(self, client_id: str, *, org: str, grant: str | None = None) -> int:
        """Revoke one or all grants of a client in an organization; return how many were revoked."""
        with self._lock:
            self._client(client_id)
            found = [
                each
                for each in self._twin.grants.of_org(self._twin.org_of_id(org))
                if each.client.client_id == client_id and grant in {None, each.id}
            ]
            if grant is not None and not found:
                raise NotThereError(f"this client has no grant {grant!r} in this organization")
            for each in found:
                self._twin.grants.revoke(each)
            return len(found)

    def api_keys(self, org: str) -> list[ApiKey]:
        """Return an organization's API keys, oldest first."""
        with self._lock:
            return self._twin.keys.of_org(self._twin.org_of_id(org))

    def revoke_keys(self, client_id: str, *, org: str) -> int:
        """Revoke a client's API key in an organization; return how many keys were revoked."""
        with self._lock:
            keys = [key for key in self.api_keys(org) if key.client_id == client_id]
            return sum(self._twin.keys.revoke(key.id) for key in keys)

    def revoke_api_key(self, key_id: str) -> bool:
        """Revoke an API key by its id, as the customer would; return whether it existed."""
        with self._lock:
            return self._twin.keys.revoke(key_id)

    def consent(
        self,
        authorize_url: str,
        *,
        org: str,
        approve: bool = True,
        region: str | None = None,
        scopes: Iterable[str] | None = None,
    ) -> str:
        """Respond to an authorization request as the customer would, and return the redirect.

        `region` is the site that the customer switches to. With `scopes`, only these are granted.
        The journal shows both requests, as it does for a browser.
        """
        with self._lock:
            where = self._twin.org_of_id(org)
            asked = self._authorization(authorize_url, org=where)
            session = self._twin.sessions.open(org=where)
            page = replace(asked, cookies={self._twin.cookie: session.id})
            shown = self._handle(page)
            if not session.pending:
                return self._location(shown)
            number, pending = session.pending.popitem()
            if scopes is not None:
                few = set(scopes)
                kept = tuple(scope for scope in pending.scopes if scope in few)
                pending = replace(pending, scopes=kept)
            session.pending[number] = pending
            fields = {
                "csrf": session.csrf,
                "request": number,
                "decision": "approve" if approve else "deny",
                **({"region": find_site(region, EVERY_SITE).name} if region else {}),
            }
            headers = {**page.headers, "content-type": "application/x-www-form-urlencoded"}
            body = urlencode(fields).encode()
            form = replace(page, method="POST", query=(), headers=headers, body=body)
            return self._location(self._handle(form))

    def register(self, client: Path | Mapping[str, Any]) -> Client:
        """Publish the client in a partner's `oauth_clients.json`, with a generated secret."""
        integration = read_integration(client)
        with self._lock:
            return self._twin.clients.publish(integration)

    def amend_client(
        self,
        client_id: str,
        *,
        redirect_uris: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
        onboarding_url: str | None = None,
    ) -> Client:
        """Change a client's registration; its credentials and grants stay valid."""
        changes: dict[str, Any] = {}
        if redirect_uris is not None:
            changes["redirect_uris"] = tuple(dict.fromkeys(redirect_uris))
            if not changes["redirect_uris"]:
                raise SandboxError("redirect_uris is empty; list at least one")
        for uri in changes.get("redirect_uris", ()):
            check_redirect_uri(uri, where="the client")
        if onboarding_url is not None:
            check_uri(onboarding_url, where="the client")
            changes["onboarding_url"] = onboarding_url
        if scopes is not None:
            changes["scopes"] = tuple(dict.fromkeys(scopes))
        with self._lock:
            return self._twin.amend(self._client(client_id).client_id, **changes)

    def leaks(self, text: str) -> tuple[str, ...]:
        """Return the kinds of issued secrets that a string contains, in clear text or encoded."""
        with self._lock:
            return leaked_kinds(text, issued=frozenset(self._twin.mint.issued()))

    def reset(self) -> None:
        """Restore the initial state; clients keep their credentials, and numbering continues."""
        with self._lock:
            self._twin.reset()
            self._journal.clear()

    def _authorization(self, url: str, *, org: Org) -> Incoming:
        """Read an authorization URL for the org's site, at Datadog's address or the sandbox's."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise SandboxError("the authorization URL can't be read") from None
        named, _, path = parts.path.removeprefix("/").partition("/app/")
        if path:
            path = f"/{path}"
        else:
            named, path = self._site_of((parts.hostname or "").lower()), parts.path
        if path != AUTHORIZE_PATH:
            raise SandboxError(f"the authorization URL must lead to {AUTHORIZE_PATH} on a site")
        if named != org.site.name:
            there = named or "no site"
            raise SandboxError(
                f"the authorization URL belongs to {there}, but {org.name} belongs to "
                f"{org.site.name}"
            )
        query = read_pairs(parts.query.encode())
        headers = {"host": parts.netloc.rpartition("@")[2]}
        return Incoming("GET", org.site, "app", AUTHORIZE_PATH, query, headers)

    def _site_of(self, host: str) -> str:
        """Return the site of a Datadog app host, which may be a customer's vanity host."""
        vanity = (o for o in self.organizations() if o.site_url == f"https://{host}")
        return site_of_host(host) or next((o.site.name for o in vanity), "")

    def _location(self, answer: Answer) -> str:
        location = dict(answer.headers).get("Location")
        if location is None:
            reason = self._journal.entries(after=self._journal.last - 1)[-1].reason
            raise SandboxError(f"the customer sees an error page. {reason}")
        return location

    def _client(self, client_id: str) -> Client:
        try:
            return self._twin.clients.registered(client_id)
        except KeyError:
            raise NotThereError(f"no client has the id {client_id!r}") from None

    def _checked(self, org: str | None) -> None:
        if org is not None:
            self._twin.org_of_id(org)


def read_lifetime(access_token: float, *, claims: float | None = None) -> Lifetime:
    """Return a valid lifetime in seconds of real time, or refuse it."""
    said = access_token if claims is None else claims
    for seconds in (access_token, said):
        if not 0 < seconds <= LONGEST_LIFETIME:
            raise SandboxError(
                f"a lifetime of {seconds} seconds is not valid; use 1 to {LONGEST_LIFETIME}"
            )
    return Lifetime(access_token=access_token, claims=said, real=True)


def _tolerances(names: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(names)
    for name in sorted(chosen - TOLERANCES.keys()):
        known = ", ".join(TOLERANCES)
        raise SandboxError(
            f"unknown tolerance {name!r}.{meant(name, TOLERANCES)} The tolerances are: {known}"
        )
    return chosen


def _registered(client: Client, scope: str) -> str:
    if scope not in client.scopes:
        raise SandboxError(f"{client.name} does not request the scope {scope!r}")
    return scope
