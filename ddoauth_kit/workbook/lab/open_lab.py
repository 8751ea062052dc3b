"""Open the lab: choose between the sandbox and Datadog, and combine the lab's parts."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.environment_values import value_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.http.sender import Http
from ddoauth_kit.oauth.client import OAuthClient
from ddoauth_kit.registration import (
    ClientRegistration,
    Kind,
    TokenEndpoint,
    registration_from_file,
)
from ddoauth_kit.registration.against_sandbox import VARIABLE, sites_to_use
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Endpoints, SiteTable
from ddoauth_kit.store import ChosenStore, MemoryStore, open_store
from ddoauth_kit.without_threads import threads_exist
from ddoauth_kit.workbook.lab.backend import Backend, Mode
from ddoauth_kit.workbook.lab.drills import run_drill
from ddoauth_kit.workbook.lab.in_process import serve, withdraw
from ddoauth_kit.workbook.lab.lab import Lab
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent
from ddoauth_kit.workbook.lab.shared_sandbox import find_shared_sandbox
from ddoauth_kit.workbook.lab.without_sockets import sockets_exist
from ddoauth_kit.workbook.show.cards import show_cards_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.callback.addresses import CallbackUrls
    from ddoauth_kit.sandbox import Client, Sandbox
    from ddoauth_kit.sandbox.server.journal import JournalEntry
    from ddoauth_kit.workbook.lab.shared_sandbox import SharedSandbox
    from ddoauth_kit.workbook.show.cards import Skipped

PASTES: Final = 3
LESSON_SCOPES: Final = (
    "api_keys_write",
    "dashboards_read",
    "events_read",
    "logs_read_data",
    "metrics_read",
    "monitors_read",
    "timeseries_query",
    "user_access_read",
)


def open_lab(  # noqa: PLR0913 - each is a choice of the notebook or its test
    site: str = "us1",
    *,
    mode: str = Mode.SANDBOX,
    client: str = "",
    writes: bool = False,
    sites: SiteTable = DATADOG_SITES,
    person: Callable[[AuthorizationRequest], str] | None = None,
    every_scope: bool = False,
) -> Lab:
    """Open the lab for one site: offline in a sandbox, or with real Datadog.

    The sandbox is this kernel's own, unless JupyterLab's launcher runs one; the lab then joins that
    one. `client` is the path of an `oauth_clients.json`, or empty for the sandbox's demo client,
    which requests eight scopes, or, with `every_scope`, all scopes in the catalogue. With
    `mode="live"`, the registration comes from the environment (`registration_from_environment`). It
    is the private client unless `DDOAUTH_CLIENT_KIND` is `published`. Nothing is created or sent
    unless `writes` is true; the sandbox may always be changed. In live mode, `DDOAUTH_SANDBOX`
    names a sandbox that takes Datadog's place. `sites` is for a site that is not in the kit's
    table. `person` turns an authorization request into the redirect URL; by default, it asks for
    this URL in the notebook.

    Raises:
        InputError: the site, mode, client file or environment can't be used.
    """
    if mode == Mode.LIVE:
        lab = Lab(_live(site, client=client, writes=writes, sites=sites, person=person))
    elif mode != Mode.SANDBOX:
        raise InputError("unknown_mode", f"{mode!r} is not a valid mode.")
    elif shared := find_shared_sandbox():
        lab = _join(shared, site, client=client, every_scope=every_scope)
    else:
        lab = open_sandbox_lab(site, client=client, every_scope=every_scope)
    show_cards_in(_shell())
    return lab


def open_sandbox_lab(  # noqa: PLR0913 - each is a choice of the notebook or its test
    site: str = "us1",
    *,
    client: str = "",
    profile: str = "datadog",
    faults: tuple[str, ...] = (),
    every_scope: bool = False,
    private: bool = False,
    rotate: bool = False,
    in_process: bool | None = None,
) -> Lab:
    """Open a lab in its own sandbox, which may have a profile and faults.

    With `private`, it starts as integrations do: with a private client, which works only for the
    first organization on its site and is a different client on each site. With `rotate`, each
    refresh returns a new refresh token, and the previous one can't be used again. With
    `in_process`, the sandbox doesn't need sockets or threads, and only this process can reach it;
    this is the default if there are no sockets or threads, as in a browser tab.

    Raises:
        InputError: `unknown_site`, `bad_client_file` or `sandbox_not_started`.
    """
    from ddoauth_kit.sandbox import Sandbox, SandboxError

    DATADOG_SITES.named(site)
    registration = registration_from_file(client) if client else None
    alone = _is_alone() if in_process is None else in_process
    try:
        sandbox = Sandbox(
            profile=profile,
            faults=faults,
            client_file=Path(client) if client else None,
            scopes=None if every_scope else LESSON_SCOPES,
            rotate=rotate,
            in_process=alone,
        ).start()
    except SandboxError as error:
        raise InputError("sandbox_not_started", f"The sandbox says: {error}.") from None
    if alone:
        serve(sandbox.base_url, sandbox.answer)
    oauth = OAuthClient(
        _registration({"name": sandbox.client.name, **sandbox.client.description()}, registration),
        sites=sandbox_sites(sandbox),
        http=Http(sleep=partial(_advance, sandbox), keep_answers=True),
        clock=sandbox.clock.now,
    )
    backend = OwnSandbox(
        site=oauth.sites.named(site),
        oauth=oauth,
        store=ChosenStore(MemoryStore()),
        writes=True,
        sandbox=sandbox,
        client=sandbox.client,
    )
    return Lab(backend.with_private_client() if private else backend)


class SandboxBackend(Backend):
    """A backend that lets a script consent and allows every step to write."""

    mode = Mode.SANDBOX

    def consent(self, request: AuthorizationRequest) -> str:
        """Click through consent."""
        return visit_consent(request)

    def drill(self, name: str) -> DdoauthError | Skipped:
        """Run a drill on the same site."""
        return run_drill(name, open_lab=open_sandbox_lab, site=self.site.name)

    def elsewhere(self, site: str) -> Backend:
        """Return another site in the same sandbox; the sandbox still belongs to the first lab."""
        return replace(self, site=self.oauth.sites.named(site), owned=False)


@dataclass(frozen=True, kw_only=True)
class OwnSandbox(SandboxBackend):
    """A sandbox in this kernel; pausing advances its clock.

    `client` is the registration in the sandbox, or None if no more addresses will be added. `after`
    is any object that must live as long as this one.
    """

    sandbox: Sandbox
    client: Client | None
    after: object = None

    talks_to = "the sandbox in this kernel"

    @property
    def organizations(self) -> tuple[str, ...]:
        """Return the ids of all organizations on the site."""
        return tuple(org.id for org in self.sandbox.orgs[self.site.name])

    @property
    def register(self) -> Callable[[CallbackUrls], None] | None:
        """Return a function that adds an address to the client, and admits proxied browsers."""
        return self._register if self.client else None

    def _register(self, urls: CallbackUrls) -> None:
        self.sandbox.add_redirect_uri(urls.redirect_uri, client=self.client)
        self.sandbox.set_onboarding_url(urls.onboarding_url, client=self.client)
        if urls.proxy_url:
            self.sandbox.show_at(f"{urls.proxy_url}{self.sandbox.base_url.rpartition(':')[2]}")
        _add_address(self.oauth, urls)

    def with_private_client(self) -> OwnSandbox:
        """Return this backend with the site's private client."""
        client = self.sandbox.private_client(self.site.name)
        said = {"name": client.name, **client.description()}
        registration = replace(
            _registration(said, self.oauth.registration), kind=Kind.PRIVATE, sites=client.sites
        )
        return replace(self, oauth=_like(self.oauth, registration), client=client)

    def with_registration(self, registration: ClientRegistration, *, after: object) -> OwnSandbox:
        """Return this backend for another client in the sandbox; the first lab owns the sandbox."""
        oauth = _like(self.oauth, registration)
        return replace(self, oauth=oauth, client=None, after=after, owned=False)

    def elsewhere(self, site: str) -> Backend:
        """Return another site in the sandbox; each site has its own private client."""
        there = replace(self, site=self.oauth.sites.named(site), owned=False)
        private = self.client is not None and not self.client.published
        return there.with_private_client() if private else there

    def inject(self, fault: str) -> None:
        """Make the sandbox fail from now on."""
        from ddoauth_kit.sandbox import SandboxError

        try:
            self.sandbox.inject(fault)
        except SandboxError as error:
            raise InputError("unknown_fault", f"The sandbox says: {error}.") from None

    def journal(self) -> Sequence[JournalEntry]:
        """Return the latest requests that the sandbox handled."""
        return self.sandbox.journal

    def pause(self, seconds: float) -> None:
        """Advance the sandbox's clock instead of waiting."""
        self.sandbox.clock.advance(seconds)

    def close(self) -> None:
        """Stop the sandbox and close the connections."""
        if self.owned:
            self.oauth.http.close()
            withdraw(self.sandbox.base_url)
            self.sandbox.stop()


@dataclass(frozen=True, kw_only=True)
class JoinedSandbox(SandboxBackend):
    """The sandbox behind the launcher's tile, with this kernel's own client."""

    shared: SharedSandbox

    talks_to = "the sandbox of the launcher's tile, which other notebooks share"

    @property
    def register(self) -> Callable[[CallbackUrls], None]:
        """Return a function that asks the sandbox to add an address."""
        return self._register

    def _register(self, urls: CallbackUrls) -> None:
        known = self.oauth.registration
        secret = known.secret.reveal()
        self.shared.register(urls, client_id=known.client_id, client_secret=secret)
        _add_address(self.oauth, urls)

    def pause(self, seconds: float) -> None:
        """Wait in real time, because others use the sandbox's clock."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        if self.owned:
            self.oauth.http.close()


def _join(shared: SharedSandbox, site: str, *, client: str, every_scope: bool) -> Lab:
    """Open a lab in the sandbox behind the launcher's tile, with its own client."""
    DATADOG_SITES.named(site)
    registration = registration_from_file(client) if client else None
    joined = shared.join(
        client=Path(client) if client else None, scopes=None if every_scope else LESSON_SCOPES
    )
    oauth = OAuthClient(
        _registration(joined, registration),
        sites=bound_sites(shared.sites),
        http=Http(keep_answers=True),
    )
    backend = JoinedSandbox(
        site=oauth.sites.named(site),
        oauth=oauth,
        store=ChosenStore(MemoryStore()),
        writes=True,
        shared=shared,
    )
    return Lab(backend)


@dataclass(frozen=True, kw_only=True)
class Live(Backend):
    """Real Datadog; each site has its own registration."""

    file: str

    mode = Mode.LIVE
    chances = PASTES

    @property
    def talks_to(self) -> str:
        """Return `real Datadog`, or the address that the environment gives instead."""
        url = value_of(VARIABLE, os.environ)
        return f"the sandbox at {url}, not Datadog" if url else "real Datadog"

    def consent(self, request: AuthorizationRequest) -> AuthorizationResponse | str:
        """Ask the person at the notebook."""
        from ddoauth_kit.workbook.lab.listen_or_paste import ask_person

        return ask_person(request, oauth=self.oauth)

    def drill(self, name: str) -> DdoauthError | Skipped:
        """Run a drill in a sandbox, never with Datadog."""
        return run_drill(name, open_lab=open_sandbox_lab, site="us1")

    def elsewhere(self, site: str) -> Backend:
        """Return another site, with that site's credentials."""
        return _live(
            site, client=self.file, writes=self.writes, sites=self.oauth.sites, person=self.person
        )

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        if self.owned:
            self.oauth.http.close()


def _live(
    site: str,
    *,
    client: str,
    writes: bool,
    sites: SiteTable,
    person: Callable[[AuthorizationRequest], AuthorizationResponse | str] | None,
) -> Live:
    registration = live_registration(sites.named(site).name, client=client)
    if sites is DATADOG_SITES:
        sites = sites_to_use(registration)
    where = sites.named(site)
    return Live(
        site=where,
        oauth=OAuthClient(registration, sites=sites, http=Http()),
        store=open_store(),
        writes=writes,
        person=person,
        file=client,
    )


def sandbox_sites(sandbox: Sandbox) -> SiteTable:
    """Return Datadog's sites with the sandbox's addresses."""
    return bound_sites(sandbox.endpoints)


def bound_sites(endpoints: Mapping[str, Mapping[str, str]]) -> SiteTable:
    """Return Datadog's sites with their addresses replaced, in the sandbox's own format."""
    return DATADOG_SITES.at(
        {
            name: Endpoints(
                app_url=urls["app_url"],
                api_url=urls["api_url"],
                logs_intake_url=urls["logs_intake_url"],
                events_intake_url=urls["events_intake_url"],
            )
            for name, urls in endpoints.items()
        }
    )


def _registration(
    said: Mapping[str, Any], registration: ClientRegistration | None
) -> ClientRegistration:
    """Return the registration that a sandbox describes, under the name from the file."""
    return ClientRegistration(
        client_id=said["client_id"],
        client_secret=Secret(said["client_secret"], label="client_secret"),
        name=registration.name if registration else said["name"],
        kind=Kind.PUBLISHED,
        sites=DATADOG_SITES.names,
        scopes=tuple(said["scopes"]),
        redirect_uris=tuple(said["redirect_uris"]),
        onboarding_url=said["onboarding_url"],
        token_endpoint=registration.token_endpoint if registration else TokenEndpoint.V2,
    )


def _like(oauth: OAuthClient, registration: ClientRegistration) -> OAuthClient:
    return OAuthClient(registration, sites=oauth.sites, http=oauth.http, clock=oauth.clock)


def _add_address(oauth: OAuthClient, urls: CallbackUrls) -> None:
    """Add the address; lessons continue to use the first redirect URI."""
    uris = dict.fromkeys((*oauth.registration.redirect_uris, urls.redirect_uri))
    oauth.registration = replace(
        oauth.registration, redirect_uris=tuple(uris), onboarding_url=urls.onboarding_url
    )


def _is_alone() -> bool:
    """Return whether this system lacks sockets or threads."""
    return not (threads_exist() and sockets_exist())


def _advance(sandbox: Sandbox, seconds: float) -> None:
    sandbox.clock.advance(seconds)


def _shell() -> object:
    """Return the notebook's shell, or None if IPython is not loaded."""
    loaded = sys.modules.get("IPython")
    return loaded.get_ipython() if loaded is not None else None
