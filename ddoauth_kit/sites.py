"""Define which hosts are used: those of the nine Datadog sites. A redirect can't add others.

The table is Datadog's ("Getting started with Datadog sites" and the server list of the public
OpenAPI spec). The `domain` of a redirect selects a row, and its `site` is checked against that row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import InputError
from ddoauth_kit.errors.near_names import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HOSTNAME: Final = re.compile(
    r"(?:https://)?((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,})/?"
)
# Datadog's own command line relies on these three: a new region is a subdomain of one of them.
FAMILIES: Final = ("datadoghq.com", "datadoghq.eu", "ddog-gov.com")
_NO_VANITY: Final = frozenset({"api", "www"})
_NOT_A_REGION: Final = frozenset({"api", "app", "www"})
# The prefixes of a site's domain in the hosts that Datadog's pages name.
_OWN_HOSTS: Final = frozenset(
    {"", "app", "api", "www", "http-intake.logs", "event-management-intake"}
)
_SHOWN: Final = 80


class Host(StrEnum):
    """The role of a host within a site."""

    APP = "app"
    API = "api"
    LOGS_INTAKE = "logs_intake"
    EVENTS_INTAKE = "events_intake"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The four base URLs of a site, without trailing slashes."""

    app_url: str
    api_url: str
    logs_intake_url: str
    events_intake_url: str

    def of(self, host: Host) -> str:
        """Return the base URL for one role."""
        return {
            Host.APP: self.app_url,
            Host.API: self.api_url,
            Host.LOGS_INTAKE: self.logs_intake_url,
            Host.EVENTS_INTAKE: self.events_intake_url,
        }[host]


@dataclass(frozen=True, slots=True)
class Site:
    """One Datadog site: its name, the `domain` that it sends, and its hosts.

    `endpoints` says where requests really go, which may be a sandbox or a test server instead of
    Datadog; printed URLs always show Datadog's own hosts.
    """

    name: str
    domain: str
    app_host: str
    location: str
    endpoints: Endpoints | None = None

    @property
    def public(self) -> Endpoints:
        """Return Datadog's own URLs for this site."""
        return Endpoints(
            app_url=f"https://{self.app_host}",
            api_url=f"https://api.{self.domain}",
            logs_intake_url=f"https://http-intake.logs.{self.domain}",
            events_intake_url=f"https://event-management-intake.{self.domain}",
        )

    @property
    def app_url(self) -> str:
        """Return the base URL of the browser pages."""
        return self.url(Host.APP)

    @property
    def api_url(self) -> str:
        """Return the base URL of the APIs and of the token and revocation endpoints."""
        return self.url(Host.API)

    @property
    def logs_intake_url(self) -> str:
        """Return the base URL of the logs intake."""
        return self.url(Host.LOGS_INTAKE)

    @property
    def events_intake_url(self) -> str:
        """Return the base URL of the v2 events intake."""
        return self.url(Host.EVENTS_INTAKE)

    @property
    def issuer(self) -> str:
        """Return the `iss` that the public OpenAPI spec gives for this site."""
        return f"{self.public.app_url}/api/v2/oauth2"

    def url(self, host: Host, path: str = "") -> str:
        """Return the URL to which a request really goes."""
        return (self.endpoints or self.public).of(host) + path

    def shown_url(self, host: Host, path: str = "") -> str:
        """Return the same URL with Datadog's own host, for printing."""
        return self.public.of(host) + path

    def __repr__(self) -> str:
        return f"Site({self.name}: {self.domain})"


@dataclass(frozen=True, slots=True, repr=False)
class SiteTable:
    """Look up sites by name, `domain` or `site`; refuse unlisted values."""

    sites: tuple[Site, ...]

    def __iter__(self) -> Iterator[Site]:
        return iter(self.sites)

    def __len__(self) -> int:
        return len(self.sites)

    def __repr__(self) -> str:
        return f"SiteTable({', '.join(self.names)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the short names, in the table's order."""
        return tuple(site.name for site in self.sites)

    def named(self, name: str) -> Site:
        """Find a site by the short name or domain that a person typed.

        Raises:
            InputError: `unknown_site`, with the accepted names and domains.
        """
        wanted = name.strip().lower()
        for site in self.sites:
            if wanted in (site.name, site.domain):
                return site
        raise self._unknown(name, hint=self._meant(wanted))

    def from_domain(self, domain: str) -> Site:
        """Find the site that a redirect's `domain` names; only an exact match counts.

        Raises:
            InputError: `unknown_region`, for an unlisted Datadog subdomain, and `unknown_site`
            for everything else.
        """
        host = _hostname(domain) or domain
        for site in self.sites:
            if host == site.domain:
                return site
        raise _new_region(_hostname(domain) or "") or self._unknown(domain)

    def from_site(self, site_url: str) -> Site:
        """Find the one site that a redirect's `site` names.

        Raises:
            InputError: `unknown_site`, or `ambiguous_site` for a vanity subdomain of a domain that
                several sites share (`mycompany.datadoghq.com` may be in US1, US3, US5 and others).
        """
        candidates = self._candidates(site_url)
        first = candidates[0]
        if len(candidates) == 1 or _hostname(site_url) == first.app_host:
            return first
        names = ", ".join(f"{site.name} ({site.domain})" for site in candidates)
        raise InputError(
            "ambiguous_site", f"`site` {_quote(site_url)} could be any of these: {names}."
        )

    def resolve(self, *, domain: str, site_url: str = "") -> Site:
        """Find the site for a `domain` and `site` that arrived together.

        `domain` determines the site, and `site` must not contradict it (RFC 9700 section 4.4).

        Raises:
            InputError: `unknown_site`, `unknown_region` or `inconsistent_site`.
        """
        site = self.from_domain(domain)
        if site_url and site not in self._candidates(site_url):
            raise InputError(
                "inconsistent_site",
                f"`domain` {_quote(domain)} and `site` {_quote(site_url)} do not belong together.",
            )
        return site

    def app_url_for(self, site: Site, site_url: str = "") -> str:
        """Return the URL for the browser, with the vanity subdomain if a valid one was passed."""
        if not site_url or site.endpoints is not None:
            return site.app_url
        host = _hostname(site_url)
        return f"https://{host}" if host and site in self._candidates(site_url) else site.app_url

    def at(self, endpoints: Mapping[str, Endpoints]) -> SiteTable:
        """Return a table in which the named sites have other endpoints."""
        return SiteTable(
            tuple(
                replace(site, endpoints=endpoints[site.name])
                for site in self.sites
                if site.name in endpoints
            )
        )

    def with_site(self, site: Site) -> SiteTable:
        """Return the table with one more site: a new region or a test server.

        Only your code can add a site; nothing that arrives from outside can.
        """
        others = tuple(known for known in self.sites if known.name != site.name)
        return SiteTable((*others, site))

    def _candidates(self, site_url: str) -> tuple[Site, ...]:
        """Return the sites that a `site` value may refer to."""
        host = _hostname(site_url) or ""
        label, _, parent = host.partition(".")
        for site in self.sites:
            if host == site.domain:
                return (site,)
        for site in self.sites:
            if parent == site.domain and label not in _NO_VANITY and not label.startswith("xn--"):
                return self._family(site)
        raise self._unknown(site_url)

    def _family(self, site: Site) -> tuple[Site, ...]:
        """Return the sites that share a site's registrable domain, beginning with that site."""
        if site.domain.count(".") > 1:
            return (site,)
        others = tuple(s for s in self.sites if s.domain.endswith(f".{site.domain}"))
        return (site, *others)

    def _unknown(self, value: str, *, hint: str = "") -> InputError:
        known = ", ".join(f"{site.name} ({site.domain})" for site in self.sites)
        return InputError(
            "unknown_site",
            f"{_quote(value)} is not a Datadog site. Use one of: {known}.{hint}",
        )

    def _meant(self, typed: str) -> str:
        """Suggest the site that a person probably meant by a mistyped name or a web address."""
        host = _host_of(typed)
        if "." not in host:
            return nearest(typed, self.names)
        owners = [site for site in self.sites if f".{host}".endswith(f".{site.domain}")]
        if not owners:
            return nearest(host, [site.domain for site in self.sites])
        site = max(owners, key=lambda each: len(each.domain))
        own = host.removesuffix(site.domain).rstrip(".")
        if own in _OWN_HOSTS:
            return f" {_quote(host)} belongs to {site.name}."
        names = " or ".join(each.name for each in self._family(site))
        return f" {_quote(host)} may be a customer's address on {names}."


def _hostname(value: str) -> str | None:
    """Return the bare host of a `domain` or `site` value, or None for anything unusual.

    A value is unusual if it contains a port, user, path, trailing dot, upper-case letter or
    non-ASCII letter.
    """
    found = _HOSTNAME.fullmatch(value)
    return found[1] if found else None


def _host_of(typed: str) -> str:
    """Return the host in text copied from a browser, with or without scheme, port and path."""
    try:
        host = urlsplit(typed if "//" in typed else f"//{typed}").hostname
    except ValueError:
        host = None
    return (host or "").rstrip(".")


def _new_region(host: str) -> InputError | None:
    """Return the error for a host that may be a new region, or None for a foreign host."""
    label, _, parent = host.partition(".")
    if parent not in FAMILIES or label in _NOT_A_REGION or label.startswith("xn--"):
        return None
    what = (
        f"{_quote(host)} belongs to {parent}, but it is not one of the sites in the table: a "
        "new region, or a customer's subdomain, which is never a `domain`. Nothing was sent."
    )
    return InputError("unknown_region", what)


def _quote(value: str) -> str:
    """Quote a value from outside, shortened and printable."""
    text = ascii(value[:_SHOWN])
    return f"{text}…" if len(value) > _SHOWN else text


def _site(name: str, domain: str, location: str, *, app: bool = False) -> Site:
    return Site(
        name=name, domain=domain, app_host=f"app.{domain}" if app else domain, location=location
    )


DATADOG_SITES: Final = SiteTable(
    (
        _site("us1", "datadoghq.com", "United States", app=True),
        _site("us3", "us3.datadoghq.com", "United States"),
        _site("us5", "us5.datadoghq.com", "United States"),
        _site("eu1", "datadoghq.eu", "Germany", app=True),
        _site("ap1", "ap1.datadoghq.com", "Japan"),
        _site("ap2", "ap2.datadoghq.com", "Australia"),
        _site("uk1", "uk1.datadoghq.com", "United Kingdom"),
        _site("us1-fed", "ddog-gov.com", "United States (government)", app=True),
        _site("us2-fed", "us2.ddog-gov.com", "United States (government)"),
    )
)
