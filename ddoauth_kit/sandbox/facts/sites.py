"""The nine sites as the sandbox knows them.

This table is deliberately separate from the kit's own: a mistake in a shared table would go
unnoticed. Source: Datadog docs, getting started with sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.sandbox_error import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("app", "api", "logs", "events")


@dataclass(frozen=True)
class Site:
    """One Datadog site: its name in the URL path and the domain that it sends to clients."""

    name: str
    domain: str
    app_host: str

    @property
    def registrable_domain(self) -> str:
        """Return the domain of vanity subdomains; several regions may share it."""
        return ".".join(self.domain.split(".")[-2:])

    @property
    def app_url(self) -> str:
        """Return the web application's address, the default value of `site`."""
        return f"https://{self.app_host}"


SITES: Mapping[str, Site] = MappingProxyType(
    {
        site.name: site
        for site in (
            Site("us1", "datadoghq.com", "app.datadoghq.com"),
            Site("us3", "us3.datadoghq.com", "us3.datadoghq.com"),
            Site("us5", "us5.datadoghq.com", "us5.datadoghq.com"),
            Site("eu1", "datadoghq.eu", "app.datadoghq.eu"),
            Site("ap1", "ap1.datadoghq.com", "ap1.datadoghq.com"),
            Site("ap2", "ap2.datadoghq.com", "ap2.datadoghq.com"),
            Site("uk1", "uk1.datadoghq.com", "uk1.datadoghq.com"),
            Site("us1-fed", "ddog-gov.com", "app.ddog-gov.com"),
            Site("us2-fed", "us2.ddog-gov.com", "us2.ddog-gov.com"),
        )
    }
)


# A region that clients don't know, for rehearsing the launch of a new one.
REHEARSAL = Site("rehearsal1", "rehearsal1.datadoghq.com", "rehearsal1.datadoghq.com")
EVERY_SITE: Mapping[str, Site] = MappingProxyType({**SITES, REHEARSAL.name: REHEARSAL})


def find_site(name: str, sites: Mapping[str, Site] = SITES) -> Site:
    """Return the site with this name, or raise an error that lists the sites."""
    if name not in sites:
        raise SandboxError(f"unknown site {name!r}; the sites are: {', '.join(sites)}")
    return sites[name]


def site_of_host(host: str) -> str | None:
    """Return the site whose app host has this name."""
    return next((site.name for site in EVERY_SITE.values() if site.app_host == host), None)


def next_site(site: Site) -> Site:
    """Return another site from the table, for faults that name a wrong site."""
    names = list(SITES)
    at = names.index(site.name) if site.name in SITES else -1
    return SITES[names[(at + 1) % len(names)]]


def foreign_registrable_site(site: Site) -> Site:
    """Return a site under a registrable domain that no org of `site` can have."""
    return SITES["us1"] if site.registrable_domain == "datadoghq.eu" else SITES["eu1"]
