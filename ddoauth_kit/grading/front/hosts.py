"""Determine which host names are Datadog's, and where the sandbox serves each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from ddoauth_kit.sites import DATADOG_SITES, Host, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Role = Literal["app", "api", "logs", "events"]
ROLES: Final[Mapping[Host, Role]] = {
    Host.APP: "app",
    Host.API: "api",
    Host.LOGS_INTAKE: "logs",
    Host.EVENTS_INTAKE: "events",
}
# The sandbox has a region, with customers, that Datadog does not have.
_REHEARSAL: Final = Site(
    "rehearsal1", "rehearsal1.datadoghq.com", "rehearsal1.datadoghq.com", location="the sandbox"
)


@dataclass(frozen=True, slots=True)
class DatadogHost:
    """One of Datadog's hosts, and the address on this machine that stands in for it."""

    name: str
    site: str
    role: Role
    url: str


class HostTable:
    """The sandbox's addresses by host name; a name that is not in the table is foreign."""

    def __init__(self, hosts: Iterable[DatadogHost]) -> None:
        self._hosts = {host.name: host for host in hosts}

    @classmethod
    def of_sandbox(
        cls,
        base_url: str,
        *,
        vanity: Mapping[str, str] | None = None,
        extra: Iterable[DatadogHost] = (),
    ) -> HostTable:
        """List the hosts of all sites, which a sandbox serves as `base_url/SITE/ROLE`.

        These are Datadog's nine sites and the sandbox's rehearsal region. `vanity` maps a site to a
        customer's own subdomain, by default `globex-SITE`. `extra` adds hosts.
        """
        sites = (*DATADOG_SITES, _REHEARSAL)
        named = {site.name: vanity_host(site) for site in sites} | dict(vanity or {})
        hosts = [host for site in sites for host in site_hosts(site, base_url=base_url)]
        hosts += [
            DatadogHost(name, site, "app", f"{base_url}/{site}/app") for site, name in named.items()
        ]
        return cls((*hosts, *extra))

    def find(self, name: str) -> DatadogHost | None:
        """Return the host with this lower-case name, or None if it is foreign."""
        return self._hosts.get(name)

    def __iter__(self) -> Iterator[DatadogHost]:
        return iter(self._hosts.values())

    def __len__(self) -> int:
        return len(self._hosts)


def site_hosts(site: Site, *, base_url: str) -> tuple[DatadogHost, ...]:
    """Return the four hosts of a site, as a sandbox at `base_url` serves them."""
    return tuple(
        DatadogHost(_host(site.public.of(host)), site.name, role, f"{base_url}/{site.name}/{role}")
        for host, role in ROLES.items()
    )


def vanity_host(site: Site, *, customer: str = "globex") -> str:
    """Return a customer's host name, which contains the site's name, unlike Datadog's own names."""
    return f"{customer}-{site.name}.{'.'.join(site.domain.split('.')[-2:])}"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
