"""Registrations of real partners complete the whole flow on every site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.places import PARTNERS

from ddoauth_kit import DATADOG_SITES, registration_from_file
from ddoauth_kit.api.telemetry import Telemetry
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.samples import read_samples, send_samples
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit import TokenSet
    from ddoauth_kit.workbook.lab.lab import Lab
    from ddoauth_kit.workbook.verdicts import ProbeTables

READABLE = {"timeseries_query", "logs_read_data", "events_read"}


@pytest.fixture(scope="module", params=PARTNERS, ids=lambda file: file.stem)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Open a lab with the registration in a partner's file."""
    with open_lab(client=str(request.param)) as opened:
        assert opened.registration.scopes == registration_from_file(request.param).scopes
        yield opened


@pytest.fixture(scope="module")
def probes(lab: Lab) -> ProbeTables:
    """Authorize on all sites and probe all scopes there."""
    return lab.scopes.probe(sites="all", writes="round-trip")


def test_every_partner_is_here() -> None:
    """There are 24 registrations."""
    assert len(PARTNERS) == 24


def test_every_partner_gets_a_full_verdict_table(lab: Lab, probes: ProbeTables) -> None:
    """Each scope of a registration has an explained row on each site, and none is refused."""
    scopes, report = lab.registration.scopes, probes.report
    text, html = repr(probes), probes.matrix.html().replace("<wbr>", "")
    assert report.sites == DATADOG_SITES.names
    assert [(r.site, r.scope) for r in report.results] == [
        (site, scope) for site in report.sites for scope in scopes
    ]
    assert report.is_good, report.problems
    assert all(result.evidence and result.area for result in report.results)
    assert all(scope in text and scope in html for scope in scopes)


def test_every_redirect_uri_of_every_partner(lab: Lab) -> None:
    """A customer comes back to each of a registration's addresses, with all scopes."""
    for uri in lab.registration.redirect_uris:
        request = lab.oauth.begin(domain="datadoghq.com", redirect_uri=uri, session="s")
        tokens = lab.oauth.complete(visit_consent(request), session="s")
        assert tokens.scopes.withheld == ()


@pytest.mark.usefixtures("probes")
def test_every_partner_on_every_site(lab: Lab) -> None:
    """Each registration refreshes its tokens, has its key if it may, sends, reads, and ends."""
    for site in lab.oauth.sites:
        there = lab.on(site.name)
        tokens = there.connect()
        assert tokens.site == site
        assert tokens.scopes.granted == lab.registration.scopes
        _use(there, tokens)
        there.revoke(tokens)
    journal = lab.backend.journal() or ()
    assert sum("refresh_token" in entry.fields for entry in journal) == len(DATADOG_SITES)
    made = [entry.status for entry in journal if entry.path.endswith("/api_keys/marketplace")]
    assert made == [201] * len(DATADOG_SITES) * ("api_keys_write" in lab.registration.scopes)


def _use(lab: Lab, tokens: TokenSet) -> None:
    """Send data if there is a key, and read it back if a scope allows it."""
    sample = Telemetry(
        name=f"partner.{tokens.client_id[:8]}",
        value=1.0,
        at=int(lab.oauth.clock().timestamp()),
        source=f"partner-{tokens.client_id[:8]}",
        tags=(f"client:{tokens.client_id}",),
    )
    http, api_key = lab.oauth.http, lab.kept_api_key()
    assert (api_key is not None) == ("api_keys_write" in tokens.scopes)
    if api_key:
        sent = send_samples(http, api_key=api_key, sample=sample)
        assert set(sent["status"]) == {202}
    read = read_samples(http, tokens=tokens, sample=sample, sleep=lambda _: None, tries=1)
    for row in read.rows:
        if row["scope"] in READABLE.intersection(tokens.scopes.granted):
            assert row["found"] == ("1" if api_key else "0")
