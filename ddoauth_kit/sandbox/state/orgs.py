"""The customers' organizations: two per site, one admin in each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.sites import SITES, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.state.mint import Mint


@dataclass(frozen=True)
class User:
    """The one person of an org, who may do everything in it."""

    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Org:
    """One organization of one site, with a vanity subdomain or without."""

    id: str
    name: str
    site: Site
    admin: User
    vanity: str | None = None

    @property
    def site_url(self) -> str:
        """Return what `site` says on redirects: a vanity subdomain hides the region."""
        if self.vanity is None:
            return self.site.app_url
        return f"https://{self.vanity}.{self.site.registrable_domain}"


def make_orgs(mint: Mint) -> Mapping[str, tuple[Org, ...]]:
    """Make the orgs of all sites, the default one first."""
    return MappingProxyType({name: _site_orgs(site, mint=mint) for name, site in SITES.items()})


def _site_orgs(site: Site, *, mint: Mint) -> tuple[Org, ...]:
    people = (("Acme", "Ada Admin", None), ("Globex", "Grace Admin", "globex"))
    return tuple(
        Org(
            id=mint.uuid(f"org:{site.name}:{name}"),
            name=f"{name} ({site.name})",
            site=site,
            admin=User(
                id=mint.uuid(f"user:{site.name}:{name}"),
                name=admin,
                email=f"{admin.split()[0].lower()}@{name.lower()}.example",
            ),
            vanity=vanity,
        )
        for name, admin, vanity in people
    )
