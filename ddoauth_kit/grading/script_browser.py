"""Open a server's pages in Chromium, with Playwright, if the flow needs JavaScript.

Datadog's pages don't need scripts, so the scripted HTTP browser handles those.
"""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ddoauth_kit.grading.cookie_jar import is_loopback
from ddoauth_kit.grading.customer import CustomerBrowser, SeenPage, VisitedAddress
from ddoauth_kit.grading.front.chromium import PROGRAMS
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.html_page import HtmlPage, read_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.grading.cookie_jar import Cookie, CookieJar

_CLICKED: Final = (
    "button, [role=button], [onclick], a:not([href]), a[href^='#'], a[href^='javascript:']"
)
_CLICK_SECONDS: Final = 5.0
_TICK_MS: Final = 50
_QUIET_MS: Final = 3000.0
_FAILURES: Final = (
    ("ERR_CONNECTION_REFUSED", "unreachable"),
    ("ERR_TOO_MANY_REDIRECTS", "circle"),
    ("Timeout", "timeout"),
)


class Chromium:
    """One Chromium for a whole grading run, with fresh cookies for each page.

    Playwright's objects belong to the thread that created them. Scenarios run side by side, so one
    thread drives Chromium for all of them. `proxy` is the front's address, so the front sees
    requests to other hosts.

    Raises:
        FrontError: `no_playwright`.
    """

    def __init__(self, *, proxy: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        try:
            self._playwright, self._browser = self._thread.submit(_launched, proxy).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def visit(self, visit: _Visit, jar: CookieJar) -> SeenPage:
        """Open an address with the jar's cookies, and store new cookies in the jar."""
        return self._thread.submit(visit.made, self._browser, jar).result()

    def close(self) -> None:
        """Stop Chromium."""
        self._thread.submit(self._browser.close).result()
        self._thread.submit(self._playwright.stop).result()
        self._thread.shutdown()


class ScriptBrowser(CustomerBrowser):
    """A customer whose browser runs the scripts on the server's own pages."""

    def __init__(self, chromium: Chromium, **options: Any) -> None:  # noqa: ANN401 - the base's
        super().__init__(**options)
        self._chromium = chromium

    def open(
        self,
        url: str,
        *,
        initiator: str | None = None,
        until: Callable[[str], bool] | None = None,
    ) -> SeenPage:
        """Open the server's addresses in Chromium, and all others as the base class does."""
        if not is_loopback(urlsplit(url).hostname or ""):
            return super().open(url, initiator=initiator, until=until)
        visit = _Visit(url, initiator=initiator, until=until, seconds=self._seconds)
        page = self._chromium.visit(visit, self.jar)
        self.visited += page.steps
        self.pages.append(page)
        return page


@dataclass(kw_only=True)
class _Seen:
    """The requests from one visit's windows; `stopped_at` is where the visit stopped."""

    answers: list[Any] = field(default_factory=list)
    stopped_at: str = ""
    failure: str = ""

    @property
    def steps(self) -> tuple[VisitedAddress, ...]:
        found = ((answer.request.method, answer.url, answer.status) for answer in self.answers)
        return tuple(VisitedAddress(*each) for each in found)


class _Visit:
    """One navigation, in Chromium's own thread."""

    def __init__(
        self,
        url: str,
        *,
        initiator: str | None,
        until: Callable[[str], bool] | None,
        seconds: float,
    ) -> None:
        self._url = url
        self._initiator = initiator
        self._until = until or (lambda _: False)
        self._clicks = until is not None
        self._seconds = seconds

    def made(self, browser: Any, jar: CookieJar) -> SeenPage:  # noqa: ANN401 - Playwright's
        """Open a window, let its scripts run, and return the resulting page."""
        began = time.monotonic()
        context = browser.new_context(ignore_https_errors=True)
        try:
            context.set_default_timeout(self._seconds * 1000)
            context.add_cookies([_given(cookie) for cookie in jar])
            seen = self._watched(context)
            window = context.new_page()
            self._go(window, seen)
            if self._clicks and not seen.stopped_at and not seen.failure:
                self._click(window, seen)
            page = self._page(window, seen, seconds=time.monotonic() - began)
            _take(jar, context.cookies())
        finally:
            context.close()
        return page

    def _watched(self, context: Any) -> _Seen:  # noqa: ANN401 - Playwright's
        """Watch all navigations in all windows, and stop the expected one."""
        seen = _Seen()

        def asked(request: Any) -> None:  # noqa: ANN401 - Playwright's
            # Redirects are seen here; navigations from scripts and links are stopped below.
            if request.is_navigation_request() and self._until(request.url):
                seen.stopped_at = seen.stopped_at or request.url

        def answered(response: Any) -> None:  # noqa: ANN401 - Playwright's
            if response.request.is_navigation_request() and response.url != self._initiator:
                seen.answers.append(response)

        context.on("request", asked)
        context.on("response", answered)
        context.route(self._until, lambda route: route.abort())
        return seen

    def _go(self, window: Any, seen: _Seen) -> None:  # noqa: ANN401 - Playwright's
        from playwright.sync_api import Error

        try:
            if self._initiator:
                self._follow(window)
            else:
                window.goto(self._url)
            if not seen.stopped_at and window.evaluate("document.scripts.length"):
                with suppress(Error):  # a page that polls is never quiet
                    window.wait_for_load_state("networkidle", timeout=_QUIET_MS)
        except Error as error:
            named = (name for words, name in _FAILURES if words in error.message)
            # A script that navigates at once interrupts its own page.
            self._wait(window, seen)
            if not seen.stopped_at and (not seen.answers or "Timeout" in error.message):
                seen.failure = next(named, "broken")

    def _follow(self, window: Any) -> None:  # noqa: ANN401 - Playwright's
        """Click a link on the initiator's page, so that the right cookies are sent."""
        initiator = self._initiator or ""
        link = f'<a id="go" href="{escape(self._url)}">go</a>'
        window.route(
            lambda url: url == initiator,
            lambda route: route.fulfill(content_type="text/html", body=link),
        )
        window.goto(initiator)
        with window.expect_navigation():
            window.click("#go")

    def _click(self, window: Any, seen: _Seen) -> None:  # noqa: ANN401 - Playwright's
        """Click the element that mentions Datadog, or the only clickable one."""
        from playwright.sync_api import Error

        with suppress(Error):
            able = window.locator(_CLICKED)
            named = able.filter(has_text="Datadog")
            chosen = named if named.count() else able
            if named.count() or able.count() == 1:
                chosen.first.click(no_wait_after=True)
                self._wait(window, seen)

    def _wait(self, window: Any, seen: _Seen) -> None:  # noqa: ANN401 - Playwright's
        from playwright.sync_api import Error

        until = time.monotonic() + min(_CLICK_SECONDS, self._seconds)
        with suppress(Error):
            while self._clicks and not seen.stopped_at and time.monotonic() < until:
                window.wait_for_timeout(_TICK_MS)

    def _page(self, window: Any, seen: _Seen, *, seconds: float) -> SeenPage:  # noqa: ANN401
        if seen.failure or not seen.answers:
            return SeenPage(
                url=self._url, failure=seen.failure, stopped_at=seen.stopped_at, seconds=seconds
            )
        last = seen.answers[-1]
        headers = {name.lower(): value for name, value in last.headers.items()}
        is_html = "html" in headers.get("content-type", "")
        body = ""
        with suppress(Exception):  # a redirect has no body, and a window that navigates has lost it
            body = window.content() if is_html else last.text()
        return SeenPage(
            url=last.url if seen.stopped_at else window.url,
            status=last.status,
            headers=headers,
            body=body,
            html=read_html(body, url=window.url) if is_html else HtmlPage(text=body),
            steps=seen.steps,
            stopped_at=seen.stopped_at,
            seconds=seconds,
        )


def _launched(proxy: str) -> tuple[Any, Any]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise FrontError(
            "no_playwright",
            "--browser needs Playwright, which is not installed: pip install playwright. Or name "
            "an address in [start] that redirects to Datadog, and leave --browser out.",
        ) from None
    playwright = sync_playwright().start()
    try:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, PROGRAMS)), None),
            # Chromium refuses to run its sandbox as root.
            args=["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else [],
            proxy={"server": proxy, "bypass": "localhost,127.0.0.1,[::1]"},
        )
    except Error as error:
        playwright.stop()
        raise FrontError(
            "no_playwright",
            f"--browser needs Chromium, and it does not start ({error.message.splitlines()[0]}). "
            "Install it: playwright install chromium.",
        ) from None
    return playwright, browser


def _given(cookie: Cookie) -> dict[str, object]:
    """Convert a cookie to Playwright's format, where a leading dot includes subdomains."""
    given: dict[str, object] = {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.host if cookie.host_only else f".{cookie.host}",
        "path": cookie.path,
        "secure": cookie.secure,
        "httpOnly": cookie.http_only,
    }
    if cookie.same_site:
        given["sameSite"] = cookie.same_site.capitalize()
    return given if cookie.expires is None else {**given, "expires": cookie.expires}


def _take(jar: CookieJar, cookies: Iterable[dict[str, Any]]) -> None:
    """Copy Chromium's cookies to the jar, and remove those that Chromium has dropped."""
    known = {(c.name, c.host, c.path): c.value for c in jar}
    found = {(c["name"], c["domain"].lstrip("."), c["path"]): c for c in cookies}
    for name, host, path in known.keys() - found.keys():
        jar.take(f"{name}=; Path={path}; Max-Age=0", url=f"https://{host}/")
    for slot, cookie in found.items():
        if known.get(slot) == cookie["value"]:
            continue
        host = cookie["domain"].lstrip(".")
        parts = [f"{cookie['name']}={cookie['value']}", f"Path={cookie['path']}"]
        parts += [f"Domain={host}"] if cookie["domain"].startswith(".") else []
        parts += [
            name for name, key in (("Secure", "secure"), ("HttpOnly", "httpOnly")) if cookie[key]
        ]
        parts += [f"SameSite={cookie['sameSite']}"] if cookie.get("sameSite") else []
        if cookie["expires"] > 0:
            parts.append(f"Max-Age={max(0, int(cookie['expires'] - time.time()))}")
        jar.take("; ".join(parts), url=f"https://{host}/")
