"""Listen as a forward proxy or on port 443, and route Datadog's names to the sandbox.

Requests to any other host get the proxy's own response and are not forwarded. Connections to hosts
that the user allowed, and to this machine's own addresses, are tunneled without being read. The
proxy doesn't open tunnels to this machine for another user, because the target would mistake them
for this user's connections.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import h11

from ddoauth_kit.grading.front import refusals
from ddoauth_kit.grading.front.channel import Channel, Limits
from ddoauth_kit.grading.front.conversation import (
    Asked,
    Conversation,
    header,
    record_of,
    sent_fields,
)
from ddoauth_kit.grading.front.forwarding import (
    Destination,
    Forwarder,
    UnreachableError,
    UpstreamError,
)
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.records import FrontRecord, Treatment
from ddoauth_kit.grading.front.refusals import FrontRefusal
from ddoauth_kit.grading.front.tunnel import (
    Allowed,
    as_address,
    is_this_machine,
    open_tunnel,
    relay,
)
from ddoauth_kit.oauth.callback.neighbours import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from ddoauth_kit.grading.front.authority import Authority
    from ddoauth_kit.grading.front.hosts import HostTable

# With this header the Node preload asks for a tunnel whose first bytes are the client's own.
SILENT_HEADER: Final = b"ddoauth-front"
_TLS_HANDSHAKE: Final = b"\x16"
_HTTP_PORT: Final = 80
_LAST_PORT: Final = 65535
_PREFACE: Final = b"PRI * HTTP/2"
_METHOD: Final = re.compile(rb"[A-Z]{1,20} ")
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(?::(\d{1,5}))?\.?")
_URL: Final = re.compile(rb"(https?)://([^/?#@]*@)?([^/?#]*)", re.IGNORECASE)


_Handler = Callable[[Channel], Coroutine[Any, Any, None]]


class Front:
    """Serves from its own thread between `start` and `stop`, only on loopback.

    That thread calls `record` with each event. `allow` lists the hosts to which tunnels are
    allowed; these go through `parent_proxy` if a proxy was already configured.

    Raises:
        FrontError: `bad_allowed_host`, `port_taken` or another reason why it cannot listen.
    """

    def __init__(  # noqa: PLR0913 - each is one choice of the user
        self,
        hosts: HostTable,
        authority: Authority,
        *,
        record: Callable[[FrontRecord], None],
        allow: Iterable[str] = (),
        parent_proxy: str | None = None,
        limits: Limits | None = None,
        user: int | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._hosts = hosts
        self._authority = authority
        self._record = record
        self._allowed = Allowed(allow, datadog=hosts)
        self._parent_proxy = parent_proxy
        self._user = user
        self._forwarder = Forwarder(hosts, limits=self.limits)
        self._sockets: list[tuple[socket.socket, _Handler]] = []
        self._by_server_name = authority.by_server_name()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self.port = 0

    def listen_as_proxy(self, *, port: int = 0) -> Self:
        """Open the port of the forward proxy, by default any free port."""
        listener = _bind(port)
        self.port = listener.getsockname()[1]
        self._sockets.append((listener, self._as_proxy))
        return self

    def listen_as_hosts(self, *, tls_port: int = 443, plain_port: int | None = 80) -> Self:
        """Open the ports on which clients expect the hosts themselves (way B)."""
        ports = [tls_port] if plain_port is None else [tls_port, plain_port]
        for port in ports:
            self._sockets.append((_bind(port), self._as_hosts))
        return self

    @property
    def url(self) -> str:
        """Return the proxy's address, for variables such as HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ports(self) -> tuple[int, ...]:
        """Return the open ports, in the order they were opened."""
        return tuple(listener.getsockname()[1] for listener, _ in self._sockets)

    def present_other_ca(self, host: str, on: bool) -> None:  # noqa: FBT001 - it is a switch
        """Present an untrusted certificate to a host's clients, starting with its next connection.

        A client that checks certificates aborts the handshake, which is recorded as `not_trusted`.

        Raises:
            FrontError: `bad_host_name`.
        """
        self._authority.present_other_ca(host.lower(), on=on)

    def start(self) -> Self:
        """Serve until `stop`."""
        ready = threading.Event()
        run = lambda: asyncio.run(self._serve(ready))  # noqa: E731
        self._thread = threading.Thread(target=run, name=f"ddoauth-front-{self.port}", daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close the ports and all connections."""
        if self._thread is None or self._loop is None or self._stopped is None:
            for listener, _ in self._sockets:
                listener.close()
            return
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        servers = [
            await asyncio.start_server(self._accepted(handle), sock=listener, backlog=256)
            for listener, handle in self._sockets
        ]
        ready.set()
        await self._stopped.wait()
        for server in servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._forwarder.close()
        # Closed transports leave the loop one turn later; otherwise they warn when collected.
        await asyncio.sleep(0)

    def _accepted(
        self, handle: _Handler
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            channel = Channel(reader, writer)
            if len(self._connections) >= self.limits.connections:
                self._note(Asked(), refusals.too_many(self.limits.connections))
                channel.abort()
                return
            task = asyncio.ensure_future(self._connection(channel, handle))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return accepted

    async def _connection(self, channel: Channel, handle: _Handler) -> None:
        try:
            await handle(channel)
            await channel.close()
        except (OSError, UpstreamError, h11.ProtocolError):
            pass
        finally:
            channel.abort()

    async def _as_proxy(self, channel: Channel) -> None:
        talk = Conversation(channel, limits=self.limits)
        while (request := await self._next(talk, Asked())) is not None:
            if request.method == b"CONNECT":
                await self._connect(talk, request)
                return
            await self._proxied(talk, request)
            if not talk.prepare_next():
                return

    async def _as_hosts(self, channel: Channel) -> None:
        """Respond as the host itself would; the TLS hello or the Host header has its name."""
        first = await channel.peek(self.limits.head_seconds)
        if not first.startswith(_TLS_HANDSHAKE):
            await self._requests(channel, Asked(port=80, scheme="http"))
            return
        try:
            await channel.start_tls(self._by_server_name, self.limits.head_seconds)
        except ssl.SSLError as error:
            if "CALLBACK" in str(error.reason):
                self._note(Asked(port=443), refusals.without_name())
            return
        await self._encrypted(channel, Asked(channel.server_name, 443, "https"))

    async def _proxied(self, talk: Conversation, request: h11.Request) -> None:
        """Handle a request whose target is a whole URL."""
        found = _URL.match(request.target)
        if found is None:
            await self._refuse(talk, request, Asked(), refusals.not_a_proxy_request())
            return
        scheme = found[1].decode().lower()
        asked = _asked(found[3], scheme=scheme)
        if asked is None:
            await self._refuse(talk, request, Asked(), refusals.malformed(""))
            return
        await self._answer(talk, request, asked)

    async def _connect(self, talk: Conversation, request: h11.Request) -> None:
        asked = _asked(request.target, scheme="https")
        if asked is None:
            await self._refuse(talk, request, Asked(), refusals.malformed(""))
            return
        silent = any(name == SILENT_HEADER for name, _ in request.headers)
        if self._is_open(asked, talk.channel):
            await self._tunnel(talk, request, asked, silent=silent)
        elif as_address(asked.host) is not None:
            refusal = refusals.address_only(asked.host, asked.port)
            await self._refuse(talk, request, asked, refusal)
        else:
            await talk.switch(silent=silent)
            await self._inside(talk.channel, asked)

    async def _tunnel(
        self, talk: Conversation, request: h11.Request, asked: Asked, *, silent: bool
    ) -> None:
        seconds, parent = self.limits.connect_seconds, self._parent_proxy
        try:
            reader, writer = await open_tunnel(
                asked.host, asked.port, parent=parent, seconds=seconds
            )
        except OSError:
            refusal = refusals.unreachable(asked.host, asked.port)
            await self._refuse(talk, request, asked, refusal)
            return
        try:
            if not is_this_machine(asked.host):
                seen = FrontRecord(treatment=Treatment.TUNNELLED, host=asked.host, port=asked.port)
                self._record(seen)
            await talk.switch(silent=silent)
            await relay(talk.channel, reader, writer)
        finally:
            writer.transport.abort()

    async def _inside(self, channel: Channel, asked: Asked) -> None:
        """Serve a tunnel to a named host that isn't allowed."""
        first = await channel.peek(self.limits.head_seconds)
        if first.startswith(_TLS_HANDSHAKE):
            try:
                context = self._authority.context(asked.host)
                await channel.start_tls(context, self.limits.head_seconds)
            except FrontError:
                self._note(asked, refusals.malformed(asked.host))
            except ssl.SSLError:
                self._note(asked, refusals.not_trusted(asked.host))
            else:
                await self._encrypted(channel, asked)
        elif first.startswith(_PREFACE) or _METHOD.match(first):
            await self._requests(channel, replace(asked, scheme="http"))
        elif first:
            self._note(asked, refusals.no_http(asked.host, asked.port))

    async def _encrypted(self, channel: Channel, asked: Asked) -> None:
        try:
            await self._requests(channel, asked)
        except ssl.SSLError as error:
            # With TLS 1.3 a client says only now whether it accepts the certificate.
            if "ALERT" in str(error.reason):
                self._note(asked, refusals.not_trusted(asked.host))

    async def _requests(self, channel: Channel, asked: Asked) -> None:
        first = await channel.peek(self.limits.idle_seconds)
        if first.startswith(_PREFACE):
            self._note(asked, refusals.http2_only(asked.host))
            return
        talk = Conversation(channel, limits=self.limits)
        while (request := await self._next(talk, asked)) is not None:
            named = asked if asked.host else _from_host_header(request, asked)
            await self._answer(talk, request, named)
            if not talk.prepare_next():
                return

    async def _next(self, talk: Conversation, asked: Asked) -> h11.Request | None:
        found = await talk.next_request(asked.host)
        if isinstance(found, FrontRefusal):
            self._note(asked, found)
            return None
        return found

    async def _answer(self, talk: Conversation, request: h11.Request, asked: Asked) -> None:
        to = self._decide(asked, talk.channel)
        if isinstance(to, FrontRefusal):
            await self._refuse(talk, request, asked, to)
            return
        statuses: list[int] = []

        def answered(status: int) -> None:
            statuses.append(status)
            self._record(record_of(request, asked, hosts=self._hosts, status=status))

        try:
            await self._forwarder.forward(talk.channel, talk.http, request, to, answered=answered)
        except UnreachableError:
            refusal = refusals.unreachable(to.host, to.port)
            await self._refuse(talk, request, asked, refusal)
        except UpstreamError:
            if not statuses:
                self._record(record_of(request, asked, hosts=self._hosts, status=None))
            raise

    def _decide(self, asked: Asked, channel: Channel) -> Destination | FrontRefusal:
        named = self._hosts.find(asked.host)
        if named is not None:
            secure = asked.scheme == "https"
            return Destination.of(named) if secure else refusals.plain_http(asked.host)
        if self._is_open(asked, channel):
            plain = asked.scheme == "http"
            return _itself(asked) if plain else refusals.plain_https(asked.host)
        if as_address(asked.host) is not None:
            return refusals.address_only(asked.host, asked.port)
        return refusals.foreign_host(asked.host, asked.port)

    def _is_open(self, asked: Asked, channel: Channel) -> bool:
        if is_this_machine(asked.host):
            return not is_foreign(channel.socket, user=self._user)
        return self._allowed.admits(asked.host, asked.port)

    async def _refuse(
        self, talk: Conversation, request: h11.Request, asked: Asked, refusal: FrontRefusal
    ) -> None:
        body = await talk.body()
        seen = record_of(request, asked, hosts=self._hosts, status=refusal.status)
        self._record(
            replace(
                seen,
                treatment=Treatment.REFUSED,
                body_fields=sent_fields(request, body),
                reason=refusal.reason,
                line=refusal.line,
            )
        )
        await talk.say(refusal)

    def _note(self, asked: Asked, refusal: FrontRefusal) -> None:
        self._record(
            FrontRecord(
                treatment=Treatment.REFUSED,
                host=asked.host,
                port=asked.port,
                status=refusal.status or None,
                reason=refusal.reason,
                line=refusal.line,
            )
        )


def _bind(port: int) -> socket.socket:
    # asyncio turns off Nagle's delay (40 ms per answer) only if the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(256)
    except PermissionError:
        listener.close()
        raise FrontError(
            "port_forbidden",
            f"This user may not open port {port}. Run the command with --isolate, or as a user who "
            "may.",
        ) from None
    except OSError as error:
        listener.close()
        raise FrontError(
            "port_taken",
            f"Port {port} on 127.0.0.1 cannot be opened ({error.strerror}). "
            "Stop the program that uses it, then start again.",
        ) from None
    return listener


def _asked(authority: bytes, *, scheme: str) -> Asked | None:
    """Read the host and port, in lower case and without brackets or a final dot."""
    found = _AUTHORITY.fullmatch(authority.decode("latin-1").lower())
    if found is None:
        return None
    port = int(found[2] or (443 if scheme == "https" else 80))
    host = found[1].strip("[]").rstrip(".")
    return Asked(host, port, scheme) if host and 0 < port <= _LAST_PORT else None


def _from_host_header(request: h11.Request, asked: Asked) -> Asked:
    found = _asked(header(request, b"host").encode("latin-1"), scheme=asked.scheme)
    return replace(asked, host=found.host) if found else asked


def _itself(asked: Asked) -> Destination:
    name = f"[{asked.host}]" if ":" in asked.host else asked.host
    full = name if asked.port == _HTTP_PORT else f"{name}:{asked.port}"
    return Destination(asked.host, asked.port, host_header=full)
