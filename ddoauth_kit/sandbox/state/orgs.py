"""The customers' organizations: two on each site, each with one admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.sites import EVERY_SITE, Site

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.state.mint import Mint


@dataclass(frozen=True)
class User:
    """The only person in an org, who may do everything there unless permissions are given."""

    id: str
    name: str
    email: str
    permissions: frozenset[str] | None = None

    def may(self, permission: str) -> bool:
        """Return whether this person has a permission; scopes and permissions share names."""
        return self.permissions is None or permission in self.permissions


@dataclass(frozen=True)
class Org:
    """One organization on one site, with or without a vanity subdomain."""

    id: str
    name: str
    site: Site
    admin: User
    vanity: str | None = None

    @property
    def site_url(self) -> str:
        """Return the `site` of redirects, in which a vanity subdomain hides the region."""
        if self.vanity is None:
            return self.site.app_url
        return f"https://{self.vanity}.{self.site.registrable_domain}"


def make_orgs(mint: Mint) -> dict[str, tuple[Org, ...]]:
    """Create the orgs of all sites, starting with the default one."""
    return {name: _site_orgs(site, mint=mint) for name, site in EVERY_SITE.items()}


def make_org(  # noqa: PLR0913 - what an org is made of
    mint: Mint,
    site: Site,
    *,
    name: str,
    user: str,
    permissions: frozenset[str] | None,
    vanity: str | None,
) -> Org:
    """Create another org, with its own user."""
    label = mint.next_uuid("org")
    admin = User(
        id=mint.uuid(f"user:{label}"),
        name=user,
        email=f"{user.split(maxsplit=1)[0].lower()}@{label[:8]}.example",
        permissions=permissions,
    )
    return Org(id=label, name=name, site=site, admin=admin, vanity=vanity)


def _site_orgs(site: Site, *, mint: Mint) -> tuple[Org, ...]:
    people = (("Acme", "Ada Admin", None), ("Globex", "Grace Admin", f"globex-{site.name}"))
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
