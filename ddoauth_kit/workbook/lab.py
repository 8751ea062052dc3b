"""Open the lab: decide what is real, and put its parts together."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.http import Http
from ddoauth_kit.oauth.client import OAuthClient
from ddoauth_kit.registration import (
    ClientRegistration,
    Kind,
    registration_from_environment,
    registration_from_file,
)
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Endpoints, SiteTable
from ddoauth_kit.store import ChosenStore, MemoryStore, open_store
from ddoauth_kit.workbook.cards import show_cards_in
from ddoauth_kit.workbook.customer import Customer
from ddoauth_kit.workbook.drills import run_drill
from ddoauth_kit.workbook.parts import Mode, Parts
from ddoauth_kit.workbook.steps import Lab
from ddoauth_kit.workbook.tables import ResultTable
from ddoauth_kit.workbook.visitor import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.sandbox import Sandbox

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
    """Open the lab for one site: offline in a sandbox of its own, or with real Datadog.

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
        lab = Lab(_live_parts(site, client=client, writes=writes, sites=sites, person=person))
    elif mode == Mode.SANDBOX:
        lab = open_sandbox_lab(site, client=client, every_scope=every_scope)
    else:
        raise InputError("unknown_mode", f"{mode!r} is no mode.")
    show_cards_in(_shell())
    return lab


def open_sandbox_lab(
    site: str = "us1",
    *,
    client: str = "",
    profile: str = "datadog",
    faults: tuple[str, ...] = (),
    every_scope: bool = False,
) -> Lab:
    """Open a lab in a sandbox of its own, which may have a profile and faults.

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
    store = ChosenStore(MemoryStore())
    close = partial(_close, http, sandbox)
    return Lab(_sandbox_parts(site, oauth=oauth, store=store, pause=pause, close=close))


def _sandbox_parts(
    site: str,
    *,
    oauth: OAuthClient,
    store: ChosenStore,
    pause: Callable[[float], None],
    close: Callable[[], None],
) -> Parts:
    where = oauth.sites.named(site)
    return Parts(
        mode=Mode.SANDBOX,
        site=where,
        oauth=oauth,
        store=store,
        customer=Customer(where, sandbox=True),
        consent=visit_consent,
        drill=partial(run_drill, open_lab=open_sandbox_lab, site=where.name),
        pause=pause,
        close=close,
        writes=True,
        # The first lab owns the sandbox; one for another site of it ends nothing.
        elsewhere=partial(_sandbox_parts, oauth=oauth, store=store, pause=pause, close=_leave_open),
    )


def faults_table() -> ResultTable:
    """Return what the sandbox can be told to do wrong; columns: `fault`, `what happens`.

    Each name is a drill of the lab, too.
    """
    from ddoauth_kit.sandbox import FAULTS

    rows = [{"fault": fault.name, "what happens": fault.summary} for fault in FAULTS.values()]
    return ResultTable("faults", rows)


def sandbox_sites(sandbox: Sandbox) -> SiteTable:
    """Return Datadog's sites with the sandbox's addresses."""
    return DATADOG_SITES.at(
        {
            name: Endpoints(
                app_url=urls["app_url"],
                api_url=urls["api_url"],
                logs_intake_url=urls["logs_intake_url"],
                events_intake_url=urls["events_intake_url"],
            )
            for name, urls in sandbox.endpoints.items()
        }
    )


def live_registration(site: str, *, client: str = "") -> ClientRegistration:
    """Return the registration that live mode uses on a site, from the environment.

    Raises:
        InputError: `unknown_kind`, or see `registration_from_environment`.
    """
    kind = os.environ.get("DDOAUTH_CLIENT_KIND") or Kind.PRIVATE
    if kind not in set(Kind):
        raise InputError("unknown_kind", f"DDOAUTH_CLIENT_KIND is {kind!r}.")
    return registration_from_environment(site=site, kind=Kind(kind), file=client or None)


def _live_parts(
    site: str,
    *,
    client: str,
    writes: bool,
    sites: SiteTable,
    person: Callable[[AuthorizationRequest], str] | None,
) -> Parts:
    from ddoauth_kit.workbook.paste import ask_for_redirect

    where = sites.named(site)
    registration = live_registration(where.name, client=client)
    http = Http()
    return Parts(
        mode=Mode.LIVE,
        site=where,
        oauth=OAuthClient(registration, sites=sites, http=http),
        store=open_store(),
        customer=Customer(where, sandbox=False),
        consent=person or ask_for_redirect,
        drill=partial(run_drill, open_lab=open_sandbox_lab, site="us1"),
        pause=time.sleep,
        close=http.close,
        writes=writes,
        elsewhere=partial(_live_parts, client=client, writes=writes, sites=sites, person=person),
    )


def _registered(sandbox: Sandbox, registration: ClientRegistration | None) -> ClientRegistration:
    """Return what the sandbox registered, under the name that the file gives."""
    client = sandbox.client
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


def _advance(sandbox: Sandbox, seconds: float) -> None:
    """Let time pass in the sandbox, which has a clock of its own, instead of waiting."""
    sandbox.clock.advance(seconds)


def _leave_open() -> None:
    """Close nothing."""


def _close(http: Http, sandbox: Sandbox) -> None:
    http.close()
    sandbox.stop()


def _shell() -> object:
    from IPython.core.getipython import get_ipython

    return get_ipython()
