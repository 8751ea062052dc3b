"""Serve the two URLs that a client registers on loopback: the onboarding URL and redirect URI.

See RFC 8252 sections 7.3 and 8.3. The listener does not check redirects itself; `OAuthClient`
checks them in the same way as pasted ones. The listener only adds the browser's cookie as the
session.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Generic, Self
from urllib.parse import parse_qsl, urlsplit

from ddoauth_kit.errors import AuthorizationError, DdoauthError, InputError
from ddoauth_kit.oauth.callback import callback_pages as pages
from ddoauth_kit.oauth.callback.addresses import (
    CallbackUrls,
    free_address,
    proxied,
    proxy_origin,
    registered_address,
)
from ddoauth_kit.oauth.callback.attempts import Attempts, Start
from ddoauth_kit.oauth.callback.awaited_redirect import AwaitedRedirect, Result
from ddoauth_kit.oauth.callback.lasting_page import LastingPage
from ddoauth_kit.oauth.callback.loopback_server import Asked, LoopbackServer, Reply
from ddoauth_kit.oauth.redirect import Redirect, pasted_redirect, read_redirect
from ddoauth_kit.oauth.tokens import TokenSet
from ddoauth_kit.printable import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient

WAIT: Final = 300.0
START: Final = "/start/"
_LONGEST_NAME: Final = 80


class CallbackListener(Generic[Result]):
    """Serve the onboarding URL and redirect URI on this machine until one attempt has ended.

    Use it in a `with` statement: the port is open from the beginning of the block until `wait`
    returns or the block ends; after that, the browser shows a `LastingPage`. `finish` receives the
    checked redirect before the browser sees that the attempt succeeded: `oauth.exchange` turns it
    into tokens. The address is the registration's loopback redirect URI; if there are several,
    `redirect_uri` selects one. `register` is only for a client whose registration can change, such
    as the sandbox's: it is called with URLs on a free port. Without `onboarding`, only attempts
    that this program began with a link from `begin_url` or `start_url` end here, and nobody else
    can begin one. The same applies as soon as the first such link exists. `proxy_path` is the path
    under which Jupyter serves ports to browsers (`/user/abc/proxy/`). The listener learns the host
    only from the first browser that opens one of its links, and not from any other request.

    Raises:
        InputError: `no_loopback_redirect_uri`, or `port_not_opened` when the block is entered.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of the program that listens
        self,
        oauth: OAuthClient,
        *,
        finish: Callable[[AuthorizationResponse], Result],
        redirect_uri: str | None = None,
        register: Callable[[CallbackUrls], None] | None = None,
        proxy_path: str = "",
        onboarding: bool = True,
    ) -> None:
        self._oauth = oauth
        self._register = register
        self._proxy_path = proxy_path if register else ""
        self._address = (
            free_address()
            if register
            else registered_address(oauth.registration, redirect_uri=redirect_uri)
        )
        self._urls = self._address.urls
        self._serves_onboarding = onboarding
        self._attempts = Attempts(oauth)
        self._server: LoopbackServer | None = None
        self._answer = AwaitedRedirect(oauth, finish=finish)
        self._learning = threading.Lock()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def open(self) -> Self:
        """Open the port; do this before any browser is sent here.

        Raises:
            InputError: `port_not_opened`.
        """
        self._server = LoopbackServer(
            self._address.hosts,
            port=self._address.port,
            respond=self._respond,
            refuse=pages.refusal,
        )
        if self._register:
            self._address = free_address(self._server.port)
            self._urls = self._address.urls
            try:
                self._register(self._urls)
            except BaseException:
                self.close()
                raise
        return self

    @property
    def redirect_uri(self) -> str:
        """Return the redirect URI at which a browser reaches the listener."""
        return self._urls.redirect_uri

    @property
    def onboarding_url(self) -> str:
        """Return the onboarding URL for a browser; it accepts `domain` and `site`."""
        return self._urls.onboarding_url

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return warnings about the registered addresses, one sentence each."""
        return self._address.warnings

    def start_url(self, request: AuthorizationRequest) -> str:
        """Return a link that begins this program's own attempt (`ONE_PERSON`).

        The attempt is bound to the first browser that opens the link, and is released if it is
        still pending when the listener closes. From now on, nobody can begin another attempt at the
        onboarding URL.

        Raises:
            InputError: `unregistered_redirect_uri`, if the attempt does not end here.
        """
        if request.redirect_uri != self.redirect_uri:
            what = f"The attempt ends at {request.redirect_uri}, not at {self.redirect_uri}."
            raise InputError("unregistered_redirect_uri", what)
        return self._link(self._attempts.ticket(request))

    def begin_url(self, *, domain: str) -> str:
        """Return a link that begins this program's own attempt in the first browser that opens it.

        The attempt starts as if from the tile of an organization on that site. From now on, nobody
        can begin another attempt at the onboarding URL.
        """

        def begin(session: str) -> AuthorizationRequest:
            return self._oauth.begin(domain=domain, redirect_uri=self.redirect_uri, session=session)

        return self._link(self._attempts.ticket(Start(begin)))

    def link_to(self, url: str) -> str:
        """Return a link, for any browser, to a page on this machine such as the sandbox's.

        Behind a proxy, this link also tells the listener the browser's address; without a proxy, it
        is `url`.
        """
        return self._link(self._attempts.ticket(url)) if self._proxy_path else url

    def wait(self, timeout: float = WAIT) -> Result:
        """Wait, and return the result of `finish`; after `timeout` seconds, the wait ends for good.

        Raises:
            AuthorizationError: the customer denied consent, or the redirect was refused;
                `no_redirect_in_time`, `wait_cancelled`.
            TokenError, AnswerError, NetworkError: raised by `finish`.
        """
        try:
            if not self._answer.wait(timeout):
                what = self._too_late(timeout)
                self._answer.end(AuthorizationError("no_redirect_in_time", what))
        finally:
            self.close()
        return self._answer.outcome.result()

    def take(self, redirect: str | Redirect) -> None:
        """Accept a redirect that a person pasted, as if the browser had sent it to the listener.

        The waiting thread gets the result.

        Raises:
            AuthorizationError: the redirect does not belong to any of the listener's attempts, and
            the listener continues to wait.
        """
        if self._answer.outcome.done():
            return
        redirect = pasted_redirect(redirect)
        session = self._attempts.session_of(redirect)
        self._answer.take(redirect, session=session, spent=self._attempts.spent)
        self._answer.release()

    def cancel(self) -> None:
        """End the wait from any thread; the thread that waits gets `wait_cancelled`."""
        self.close()

    def close(self) -> None:
        """Close the port, and release pending attempts."""
        what = "The listener was closed before a redirect arrived."
        self._answer.end(AuthorizationError("wait_cancelled", what))
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._attempts.let_go()

    def _too_late(self, timeout: float) -> str:
        began = (
            "The browser was sent to the consent page, but did not come back."
            if self._attempts.begun
            else "No browser opened the link or the onboarding URL."
        )
        return f"No redirect arrived within {counted(f'{timeout:g}', 'second')}. {began}"

    def _link(self, ticket: str) -> str:
        origin = self._proxy_path or f"http://{self._address.name}:"
        return f"{origin}{self._address.port}{START}{ticket}"

    def _respond(self, asked: Asked) -> Reply:
        """Answer one request; only a redirect for one of this browser's attempts ends the wait."""
        try:
            serve, way = self._route(asked.path), self._way(asked)
            if way and serve == self._start:
                self._learn(way)
            if way not in {"", self._urls.proxy_url}:
                return pages.refusal(HTTPStatus.MISDIRECTED_REQUEST)
            if serve is None:
                return pages.refusal(HTTPStatus.NOT_FOUND)
            if _is_embedded(asked):
                return pages.refusal(HTTPStatus.FORBIDDEN)
            return serve(asked)
        except DdoauthError as error:
            return pages.error_page(error, waits=True)

    def _route(self, path: str) -> Callable[[Asked], Reply] | None:
        if path == self._address.callback_path:
            return self._callback
        if self._attempts.has(path.removeprefix(START)):
            return self._start
        is_open = self._serves_onboarding and not self._attempts.has_own
        return self._onboarding if is_open and path == self._address.onboarding_path else None

    def _way(self, asked: Asked) -> str | None:
        """Return the address of the proxy that a request came through, or "" without a proxy.

        Return None if the name is not the listener's, such as a rebound DNS name.
        """
        if asked.headers["host"].lower() in self._address.host_headers:
            return ""
        origin = proxy_origin(asked.headers)
        if origin is None or asked.headers.get("x-forwarded-prefix") != self._prefix:
            return None
        return f"{origin}{self._proxy_path}"

    @property
    def _prefix(self) -> str:
        return f"{self._proxy_path}{self._address.port}" if self._proxy_path else ""

    def _learn(self, proxy_url: str) -> None:
        """Set the proxy's address once and for all, and register the URLs behind it."""
        own = self._address.urls
        urls = CallbackUrls(
            proxied(own.redirect_uri, proxy_url), proxied(own.onboarding_url, proxy_url), proxy_url
        )
        with self._learning:
            if self._register and not self._urls.proxy_url:
                self._register(urls)
                self._urls = urls

    def _start(self, asked: Asked) -> Reply:
        """Begin a link's attempt, or redirect to its page."""
        target = self._attempts.target(asked.path.removeprefix(START))
        if self._answer.outcome.done():
            return pages.answered_page()
        if isinstance(target, str):
            return pages.send_on(proxied(target, self._urls.proxy_url))
        session, cookie = self._session(asked)
        if self._attempts.too_many(session):
            return pages.refusal(HTTPStatus.TOO_MANY_REQUESTS)
        try:
            if isinstance(target, Start):
                target = self._attempts.start(target, session=session)
            else:
                self._attempts.adopt(target, session=session)
        except AuthorizationError as error:
            if error.code != "wrong_state":
                raise
            return pages.taken_page()
        return pages.send_on(proxied(target.url, self._urls.proxy_url), *cookie)

    def _onboarding(self, asked: Asked) -> Reply:
        """Begin an attempt for the `domain` and `site` that arrived; others stay pending."""
        belongs = self._where_it_belongs(asked)
        if belongs:
            return pages.send_on(belongs)
        if self._answer.outcome.done():
            return pages.answered_page()
        arrived = _arrived(asked.query)
        session, cookie = self._session(asked)
        if self._attempts.too_many(session):
            return pages.refusal(HTTPStatus.TOO_MANY_REQUESTS)
        request = self._oauth.begin(
            domain=arrived.get("domain", ""),
            site_url=arrived.get("site", ""),
            redirect_uri=self.redirect_uri,
            session=session,
        )
        self._attempts.note(request, session=session)
        return pages.send_on(proxied(request.url, self._urls.proxy_url), *cookie)

    def _where_it_belongs(self, asked: Asked) -> str:
        """Return the address with the redirect URI's host name, if the request used another one.

        A browser would not send a cookie for `localhost` to 127.0.0.1.
        """
        if asked.headers["host"].lower() == urlsplit(self.redirect_uri).netloc.lower():
            return ""
        netloc = urlsplit(self._address.urls.redirect_uri).netloc
        url = f"http://{netloc}{asked.path}?{asked.query}"
        return proxied(url, self._urls.proxy_url)

    def _callback(self, asked: Asked) -> Reply:
        """Check and finish redirects, one at a time, until one succeeds."""
        redirect = read_redirect(f"?{asked.query}")
        session = self._attempts.session(asked.headers.get("cookie", "")) or "no session"
        if not self._answer.take(redirect, session=session, spent=self._attempts.spent):
            return pages.answered_page()
        if self._answer.outcome.exception() is None and _is_browser(asked):
            return self._lasting_page()
        return self._page()

    def _lasting_page(self) -> Reply:
        """Redirect to the page about the outcome; the wait ends once the browser has loaded it."""
        page = pages.success_page(self._answered(), lasts=True)
        try:
            lasting = LastingPage(page, hosts=self._address.hosts, seen=self._answer.release)
        except InputError:
            return self._page()
        url = f"http://{self._address.name}:{lasting.port}{lasting.path}"
        return pages.send_on(proxied(url, self._urls.proxy_url))

    def _answered(self) -> dict[str, str]:
        return _facts(self._answer.response, self._answer.outcome.result())

    def _page(self) -> Reply:
        """Return the page about the outcome; the wait ends once it is sent."""
        error = self._answer.outcome.exception()
        if error is None:
            reply = pages.success_page(self._answered())
        elif isinstance(error, DdoauthError):
            reply = pages.error_page(error, waits=False)
        else:
            reply = pages.unexpected_page()
        return replace(reply, then=self._answer.release)

    def _session(self, asked: Asked) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return this browser's session and, for a new session, the header that sets its cookie."""
        known = self._attempts.session(asked.headers.get("cookie", ""))
        if known:
            return known, ()
        path = f"{self._prefix}/" if self._urls.proxy_url else "/"
        secure = "; Secure" if self._urls.proxy_url.startswith("https:") else ""
        session = self._attempts.new_session()
        cookie = f"{self._attempts.cookie}={session}; Path={path}; HttpOnly; SameSite=Lax{secure}"
        return session, (("Set-Cookie", cookie),)


def _facts(response: AuthorizationResponse | None, result: object) -> dict[str, str]:
    """Say which organization consented, on which site, and to what; its name is in the redirect."""
    if response is None:
        return {}
    named = response.dd_org_name or response.dd_oid
    facts = {
        "Organization, as the redirect names it": one_line(named[:_LONGEST_NAME]) or "not named",
        "Site": f"{response.site.name} ({response.site.domain})",
    }
    if not isinstance(result, TokenSet):
        return facts
    scopes = result.scopes
    facts[f"Granted scopes ({len(scopes.granted)})"] = ", ".join(scopes.granted) or "none"
    if scopes.withheld:
        facts["Requested, but not granted"] = ", ".join(scopes.withheld)
    return facts


def _is_browser(asked: Asked) -> bool:
    """Return whether this came from a browser window: windows follow redirects and can reload."""
    return asked.headers.get("sec-fetch-mode") == "navigate"


def _is_embedded(asked: Asked) -> bool:
    """Return whether this came from a frame, an image or a prefetch, not a browser window."""
    purpose = asked.headers.get("sec-purpose", "") + asked.headers.get("purpose", "")
    return asked.headers.get("sec-fetch-dest", "document") != "document" or "fetch" in purpose


def _arrived(query: str) -> dict[str, str]:
    """Return an onboarding request's parameters, each of which may occur only once."""
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=50
        )
    except ValueError:
        raise AuthorizationError(
            "not_a_redirect", "The query of the onboarding URL can't be read."
        ) from None
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        what = "The onboarding URL contains a parameter more than once."
        raise AuthorizationError("duplicate_parameter", what)
    return dict(pairs)
