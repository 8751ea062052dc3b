"""The sandbox's interface in Python."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from queue import SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import Clock
from ddoauth_kit.sandbox.facts.profiles import find_profile
from ddoauth_kit.sandbox.facts.sites import REHEARSAL, find_site
from ddoauth_kit.sandbox.facts.switches import Lifetime, Switches
from ddoauth_kit.sandbox.http.hosts import (
    check_loopback,
    local_hosts,
    make_endpoints,
    read_public_url,
)
from ddoauth_kit.sandbox.http.payload import MAX_BODY_BYTES
from ddoauth_kit.sandbox.sandbox_error import SandboxError
from ddoauth_kit.sandbox.server.actions import Actions, read_lifetime
from ddoauth_kit.sandbox.server.control import Control
from ddoauth_kit.sandbox.server.control_interface import ControlInterface
from ddoauth_kit.sandbox.server.dispatch import Dispatcher
from ddoauth_kit.sandbox.server.in_process import make_request, new_host
from ddoauth_kit.sandbox.server.live_view import LiveView
from ddoauth_kit.sandbox.state.clients import (
    demo_integration,
    read_integration,
)
from ddoauth_kit.sandbox.state.state import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from ddoauth_kit.sandbox.http.messages import Answer
    from ddoauth_kit.sandbox.server.journal import JournalEntry
    from ddoauth_kit.sandbox.server.transport import Listener
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.issued_api_keys import ApiKey
    from ddoauth_kit.sandbox.state.orgs import Org


LONGEST_LATENCY = 60.0
NOT_RUNNING = "the sandbox is not running; use it in a with statement"


class Sandbox:
    """An offline twin of Datadog's OAuth and API endpoints, for all nine sites, on one port.

    Use it as a context manager. It listens only on loopback and issues its own credentials. Without
    `client_file`, the client is fictional and requests every scope in the catalogue, or only those
    in `scopes`. `latency` delays every response by this many seconds. `public_url` is the address
    where browsers reach the pages through a proxy. Programs that have the `control_key` may join.
    `rotate` issues a new refresh token with each refresh, `basic` allows HTTP Basic at the token
    and revocation endpoints, and without `v1_token` the older token endpoint returns 404. With
    `token_lifetime`, access tokens expire after this many seconds of real time. Programs that have
    the `operator_key` may use `actions` over HTTP, at `/control`. With `in_process`, nothing
    listens and no thread is started; requests arrive through `answer`. Options that cannot work
    raise `SandboxError`.
    """

    def __init__(  # noqa: PLR0913 - each is one switch of the command line
        self,
        *,
        profile: str = "datadog",
        faults: Sequence[str] = (),
        client_file: Path | None = None,
        scopes: Sequence[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
        seed: str = "ddoauth",
        public_url: str | None = None,
        real_time: bool = False,
        control_key: str | None = None,
        rotate: bool = False,
        basic: bool = False,
        v1_token: bool = True,
        operator_key: str | None = None,
        token_lifetime: float | None = None,
        in_process: bool = False,
    ) -> None:
        check_loopback(host)
        if not 0 <= latency <= LONGEST_LATENCY:
            raise SandboxError(f"latency {latency} is not between 0 and {LONGEST_LATENCY} seconds")
        self._host = host
        self._port = port
        self._public = read_public_url(public_url)
        self._lock = threading.RLock()
        self._in_process = in_process
        self._address = ""
        self._listener: Listener | None = None
        self._live: LiveView | None = None
        self.clock = Clock(real_time=real_time)
        self._twin = Twin(
            profile=find_profile(profile),
            integration=demo_integration(scopes)
            if client_file is None
            else read_integration(client_file),
            seed=seed,
            clock=self.clock,
            latency=latency,
            prefixes=(self._public.prefix,) if self._public else (),
            first_switches=Switches(rotates=rotate, basic=basic, v1_token=v1_token),
            first_lifetime=_lifetime(token_lifetime),
        )
        self._twin.faults.inject_first(faults)
        self._dispatcher = Dispatcher(self._twin, lock=self._lock, public=self._public)
        journal = self._dispatcher.journal
        self.actions = Actions(
            self._twin, lock=self._lock, journal=journal, handle=self._dispatcher.handle
        )
        if operator_key:
            self._dispatcher.obey(ControlInterface(self.actions, journal, key=operator_key))
        if control_key:
            self._dispatcher.admit(Control(self._twin, key=control_key, show_at=self.show_at))

    def start(self) -> Self:
        """Open the port, unless the sandbox runs in process, and answer requests until `stop`."""
        if self._address:
            raise SandboxError("this sandbox is already running")
        if self._in_process:
            self._address = new_host()
            self._twin.cookie = "ddoauth_sandbox"
            self._dispatcher.serve_hosts(frozenset({self._address}))
        else:
            self._listen()
        return self

    def _listen(self) -> None:
        from ddoauth_kit.sandbox.server.transport import Listener

        listener = Listener(host=self._host, port=self._port, respond=self._dispatcher.respond)
        self._listener = listener
        name = f"[{self._host}]" if ":" in self._host else self._host
        self._address = f"{name}:{listener.port}"
        self._twin.cookie = f"ddoauth_sandbox_{listener.port}"
        self._dispatcher.serve_hosts(local_hosts(listener.port))
        cookie = f"ddoauth_live_{listener.port}"
        self._live = LiveView(self._dispatcher.journal, cookie=cookie)
        self._dispatcher.show_live(self._live)
        listener.start()

    def answer(
        self, method: str, target: bytes, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Answer:
        """Answer a request from this process; `target` is the path with its query.

        The caller must apply the response's `delay` and `cut_off`.
        """
        if not self._address:
            raise SandboxError(NOT_RUNNING)
        request = make_request(method, target, headers)
        fits = len(body) <= MAX_BODY_BYTES
        return self._dispatcher.respond(request, body=body if fits else None)

    def stop(self) -> None:
        """Close the port and end the thread; issued credentials stay readable."""
        listener, self._listener = self._listener, None
        self._address = ""
        if listener is not None:
            listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def serve_forever(self, *, announce: Callable[[], None] | None = None) -> None:
        """Block the main thread until SIGINT or SIGTERM, for the command line.

        `announce` is called as soon as a signal would stop the sandbox cleanly, so a program that
        reads its output may send a signal right away.
        """
        # Unlike `Event.set`, this queue's `put` is safe inside a signal handler.
        signals: SimpleQueue[int] = SimpleQueue()
        with _signals(signals):
            if announce is not None:
                announce()
            signals.get()

    @property
    def base_url(self) -> str:
        """Return the address of the index page; all other addresses start with it."""
        if not self._address:
            raise SandboxError(NOT_RUNNING)
        return f"http://{self._address}"

    def live_url(self) -> str:
        """Return a new one-time address where a browser can watch the journal live."""
        address = self.base_url
        if self._live is None:
            raise SandboxError("an in-process sandbox has no live view; read its journal instead")
        with self._lock:
            return f"{address}{self._live.link_path()}"

    @property
    def endpoints(self) -> Mapping[str, Mapping[str, str]]:
        """Return each site's domain, app_url, api_url, logs_intake_url and events_intake_url."""
        return MappingProxyType(make_endpoints(self.base_url, public=self._public))

    @property
    def rehearsal(self) -> Mapping[str, str]:
        """Return the addresses of the rehearsal region, with the same names as in `endpoints`."""
        sites = {REHEARSAL.name: REHEARSAL}
        return MappingProxyType(
            make_endpoints(self.base_url, public=self._public, sites=sites)[REHEARSAL.name]
        )

    def description(self) -> dict[str, object]:
        """Return what a client needs to know, including the published client's secret."""
        sites = {name: dict(urls) for name, urls in self.endpoints.items()}
        return {"sites": sites, "client": self.client.description()}

    @property
    def client(self) -> Client:
        """Return the published client, which is valid on all nine sites."""
        return self._twin.published

    @property
    def orgs(self) -> Mapping[str, tuple[Org, ...]]:
        """Return the orgs of each site, first the one that browsers are signed in to."""
        return MappingProxyType(self._twin.orgs)

    def make_org(
        self,
        site: str,
        *,
        name: str,
        user: str = "Uma User",
        permissions: Iterable[str] | None = None,
        vanity: str | None = None,
    ) -> Org:
        """Create an organization with one user, on any site or in the rehearsal region.

        The user may do everything unless `permissions` are given; scopes have the same names.
        """
        return self.actions.make_org(
            site, name=name, user=user, permissions=permissions, vanity=vanity
        )

    def end_org(self, org: Org) -> None:
        """End an organization and its grants, codes and keys; a site's first one can't be ended."""
        self.actions.end_org(org.id)

    def private_client(self, site: str) -> Client:
        """Return the integration's test client for a site; only the site's first org has it."""
        return self._twin.private[find_site(site).name]

    def register(self, client: Path | Mapping[str, Any]) -> Client:
        """Publish the client in a partner's `oauth_clients.json`, with a generated secret."""
        return self.actions.register(client)

    def publish(self, client: Client) -> Client:
        """Publish a private client, and return new credentials that work in every org."""
        with self._lock:
            return self._twin.publish(client)

    def import_client(self, client: Client, *, site: str) -> Client:
        """Import a client to another site, with its own credentials there."""
        with self._lock:
            return self._twin.import_client(client, site=find_site(site).name)

    def add_redirect_uri(self, uri: str, *, client: Client | None = None) -> Client:
        """Register another redirect URI for a client, by default the published client."""
        with self._lock:
            found = self._twin.clients.registered((client or self.client).client_id)
            uris = (*found.redirect_uris, uri)
            return self.actions.amend_client(found.client_id, redirect_uris=uris)

    def set_onboarding_url(self, url: str, *, client: Client | None = None) -> Client:
        """Change the onboarding URL of a client's tile; the default is the published client."""
        chosen = (client or self.client).client_id
        return self.actions.amend_client(chosen, onboarding_url=url)

    def show_at(self, public_url: str) -> None:
        """Serve browsers at a different public URL from now on; programs still use loopback."""
        public = read_public_url(public_url)
        if public is not None:
            with self._lock:
                self._dispatcher.show_at(public)

    def uninstall(self, client: Client, *, site: str, org_id: str | None = None) -> None:
        """End a client's grants in an org, by default the site's first; the API key stays valid."""
        org = self._twin.org(find_site(site), org_id=org_id)
        self.actions.uninstall(client.client_id, org=org.id)

    def api_keys(self, site: str, *, org_id: str | None = None) -> list[ApiKey]:
        """Return an org's API keys; the default is the site's first org."""
        return self.actions.api_keys(self._twin.org(find_site(site), org_id=org_id).id)

    def revoke_api_key(self, key_id: str) -> bool:
        """Revoke an API key by its id, as the customer would; return whether it existed."""
        return self.actions.revoke_api_key(key_id)

    def inject(self, fault: str) -> None:
        """Make something fail from now on: NAME, NAME:COUNT or NAME:PROBABILITY."""
        self.actions.inject(fault)

    def clear_faults(self) -> None:
        """End all faults."""
        self.actions.clear_faults()

    @property
    def journal(self) -> list[JournalEntry]:
        """Return the latest handled requests, oldest first, without any secrets."""
        return self.actions.entries()

    def issued_secrets(self) -> tuple[str, ...]:
        """Return every secret, code, token and key issued so far, to search for leaks."""
        with self._lock:
            return self._twin.mint.issued()


def _lifetime(seconds: float | None) -> Lifetime:
    if seconds is None:
        return Lifetime()
    return read_lifetime(seconds)


@contextmanager
def _signals(arrived: SimpleQueue[int]) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: arrived.put(got)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
