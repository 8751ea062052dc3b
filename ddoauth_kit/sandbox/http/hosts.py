"""The hosts and addresses that a sandbox accepts; it refuses all others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ddoauth_kit.sandbox.facts.sites import SITES
from ddoauth_kit.sandbox.sandbox_error import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.facts.sites import Site

HTTP_PORT = 80
_PUBLIC = re.compile(
    r"https?://(?P<host>(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)"
    r"(?P<path>(?:/(?:[a-z0-9._~@+-]|%[0-9a-f]{2})+)*/?)",
    re.ASCII | re.IGNORECASE,
)
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class PublicUrl:
    """The address where browsers reach the sandbox through a proxy."""

    url: str
    host: str
    prefix: str


def check_loopback(host: str) -> None:
    """Refuse to listen anywhere but on loopback, because the sandbox signs anyone in."""
    if host not in {"127.0.0.1", "::1", "localhost"}:
        raise SandboxError(f"host {host!r} is not a loopback address; use 127.0.0.1")


def read_public_url(url: str | None) -> PublicUrl | None:
    """Read the public URL: a scheme, a host, an optional port, and a path of plain segments.

    The sandbox writes this URL into cookies, links and redirects, so special characters are
    refused.
    """
    if url is None:
        return None
    found = _PUBLIC.fullmatch(url)
    segments = found["path"].split("/") if found else []
    if found is None or not {".", ".."}.isdisjoint(unquote(segment) for segment in segments):
        raise SandboxError(f"public URL {url[:200]!a} must look like https://host/path")
    return PublicUrl(
        url=url.rstrip("/"), host=found["host"].lower(), prefix=found["path"].rstrip("/")
    )


def local_hosts(port: int) -> frozenset[str]:
    """Return the `Host` headers that are accepted at a sandbox's own port."""
    hosts = [f"{name}:{port}" for name in LOCAL_NAMES]
    return frozenset([*hosts, *LOCAL_NAMES] if port == HTTP_PORT else hosts)


def make_endpoints(
    base_url: str, *, public: PublicUrl | None, sites: Mapping[str, Site] = SITES
) -> dict[str, dict[str, str]]:
    """Return each site's addresses; only the addresses of browser pages use the public URL."""
    pages = base_url if public is None else public.url
    return {
        name: {
            "domain": site.domain,
            "app_url": f"{pages}/{name}/app",
            "api_url": f"{base_url}/{name}/api",
            "logs_intake_url": f"{base_url}/{name}/logs",
            "events_intake_url": f"{base_url}/{name}/events",
        }
        for name, site in sites.items()
    }
