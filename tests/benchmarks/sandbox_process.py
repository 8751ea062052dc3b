"""Run the sandbox in a process of its own, and authorize against it as a benchmark needs."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ddoauth_kit import DATADOG_SITES, ClientRegistration, Endpoints, Kind, OAuthClient, Secret
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddoauth_kit import TokenSet


@contextmanager
def sandbox_process(*options: str) -> Iterator[dict[str, Any]]:
    """Serve the sandbox, and yield the line of JSON that it announces itself with."""
    command = [sys.executable, "-m", "ddoauth_kit", "sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def oauth_client(description: dict[str, Any]) -> OAuthClient:
    """Return the kit's client, bound to the sandbox."""
    given = description["client"]
    sites = {
        name: Endpoints(**{key: value for key, value in urls.items() if key != "domain"})
        for name, urls in description["sites"].items()
    }
    registration = ClientRegistration(
        client_id=given["client_id"],
        client_secret=Secret(given["client_secret"], label="client_secret"),
        kind=Kind.PUBLISHED,
        sites=DATADOG_SITES.names,
        scopes=tuple(given["scopes"]),
        redirect_uris=tuple(given["redirect_uris"]),
    )
    return OAuthClient(registration, sites=DATADOG_SITES.at(sites))


def authorized(client: OAuthClient, site: str, scopes: Iterable[str] | None = None) -> TokenSet:
    """Return tokens of a site, all scopes by default."""
    domain = DATADOG_SITES.named(site).domain
    request = client.begin(domain=domain, scopes=scopes, session="s")
    return client.complete(visit_consent(request), session="s")
