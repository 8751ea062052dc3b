"""Open the lab: decide what is real, and put its parts together."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.http.sender import Http
from ddoauth_kit.oauth.client import OAuthClient
from ddoauth_kit.oauth.consent.scripted_consent import visit_consent
from ddoauth_kit.registration import (
    ClientRegistration,
    Kind,
    registration_from_file,
)
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Endpoints, SiteTable
from ddoauth_kit.store import ChosenStore, MemoryStore, open_store
from ddoauth_kit.workbook.lab.backend import Backend, Mode, refuse_faults
from ddoauth_kit.workbook.lab.customer import Customer
from ddoauth_kit.workbook.lab.drills import run_drill
from ddoauth_kit.workbook.lab.lab import Lab
from ddoauth_kit.workbook.lab.shared_sandbox import find_shared_sandbox
from ddoauth_kit.workbook.show.cards import show_cards_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.callback.addresses import CallbackUrls
    from ddoauth_kit.sandbox import Client, Sandbox
    from ddoauth_kit.sandbox.server.journal import JournalEntry
    from ddoauth_kit.workbook.lab.shared_sandbox import SharedSandbox

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

    The sandbox is this kernel's own, unless the launcher of JupyterLab runs one: that is joined.
    `client` is the path of an `oauth_clients.json`, or empty for the sandbox's demo client, which
    asks for eight scopes, or with `every_scope` for all that the catalogue lists. With
    `mode="live"` the registration comes from the environment (`registration_from_environment`),
    as the private client unless `DDOAUTH_CLIENT_KIND` says `published`, and nothing is created or
    sent unless `writes` is true; the sandbox may always be changed. `sites` is for a site that is
    not in the kit's table; `person` turns an authorization request into the redirect URL, and asks
    for it in the notebook by default.

    Raises:
        InputError: the site, mode, client file or environment is not usable.
    """
    if mode == Mode.LIVE:
        lab = Lab(_live_backend(site, client=client, writes=writes, sites=sites, person=person))
    elif mode == Mode.SANDBOX:
        shared = find_shared_sandbox()
        join = partial(_join, shared) if shared else open_sandbox_lab
        lab = join(site, client=client, every_scope=every_scope)
    else:
        raise InputError("unknown_mode", f"{mode!r} is no mode.")
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
) -> Lab:
    """Open a lab in a sandbox of its own, which may have a profile and faults.

    With `private` it begins as integrations do: with the private client, which works for the
    first organization of its site alone, and is another one on each site.

    Raises:
        InputError: `unknown_site`, `bad_client_file` or `sandbox_not_started`.
    """
    from ddoauth_kit.sandbox import Sandbox, SandboxError

    DATADOG_SITES.named(site)
    registration = registration_from_file(client) if client else None
    try:
        path = Path(client) if client else None
        sandbox = Sandbox(
            profile=profile,
            faults=faults,
            client_file=path,
            scopes=None if every_scope else LESSON_SCOPES,
        ).start()
    except SandboxError as error:
        raise InputError("sandbox_not_started", f"The sandbox says: {error}.") from None
    pause = partial(_advance, sandbox)
    http = Http(sleep=pause, keep_answers=True)
    oauth = OAuthClient(
        _registered(sandbox, registration),
        sites=sandbox_sites(sandbox),
        http=http,
        clock=sandbox.clock.now,
    )
    inside = _Inside(
        oauth=oauth,
        pause=pause,
        close=partial(_close, http, sandbox),
        talks_to="the sandbox in this kernel",
        register=partial(_register_own, sandbox, oauth),
        inject=partial(_inject, sandbox),
        journal=partial(getattr, sandbox, "journal"),
        organizations=lambda where: tuple(org.id for org in sandbox.orgs[where]),
    )
    backend = partial(_private_backend, sandbox=sandbox) if private else _sandbox_backend
    return Lab(backend(site, inside=inside))


def _private_backend(site: str, *, inside: _Inside, sandbox: Sandbox) -> Backend:
    """Return the parts with the private client of a site, which has credentials of its own."""
    client = sandbox.private_client(site)
    registration = replace(
        _registration(client, inside.oauth.registration), kind=Kind.PRIVATE, sites=client.sites
    )
    oauth = OAuthClient(
        registration, sites=inside.oauth.sites, http=inside.oauth.http, clock=inside.oauth.clock
    )
    here, there = replace(inside, oauth=oauth), replace(inside, close=_leave_open)
    return replace(
        _sandbox_backend(site, inside=here),
        register=partial(_register_own, sandbox, oauth, client=client),
        elsewhere=partial(_private_backend, inside=there, sandbox=sandbox),
    )


@dataclass(frozen=True, slots=True)
class _Inside:
    """Hold what labs of one sandbox have in common, whichever site they are for."""

    oauth: OAuthClient
    pause: Callable[[float], None]
    close: Callable[[], None]
    talks_to: str
    register: Callable[[CallbackUrls], None]
    inject: Callable[[str], None] = refuse_faults
    journal: Callable[[], Sequence[JournalEntry]] | None = None
    organizations: Callable[[str], tuple[str, ...]] = lambda _site: ()
    store: ChosenStore = field(default_factory=lambda: ChosenStore(MemoryStore()))


def _sandbox_backend(site: str, *, inside: _Inside) -> Backend:
    where = inside.oauth.sites.named(site)
    return Backend(
        mode=Mode.SANDBOX,
        site=where,
        oauth=inside.oauth,
        store=inside.store,
        customer=Customer(where, sandbox=True),
        consent=visit_consent,
        drill=partial(run_drill, open_lab=open_sandbox_lab, site=where.name),
        pause=inside.pause,
        close=inside.close,
        writes=True,
        # The first lab owns the sandbox; one for another site of it ends nothing.
        elsewhere=partial(_sandbox_backend, inside=replace(inside, close=_leave_open)),
        talks_to=inside.talks_to,
        register=inside.register,
        inject=inside.inject,
        journal=inside.journal,
        organizations=inside.organizations(where.name),
    )


def _join(shared: SharedSandbox, site: str, *, client: str, every_scope: bool) -> Lab:
    """Open a lab in the sandbox that the launcher's tile shows, with a client of its own."""
    DATADOG_SITES.named(site)
    registration = registration_from_file(client) if client else None
    joined = shared.join(
        client=Path(client) if client else None, scopes=None if every_scope else LESSON_SCOPES
    )
    http = Http(keep_answers=True)
    oauth = OAuthClient(
        _registration(SimpleNamespace(**joined), registration),
        sites=bound_sites(shared.sites),
        http=http,
    )
    inside = _Inside(
        oauth=oauth,
        pause=time.sleep,
        close=http.close,
        talks_to="the sandbox of the launcher's tile, which other notebooks share",
        register=partial(_register_shared, shared, oauth),
    )
    return Lab(_sandbox_backend(site, inside=inside))


def sandbox_sites(sandbox: Sandbox) -> SiteTable:
    """Return Datadog's sites with the sandbox's addresses."""
    return bound_sites(sandbox.endpoints)


def bound_sites(endpoints: Mapping[str, Mapping[str, str]]) -> SiteTable:
    """Return Datadog's sites with other addresses, as a sandbox describes its own."""
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


def _live_backend(
    site: str,
    *,
    client: str,
    writes: bool,
    sites: SiteTable,
    person: Callable[[AuthorizationRequest], str] | None,
) -> Backend:
    from ddoauth_kit.workbook.lab.listen_or_paste import ask_person

    where = sites.named(site)
    registration = live_registration(where.name, client=client)
    http = Http()
    oauth = OAuthClient(registration, sites=sites, http=http)
    return Backend(
        mode=Mode.LIVE,
        site=where,
        oauth=oauth,
        store=open_store(),
        customer=Customer(where, sandbox=False),
        consent=person or partial(ask_person, oauth=oauth),
        drill=partial(run_drill, open_lab=open_sandbox_lab, site="us1"),
        pause=time.sleep,
        close=http.close,
        writes=writes,
        elsewhere=partial(_live_backend, client=client, writes=writes, sites=sites, person=person),
        talks_to="real Datadog",
    )


def _registered(sandbox: Sandbox, registration: ClientRegistration | None) -> ClientRegistration:
    """Return what the sandbox registered, under the name that the file gives."""
    return _registration(sandbox.client, registration)


def _registration(
    client: Client | SimpleNamespace, registration: ClientRegistration | None
) -> ClientRegistration:
    return ClientRegistration(
        client_id=client.client_id,
        client_secret=Secret(client.client_secret, label="client_secret"),
        name=registration.name if registration else client.name,
        kind=Kind.PUBLISHED,
        sites=DATADOG_SITES.names,
        scopes=tuple(client.scopes),
        redirect_uris=tuple(client.redirect_uris),
        onboarding_url=client.onboarding_url,
    )


def _register_own(
    sandbox: Sandbox, oauth: OAuthClient, urls: CallbackUrls, *, client: Client | None = None
) -> None:
    """Give a client of the sandbox one more address, and let browsers in that come by a proxy."""
    sandbox.add_redirect_uri(urls.redirect_uri, client=client)
    sandbox.set_onboarding_url(urls.onboarding_url, client=client)
    if urls.proxy_url:
        sandbox.show_at(f"{urls.proxy_url}{sandbox.base_url.rpartition(':')[2]}")
    _add_address(oauth, urls)


def _register_shared(shared: SharedSandbox, oauth: OAuthClient, urls: CallbackUrls) -> None:
    known = oauth.registration
    secret = known.secret.reveal()
    shared.register(urls, client_id=known.client_id, client_secret=secret)
    _add_address(oauth, urls)


def _add_address(oauth: OAuthClient, urls: CallbackUrls) -> None:
    """Know of the address; lessons go on naming the redirect URI that was there first."""
    uris = dict.fromkeys((*oauth.registration.redirect_uris, urls.redirect_uri))
    oauth.registration = replace(
        oauth.registration, redirect_uris=tuple(uris), onboarding_url=urls.onboarding_url
    )


def _inject(sandbox: Sandbox, fault: str) -> None:
    from ddoauth_kit.sandbox import SandboxError

    try:
        sandbox.inject(fault)
    except SandboxError as error:
        raise InputError("sandbox_not_started", f"The sandbox says: {error}.") from None


def _advance(sandbox: Sandbox, seconds: float) -> None:
    """Let time pass in the sandbox, which has a clock of its own, instead of waiting."""
    sandbox.clock.advance(seconds)


def _leave_open() -> None:
    """Close nothing."""


def _close(http: Http, sandbox: Sandbox) -> None:
    http.close()
    sandbox.stop()


def _shell() -> object:
    """Return the shell of a notebook; a program that loaded no IPython has none."""
    loaded = sys.modules.get("IPython")
    return loaded.get_ipython() if loaded is not None else None
