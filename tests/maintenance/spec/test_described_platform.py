"""The description's sites match the kit's, and its OAuth addresses are recorded unchanged."""

from __future__ import annotations

import json

from ddoauth_kit import DATADOG_SITES
from ddoauth_kit.maintenance.spec.__main__ import CATALOGUE
from ddoauth_kit.registration import TokenEndpoint
from ddoauth_kit.sandbox.facts.sites import SITES

PLATFORM = json.loads(CATALOGUE.read_text("utf-8"))["platform"]


def test_the_sites_are_those_of_both_tables() -> None:
    """A site that Datadog's description has and a table of the project lacks fails here."""
    described = set(PLATFORM["sites"])
    assert described == {site.domain for site in DATADOG_SITES}
    assert described == {site.domain for site in SITES.values()}


def test_the_token_endpoints_are_those_that_the_kit_knows() -> None:
    """The description names one in its flows and the other one in its discovery example."""
    paths = {name: entry["path"] for name, entry in PLATFORM["endpoints"].items()}
    assert paths["authorizationCode tokenUrl"] == TokenEndpoint.V1.path
    assert paths["discovery token_endpoint"] == TokenEndpoint.V2.path
