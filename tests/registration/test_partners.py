"""Registrations of real partners complete the whole flow on every site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.places import PARTNERS

from ddoauth_kit import (
    DATADOG_SITES,
    Http,
    OAuthClient,
    Secret,
    TokenSet,
    create_api_key,
    registration_from_file,
)
from ddoauth_kit.api.telemetry import Telemetry
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.open_lab import sandbox_sites
from ddoauth_kit.workbook.lab.samples import read_samples, send_samples
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READABLE = {"timeseries_query", "logs_read_data", "events_read"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve all nine sites to all partners."""
    with Sandbox() as serving:
        yield serving


def test_all_partners_on_all_sites(sandbox: Sandbox) -> None:
    """Each registration authorizes, gets tokens, its key if it may, sends, reads, and ends."""
    sites = sandbox_sites(sandbox)
    with Http(sleep=lambda _: None) as http:
        for file in PARTNERS:
            minted = sandbox.register(file).client_secret
            secret = Secret(minted, label="client_secret")
            registration = registration_from_file(file, client_secret=secret)
            for uri in registration.redirect_uris:
                client = OAuthClient(registration, sites=sites, http=http)
                request = client.begin(domain="datadoghq.com", redirect_uri=uri, session="s")
                assert client.complete(visit_consent(request), session="s").scopes.withheld == ()
            client = OAuthClient(registration, sites=sites, http=http)
            for site in sites:
                request = client.begin(domain=site.domain, session="s")
                tokens = client.complete(visit_consent(request), session="s")
                assert tokens.site == site, file.name
                assert tokens.scopes.granted == registration.scopes
                _use(http, tokens, sandbox)
                client.revoke(client.refresh(tokens))
    assert len(PARTNERS) == 24
    creations = [e for e in sandbox.journal if e.path.endswith("/api_keys/marketplace")]
    assert {entry.status for entry in creations} == {201}
    assert len(creations) == len(sites) * sum(
        "api_keys_write" in registration_from_file(file).scopes for file in PARTNERS
    )


def _use(http: Http, tokens: TokenSet, sandbox: Sandbox) -> None:
    """Send data if there is a key, and read it back if a scope allows it."""
    sample = Telemetry(
        name=f"partner.{tokens.client_id[:8]}",
        value=1.0,
        at=int(sandbox.clock.now().timestamp()),
        source=f"partner-{tokens.client_id[:8]}",
        tags=(f"client:{tokens.client_id}",),
    )
    may_send = "api_keys_write" in tokens.scopes
    if may_send:
        api_key = create_api_key(http, tokens=tokens)
        assert set(send_samples(http, api_key=api_key, sample=sample).frame["status"]) == {202}
    read = read_samples(http, tokens=tokens, sample=sample, sleep=lambda _: None, tries=1).frame
    for row in read.itertuples():
        if row.scope in READABLE.intersection(tokens.scopes.granted):
            assert row.found == ("1" if may_send else "0")


@pytest.mark.parametrize("file", PARTNERS, ids=lambda file: file.stem)
def test_every_partner_gets_a_full_verdict_table(file: Path) -> None:
    """Each scope of a registration has an explained row on each site, and none is refused."""
    scopes = registration_from_file(file).scopes
    with open_lab(client=str(file)) as lab:
        probes = lab.scopes.probe(sites="all", writes="round-trip")
        report = probes.report
        text, html = repr(probes), probes.matrix.html().replace("<wbr>", "")
    assert report.sites == DATADOG_SITES.names
    assert [(r.site, r.scope) for r in report.results] == [
        (site, scope) for site in report.sites for scope in scopes
    ]
    assert report.is_good, report.problems
    assert all(result.evidence and result.area for result in report.results)
    assert all(scope in text and scope in html for scope in scopes)
