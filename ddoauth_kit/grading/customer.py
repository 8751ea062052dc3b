"""Act as the customer's browser: follow redirects, handle cookies like Chromium, and record both.

This module imports httpx directly, as the sender does, because a browser stores cookies and can
visit any host. None of the kit's secrets ever reach it.
"""

from __future__ import annotations

import ssl
import time
import weakref
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from ddoauth_kit.grading.cookie_jar import CookieJar, is_loopback, site_of
from ddoauth_kit.grading.html_page import HtmlPage, read_html
from ddoauth_kit.http.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddoauth_kit.grading.html_page import PageForm

REDIRECTS: Final = 20
PAGE_BYTES: Final = 2_000_000
SECONDS: Final = 15.0
WAITS: Final = 5
_LONGEST_WAIT: Final = 20.0
_TOO_MANY: Final = 429
_AGENT: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 ddoauth-grade"
)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class VisitedAddress:
    """One of the browser's requests: the URL in the address bar, and the response's status."""

    method: str
    url: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """The page where a navigation ended.

    `stopped_at` is the address where the caller wanted the browser to stop. If no page arrived,
    `failure` is `unreachable`, `timeout`, `circle` or `broken`; otherwise it is empty. `steps`
    lists all requests of the navigation, including the last one.
    """

    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = field(default="", repr=False)
    html: HtmlPage = field(default_factory=HtmlPage, repr=False)
    steps: tuple[VisitedAddress, ...] = ()
    stopped_at: str = ""
    failure: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Navigation:
    method: str
    url: str
    body: bytes | None = None
    content_type: str = ""


class CustomerBrowser:
    """Browses the server under test directly, and Datadog's pages through the front.

    `proxy` is the front's address and `ca` is its certificate as PEM. The browser connects to this
    machine directly and doesn't check its https certificates, because developers' self-signed
    certificates would fail the check. If a page on this machine responds with 429, the browser
    waits for the time in `Retry-After` and retries a few times; it calls `limited` before each
    wait.
    """

    def __init__(
        self,
        *,
        proxy: str | None = None,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        headers: Mapping[str, str] | None = None,
        limited: Callable[[], None] = lambda: None,
    ) -> None:
        self._limited = limited
        self.jar = CookieJar()
        self.visited: list[VisitedAddress] = []
        self.pages: list[SeenPage] = []
        self._headers = dict(headers or {})
        self._seconds = seconds
        self._away = httpx.Client(
            verify=trust or False, proxy=proxy, trust_env=False, timeout=seconds
        )
        self._here = httpx.Client(verify=_unchecked(), trust_env=False, timeout=seconds)
        for client in (self._away, self._here):
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        weakref.finalize(self, _close, self._away, self._here)

    def close(self) -> None:
        """Close the connections, but keep cookies and records."""
        _close(self._away, self._here)

    def open(
        self,
        url: str,
        *,
        initiator: str | None = None,
        until: Callable[[str], bool] | None = None,
    ) -> SeenPage:
        """Open an address and follow redirects, but stop before any address that `until` accepts.

        `initiator` is the page that contains the link; without it, the person typed the address.
        """
        return self._go(_Navigation("GET", url), initiator=initiator, until=until)

    def send(
        self,
        form: PageForm,
        *,
        page: str,
        button: tuple[str, str] | None = None,
        changes: Mapping[str, str] | None = None,
        until: Callable[[str], bool] | None = None,
    ) -> SeenPage:
        """Change some fields of a form on `page`, and submit it with one of its buttons."""
        changed = dict(changes or {})
        pairs = [(name, changed.pop(name, value)) for name, value in form.fields]
        pairs += list(changed.items())
        pairs += [button] if button and button[0] else []
        if form.method == "GET":
            bare = form.url.partition("?")[0]
            return self.open(f"{bare}?{urlencode(pairs)}", initiator=page, until=until)
        return self.post(form.url, pairs, initiator=page, until=until)

    def post(
        self,
        url: str,
        pairs: Sequence[tuple[str, str]],
        *,
        initiator: str | None = None,
        until: Callable[[str], bool] | None = None,
    ) -> SeenPage:
        """Post fields to an address as a form would."""
        kind = "application/x-www-form-urlencoded"
        asked = _Navigation("POST", url, urlencode(pairs).encode(), kind)
        return self._go(asked, initiator=initiator, until=until)

    def request(self, method: str, url: str, *, content_type: str = "", body: str = "") -> SeenPage:
        """Make any request as if from a page on the same site, and follow its redirects."""
        asked = _Navigation(method, url, body.encode() if body else None, content_type)
        return self._go(asked, initiator=url, until=None, waits=0)

    def _go(
        self,
        asked: _Navigation,
        *,
        initiator: str | None,
        until: Callable[[str], bool] | None,
        waits: int = WAITS,
    ) -> SeenPage:
        began = time.monotonic()
        steps: list[VisitedAddress] = []
        page = SeenPage(url=asked.url, failure="circle")
        for _ in range(REDIRECTS + 1):
            page = self._fetch(asked, initiator=initiator, deadline=began + self._seconds)
            while waits and (pause := _pause(page)):
                waits -= 1
                self._limited()
                time.sleep(pause)
                deadline = time.monotonic() + self._seconds
                page = self._fetch(asked, initiator=initiator, deadline=deadline)
            steps.append(VisitedAddress(asked.method, page.url, page.status))
            following = _following(asked, page)
            if following is None:
                break
            if until is not None and until(following.url):
                page = replace(page, stopped_at=following.url)
                break
            if page.status not in _REDIRECTS:
                initiator = page.url  # a meta refresh starts a new navigation
            asked = following
        else:
            page = replace(page, failure="circle")
        self.visited += steps
        page = replace(page, steps=tuple(steps), seconds=time.monotonic() - began)
        self.pages.append(page)
        return page

    def _fetch(self, asked: _Navigation, *, initiator: str | None, deadline: float) -> SeenPage:
        client = self._here if is_loopback(urlsplit(asked.url).hostname or "") else self._away
        try:
            request = client.build_request(
                asked.method,
                asked.url,
                content=asked.body,
                headers=self._request_headers(asked, initiator=initiator),
            )
            with quiet():
                answer = client.send(request, stream=True)
                try:
                    content = _read(answer, deadline=deadline)
                finally:
                    answer.close()
        except httpx.TimeoutException:
            return SeenPage(url=asked.url, failure="timeout")
        except httpx.ConnectError:
            return SeenPage(url=asked.url, failure="unreachable")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return SeenPage(url=asked.url, failure="broken")
        for header in answer.headers.get_list("set-cookie"):
            self.jar.take(header, url=asked.url)
        return _page(asked, answer, content)

    def _request_headers(self, asked: _Navigation, *, initiator: str | None) -> dict[str, str]:
        headers = {
            "User-Agent": _AGENT,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "en-US,en;q=0.9",
            "Upgrade-Insecure-Requests": "1",
            "Sec-Fetch-Dest": "document",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-User": "?1",
            "Sec-Fetch-Site": _relation(asked.url, initiator=initiator),
        }
        if asked.content_type:
            headers["Content-Type"] = asked.content_type
        if initiator is not None:
            headers["Referer"] = _referer(asked.url, initiator=initiator)
            if asked.method not in {"GET", "HEAD"}:
                headers["Origin"] = _origin(initiator)
        cookies = self.jar.header(asked.url, method=asked.method, initiator=initiator)
        if cookies:
            headers["Cookie"] = cookies
        if is_loopback(urlsplit(asked.url).hostname or ""):
            headers |= self._headers
        return headers


def trust_of(certificate: bytes) -> ssl.SSLContext:
    """Return a TLS client context that trusts both the front and the system's authorities."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=certificate.decode())
    return context


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _close(*clients: httpx.Client) -> None:
    for client in clients:
        client.close()


def _read(answer: httpx.Response, *, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > PAGE_BYTES:
            break
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the page did not load in time")
    return b"".join(parts)


def _page(asked: _Navigation, answer: httpx.Response, content: bytes) -> SeenPage:
    text = content.decode(answer.encoding or "utf-8", errors="replace")
    is_html = "html" in answer.headers.get("content-type", "") or text.lstrip()[:1] == "<"
    return SeenPage(
        url=asked.url,
        status=answer.status_code,
        headers=dict(answer.headers),
        body=text,
        html=read_html(text, url=asked.url) if is_html else HtmlPage(text=text),
    )


def _following(asked: _Navigation, page: SeenPage) -> _Navigation | None:
    if page.status in _REDIRECTS and page.headers.get("location"):
        url = urljoin(page.url, page.headers["location"])
        if "#" not in url and "#" in page.url:
            url += page.url[page.url.index("#") :]
        if page.status in _KEEP_METHOD:
            return replace(asked, url=url)
        return _Navigation("GET", url)
    if page.html.refresh and page.html.refresh != page.url:
        return _Navigation("GET", page.html.refresh)
    return None


def _pause(page: SeenPage) -> float:
    """Return how many seconds a rate-limit response asks the client to wait, or 0."""
    if page.status != _TOO_MANY or not is_loopback(urlsplit(page.url).hostname or ""):
        return 0.0
    named = page.headers.get("retry-after") or page.headers.get("ratelimit-reset") or "1"
    seconds = float(named) if named.strip().isdecimal() else _LONGEST_WAIT + 1
    return max(seconds, 0.5) if seconds <= _LONGEST_WAIT else 0.0


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _referer(url: str, *, initiator: str) -> str:
    same = _origin(url) == _origin(initiator)
    return initiator.partition("#")[0] if same else f"{_origin(initiator)}/"


def _relation(url: str, *, initiator: str | None) -> str:
    if initiator is None:
        return "none"
    if _origin(url) == _origin(initiator):
        return "same-origin"
    return "same-site" if site_of(url) == site_of(initiator) else "cross-site"
