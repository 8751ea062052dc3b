"""Turn a transported request into a response: host check, site, faults, handler, journal."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.clock import http_date
from ddoauth_kit.sandbox.facts.sites import EVERY_SITE, ROLES
from ddoauth_kit.sandbox.http.messages import Incoming, json_answer, read_pairs
from ddoauth_kit.sandbox.http.refusals import Refusal, answer_refusal, api_refusal, page_refusal
from ddoauth_kit.sandbox.pages.customer_pages import index_page
from ddoauth_kit.sandbox.server.attribution import attribute
from ddoauth_kit.sandbox.server.control import CONTROL_PATH, NONCE_HEADER
from ddoauth_kit.sandbox.server.foreign_pages import check_page
from ddoauth_kit.sandbox.server.journal import Journal
from ddoauth_kit.sandbox.server.observation import FRONT_HEADER, asked_host, masked, observe
from ddoauth_kit.sandbox.server.reasons import told
from ddoauth_kit.sandbox.server.router import TOKEN_PATHS, not_found, route_request
from ddoauth_kit.sandbox.server.transport_faults import instead_of_answer, spoil_answer

if TYPE_CHECKING:
    import threading

    from starlette.requests import Request

    from ddoauth_kit.sandbox.http.hosts import PublicUrl
    from ddoauth_kit.sandbox.http.messages import Answer
    from ddoauth_kit.sandbox.server.control import Control
    from ddoauth_kit.sandbox.server.control_interface import ControlInterface
    from ddoauth_kit.sandbox.server.live_view import LiveView
    from ddoauth_kit.sandbox.state.state import Twin

LOG = logging.getLogger("ddoauth_kit.sandbox")
SKEW_SECONDS = 3600.0


class Dispatcher:
    """Answers the requests to one sandbox, one at a time."""

    def __init__(self, twin: Twin, *, lock: threading.RLock, public: PublicUrl | None) -> None:
        self._twin = twin
        self._lock = lock
        self._public = public
        self._hosts: frozenset[str] = frozenset()
        self._control: Control | None = None
        self._interface: ControlInterface | None = None
        self._live: LiveView | None = None
        self.journal = Journal()

    def serve_hosts(self, hosts: frozenset[str]) -> None:
        """Accept requests for these hosts and the public one from now on."""
        self._hosts = hosts | ({self._public.host} if self._public else set())

    def show_at(self, public: PublicUrl) -> None:
        """Accept requests for another public host, with cookies for its prefix."""
        self._hosts |= {public.host}
        if public.prefix not in self._twin.prefixes:
            self._twin.prefixes += (public.prefix,)

    def admit(self, control: Control) -> None:
        """Let programs that have a key share this sandbox."""
        self._control = control

    def obey(self, interface: ControlInterface) -> None:
        """Let programs that have the control key change this sandbox and read its journal."""
        self._interface = interface

    def show_live(self, view: LiveView) -> None:
        """Show the journal to browsers that the live view has admitted."""
        self._live = view

    def respond(self, request: Request, *, body: bytes | None) -> Answer:
        """Return the response to one request; an error in the sandbox itself becomes a 500."""
        with self._lock:
            self._twin.handling.begin()
            self._twin.clock.tick()
            try:
                answer = self._answer(request, body=body)
            except Refusal as refusal:
                self._note(request, status=refusal.status, refusal=refusal)
                answer = answer_refusal(refusal, profile=self._twin.profile)
            except Exception:
                LOG.exception("the sandbox failed to answer")
                answer = json_answer(500, {"errors": ["The sandbox has a bug."]})
            clock = self._twin.clock
            date = clock.now() + timedelta(seconds=clock.ahead)
            clock.ahead = 0.0
            dated = answer.with_headers(("Date", http_date(date)))
            latency = self._twin.latency
            return replace(dated, delay=dated.delay + latency) if latency else dated

    def handle(self, incoming: Incoming, *, too_large: bool = False) -> Answer:
        """Answer a request to a known host and record it; the caller holds the lock."""
        twin, refused, at = self._twin, None, time.time()
        twin.handling.begin()
        attribute(twin, incoming)
        try:
            answer = self._handled(incoming, too_large=too_large)
        except Refusal as refusal:
            refused = refusal
            answer = answer_refusal(refusal, profile=twin.profile)
        if self._is_back_channel(incoming):
            answer = spoil_answer(answer, faults=twin.faults)
        self._write(incoming, at=at, status=answer.status, refused=refused)
        return answer

    def _answer(self, request: Request, *, body: bytes | None) -> Answer:
        self._check_host(request)
        path = request.scope["path"]
        site, role, rest = _split(path)
        check_page(request.method, request.headers, form=role == "app", hosts=self._hosts)
        if site not in EVERY_SITE and FRONT_HEADER not in request.headers:
            own = self._own_answer(request, path=path, body=body or b"")
            if own is not None:
                return own
        if site not in EVERY_SITE or role not in ROLES:
            raise not_found("app")
        incoming = Incoming(
            method=request.method,
            site=EVERY_SITE[site],
            role=role,
            path=rest,
            query=read_pairs(request.scope["query_string"]),
            headers=_headers_of(request),
            cookies=request.cookies,
            body=body or b"",
        )
        return self.handle(incoming, too_large=body is None)

    def _own_answer(self, request: Request, *, path: str, body: bytes) -> Answer | None:
        """Answer at the sandbox's own addresses, which Datadog doesn't have."""
        live = self._live.answer(request) if self._live is not None else None
        if live is not None:
            return live
        if path == "/" and request.method == "GET":
            self._note(request, status=200)
            return index_page()
        if path == CONTROL_PATH and self._control and self._control.admits(request.headers):
            self._note(request, status=200)
            return self._control.answer(body)
        if path == CONTROL_PATH and self._control and NONCE_HEADER in request.headers:
            self._note(request, status=200)
            return self._control.proof(request.headers[NONCE_HEADER])
        if path.startswith(f"{CONTROL_PATH}/") and self._interface is not None:
            # Otherwise, reading the journal would add entries to it.
            return self._interface.answer(request, body=body)
        return None

    def _check_host(self, request: Request) -> None:
        """Refuse foreign hosts, such as a rebound DNS name, and ignore X-Forwarded-*."""
        host = request.headers.get("host", "").lower()
        if host not in self._hosts:
            known = ", ".join(sorted(self._hosts))
            text = f"Misdirected request: use a host and port such as {known}"
            raise api_refusal("foreign-host", 421, text)

    def _handled(self, incoming: Incoming, *, too_large: bool) -> Answer:
        if too_large:
            raise _too_large(incoming.role)
        if self._is_back_channel(incoming):
            if self._twin.faults.strikes("clock-skew"):
                self._twin.clock.ahead = SKEW_SECONDS
            failed = instead_of_answer(incoming, faults=self._twin.faults)
            if failed is not None:
                return failed
        return route_request(self._twin, incoming)

    def _is_back_channel(self, incoming: Incoming) -> bool:
        """Return whether a server made the request; token and API faults affect only these."""
        if incoming.role != "app":
            return True
        return incoming.path in TOKEN_PATHS and "token-at-app" in self._twin.switches.tolerates

    def _write(
        self, incoming: Incoming, *, at: float, status: int, refused: Refusal | None
    ) -> None:
        handling = self._twin.handling
        behaviour, reason = told(refused, handling)
        self.journal.write(
            at=at,
            status=status,
            behaviour=behaviour,
            reason=reason,
            org=handling.org,
            grant=handling.grant_id,
            attempt=handling.attempt or None,
            faults=tuple(handling.struck),
            tolerated=tuple(handling.tolerated),
            **observe(incoming, prints=self._twin.prints),
        )

    def _note(self, request: Request, *, status: int, refusal: Refusal | None = None) -> None:
        behaviour, reason = told(refusal, self._twin.handling)
        self.journal.write(
            at=time.time(),
            site=None,
            role=None,
            host=asked_host(request.headers),
            method=request.method,
            path=masked(request.scope["path"]),
            status=status,
            behaviour=behaviour,
            reason=reason,
        )


def _headers_of(request: Request) -> dict[str, str]:
    """Return the headers; if one is repeated, the first value wins."""
    pairs = reversed(request.scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


def _split(path: str) -> tuple[str, str, str]:
    site, _, rest = path.removeprefix("/").partition("/")
    role, slash, rest = rest.partition("/")
    return site, role, slash + rest


def _too_large(role: str) -> Refusal:
    if role == "app":
        return page_refusal("body-limit", "The form is too large.", status=413)
    return api_refusal("body-limit", 413, "Payload too large")
