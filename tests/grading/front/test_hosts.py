"""Which names are Datadog's, and where the sandbox serves them."""

from __future__ import annotations

import pytest

from ddoauth_kit.grading.front.hosts import DatadogHost, HostTable
from ddoauth_kit.sandbox.facts.sites import EVERY_SITE

BASE = "http://127.0.0.1:8126"
ROLES = {
    "api": "api.{domain}",
    "logs": "http-intake.logs.{domain}",
    "events": "event-management-intake.{domain}",
}


@pytest.mark.parametrize("site", EVERY_SITE)
def test_each_site_has_its_hosts(site: str) -> None:
    """Four hosts and one vanity host lead to the sandbox's paths of that site."""
    table, facts = HostTable.of_sandbox(BASE), EVERY_SITE[site]
    names = {role: text.format(domain=facts.domain) for role, text in ROLES.items()}
    for role, name in (names | {"app": facts.app_host}).items():
        assert table.find(name) == DatadogHost(name, site, role, f"{BASE}/{site}/{role}")
    vanity = [host for host in table if host.site == site and host.name.startswith("globex-")]
    assert [host.role for host in vanity] == ["app"]
    assert vanity[0].name.endswith(f".{facts.registrable_domain}")


def test_no_name_is_given_twice() -> None:
    """There are 50 names for nine sites and the rehearsal region, and each one shows its site."""
    assert len(HostTable.of_sandbox(BASE)) == 50


@pytest.mark.parametrize(
    "name", ["datadoghq.com", "api.datadoghq.com.evil.example", "docs.datadoghq.com", ""]
)
def test_other_names_are_foreign(name: str) -> None:
    """A name beside the listed ones is not Datadog's."""
    assert HostTable.of_sandbox(BASE).find(name) is None


def test_hosts_can_be_handed_in() -> None:
    """One more region, and a customer's own host."""
    extra = DatadogHost("api.zz9.datadoghq.com", "us1", "api", "http://127.0.0.1:1/zz9/api")
    vanity = {"us1": "acme.datadoghq.com"}
    table = HostTable.of_sandbox(BASE, vanity=vanity, extra=[extra])
    assert table.find("api.zz9.datadoghq.com") == extra
    found = table.find("acme.datadoghq.com")
    assert found is not None
    assert found.site == "us1"
