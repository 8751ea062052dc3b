"""Store and send cookies by Chromium's rules, so a graded server sees what a browser would send."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SameSite = Literal["strict", "lax", "none", ""]
# Until this age, Chromium sends a cookie without SameSite with a cross-site POST.
LAX_AND_POST_SECONDS: Final = 120.0
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie; `same_site` is empty if the server did not set it."""

    name: str
    value: str
    host: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: SameSite
    expires: float | None
    created: float

    @property
    def slot(self) -> tuple[str, str, bool, str]:
        """Return the values that a newer cookie must have in common to replace this one."""
        return (self.name, self.host, self.host_only, self.path)


class CookieJar:
    """The cookies of one browser; `now` returns seconds since 1970."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._cookies: dict[tuple[str, str, bool, str], Cookie] = {}

    def take(self, header: str, *, url: str) -> None:
        """Store the cookie in a `Set-Cookie` header from `url`, or ignore it.

        The response to a top-level navigation may set a cookie with any SameSite value, even after
        a cross-site redirect.
        """
        cookie = read_set_cookie(header, url=url, now=self._now())
        if cookie is None:
            return
        if cookie.expires is not None and cookie.expires <= self._now():
            self._cookies.pop(cookie.slot, None)
            return
        before = self._cookies.get(cookie.slot)
        self._cookies[cookie.slot] = (
            cookie if before is None else replace(cookie, created=before.created)
        )

    def header(self, url: str, *, method: str = "GET", initiator: str | None = None) -> str:
        """Return the `Cookie` header for a top-level navigation, or an empty string.

        `initiator` is the page whose link or form began the navigation. If there is none, the
        person typed the address, which counts as same-site.
        """
        here = urlsplit(url)
        same = initiator is None or site_of(initiator) == site_of(url)
        found = [
            cookie
            for cookie in self._cookies.values()
            if self._travels(cookie, host=here.hostname or "", url=url)
            and (same or self._crosses(cookie, method=method))
        ]
        found.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in found)

    def __iter__(self) -> Iterator[Cookie]:
        return iter(tuple(self._cookies.values()))

    def _travels(self, cookie: Cookie, *, host: str, url: str) -> bool:
        if cookie.expires is not None and cookie.expires <= self._now():
            return False
        fits = host == cookie.host or (
            not cookie.host_only and not _is_address(host) and host.endswith(f".{cookie.host}")
        )
        secure = not cookie.secure or is_trustworthy(url)
        return fits and secure and _path_fits(urlsplit(url).path or "/", cookie.path)

    def _crosses(self, cookie: Cookie, *, method: str) -> bool:
        """Return whether a navigation started by another site includes the cookie."""
        if cookie.same_site == "none":
            return True
        if cookie.same_site == "strict":
            return False
        young = self._now() - cookie.created < LAX_AND_POST_SECONDS
        return method in _SAFE or (cookie.same_site == "" and young)


def read_set_cookie(header: str, *, url: str, now: float) -> Cookie | None:
    """Read one `Set-Cookie` header as a browser does; return None if the cookie must be refused."""
    first, *rest = header.split(";")
    name, equals, value = first.partition("=")
    name, value = (name.strip(), value.strip()) if equals else ("", first.strip())
    given = {key.strip().lower(): text.strip() for key, _, text in (p.partition("=") for p in rest)}
    host = urlsplit(url).hostname or ""
    scope = _scope(given.get("domain", ""), host=host)
    if scope is None or not (name or value):
        return None
    path = given.get("path", "")
    asked = given.get("samesite", "").lower()
    cookie = Cookie(
        name=name,
        value=value,
        host=scope[0],
        host_only=scope[1],
        path=path if path.startswith("/") else _default_path(url),
        secure="secure" in given,
        http_only="httponly" in given,
        same_site=asked if asked in ("strict", "lax", "none") else "",  # type: ignore[arg-type]
        expires=_expiry(given, now=now),
        created=now,
    )
    return cookie if _allowed(cookie, url=url, domain=given.get("domain", "")) else None


def site_of(url: str) -> tuple[str, str]:
    """Return the scheme and registrable domain, which together identify a site."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = host if _is_address(host) else ".".join(host.split(".")[-2:])
    return parts.scheme, name


def is_trustworthy(url: str) -> bool:
    """Return whether Chromium treats an address as secure: https, or on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address refers to this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _is_address(host) and ip_address(host.strip("[]")).is_loopback


def _allowed(cookie: Cookie, *, url: str, domain: str) -> bool:
    if cookie.secure and not is_trustworthy(url):
        return False
    if cookie.same_site == "none" and not cookie.secure:
        return False
    prefix = cookie.name.lower()
    if prefix.startswith("__secure-"):
        return cookie.secure
    if prefix.startswith("__host-"):
        return cookie.secure and not domain and cookie.path == "/"
    return True


def _scope(domain: str, *, host: str) -> tuple[str, bool] | None:
    """Return the cookie's host and whether only that host gets it, or None if it is refused."""
    wanted = domain.lower().removeprefix(".")
    if not wanted:
        return host, True
    if _is_address(host) or "." not in host:
        return (host, True) if wanted == host else None
    if "." not in wanted or not (host == wanted or host.endswith(f".{wanted}")):
        return None
    return wanted, False


def _expiry(given: dict[str, str], *, now: float) -> float | None:
    age = given.get("max-age", "")
    if age.removeprefix("-").isdigit():
        return now + int(age) if int(age) > 0 else 0.0
    if not given.get("expires"):
        return None
    try:
        return parsedate_to_datetime(given["expires"]).timestamp()
    except (ValueError, OverflowError):
        return None


def _default_path(url: str) -> str:
    path = urlsplit(url).path
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _path_fits(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(wanted if wanted.endswith("/") else f"{wanted}/")


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
