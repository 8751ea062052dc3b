"""Listen as a forward proxy, or on port 443 itself; Datadog's names lead to the sandbox.

Every other host gets its answer here and nothing is sent to it, except hosts that the user allowed
and this machine's own addresses, which are tunnelled unread.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import h11

from ddoauth_kit.grading.front import field_names, refusals
from ddoauth_kit.grading.front.channel import Channel, Limits
from ddoauth_kit.grading.front.forwarding import (
    Destination,
    Forwarder,
    UnreachableError,
    UpstreamError,
    origin_form,
    send_continue,
)
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.records import FrontRecord, Verdict
from ddoauth_kit.grading.front.tunnel import (
    Allowed,
    as_address,
    is_this_machine,
    open_tunnel,
    relay,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from types import TracebackType
    from typing import Any, Self

    from ddoauth_kit.grading.front.authority import Authority
    from ddoauth_kit.grading.front.hosts import HostTable
    from ddoauth_kit.grading.front.refusals import FrontRefusal

# The Node preload asks so for a tunnel whose first bytes are the client's own.
SILENT_HEADER: Final = b"ddoauth-front"
_TLS_HANDSHAKE: Final = 0x16
_PREFACE: Final = b"PRI * HTTP/2"
_METHOD: Final = re.compile(rb"[A-Z]{1,20} ")
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(?::(\d{1,5}))?\.?")
_URL: Final = re.compile(rb"(https?)://([^/?#@]*@)?([^/?#]*)", re.IGNORECASE)


class Front:
    """Serve from a thread of its own between `start` and `stop`, on loopback only.

    `record` is called from that thread with each thing that happened. `allow` names hosts that are
    tunnelled; `parent_proxy` is the proxy that was configured before, which those go through.

    Raises:
        FrontError: `bad_allowed_host`, `port_taken` and what else keeps it from listening.
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
    ) -> None:
        self.limits = limits or Limits()
        self._hosts = hosts
        self._authority = authority
        self._record = record
        self._allowed = Allowed(allow, datadog=hosts)
        self._parent_proxy = parent_proxy
        self._forwarder = Forwarder(hosts, limits=self.limits)
        self._sockets: list[tuple[socket.socket, Callable[[Channel], Coroutine[Any, Any, None]]]]
        self._sockets = []
        self._by_server_name = authority.by_server_name()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self.port = 0

    def listen_as_proxy(self, *, port: int = 0) -> Self:
        """Open the port of the forward proxy, by default any free one."""
        listener = _bind(port)
        self.port = listener.getsockname()[1]
        self._sockets.append((listener, self._as_proxy))
        return self

    def listen_as_hosts(self, *, tls_port: int = 443, plain_port: int | None = 80) -> Self:
        """Open the ports at which clients expect the hosts themselves (way B)."""
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
        # Closed transports leave the loop one turn later; else they would warn at collection.
        await asyncio.sleep(0)

    def _accepted(
        self, handle: Callable[[Channel], Coroutine[Any, Any, None]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            channel = Channel(reader, writer)
            if len(self._connections) >= self.limits.connections:
                self._note("", 0, refusals.too_many(self.limits.connections))
                channel.abort()
                return
            task = asyncio.ensure_future(self._connection(channel, handle))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return accepted

    async def _connection(
        self, channel: Channel, handle: Callable[[Channel], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await handle(channel)
        except (OSError, UpstreamError, h11.ProtocolError):
            channel.abort()
        finally:
            if asyncio.current_task() in self._connections and not channel.ended:
                await channel.close()
            channel.abort()

    async def _as_proxy(self, channel: Channel) -> None:
        http = self._http()
        while True:
            request = await self._request(channel, http, host="")
            if request is None:
                return None
            if request.method == b"CONNECT":
                return await self._connect(channel, http, request)
            await self._proxied(channel, http, request)
            if not _next(http):
                return None

    async def _proxied(self, channel: Channel, http: h11.Connection, request: h11.Request) -> None:
        """Answer a request whose target is a whole URL."""
        found = _URL.match(request.target)
        scheme = found[1].decode().lower() if found else ""
        place = (
            _place(found[3].decode("latin-1"), 443 if scheme == "https" else 80) if found else None
        )
        if place is None:
            refusal = refusals.malformed("") if found else refusals.not_a_proxy_request()
            return await self._refuse(channel, http, request, "", 0, refusal)
        host, port = place
        await self._answer(channel, http, request, host=host, port=port, scheme=scheme)

    async def _connect(self, channel: Channel, http: h11.Connection, request: h11.Request) -> None:
        place = _place(request.target.decode("latin-1"), 443)
        if place is None:
            return await self._refuse(channel, http, request, "", 0, refusals.malformed(""))
        host, port = place
        silent = any(name == SILENT_HEADER for name, _ in request.headers)
        if is_this_machine(host) or self._allowed.admits(host, port):
            return await self._tunnel(channel, http, request, host, port, silent=silent)
        if as_address(host) is not None:
            refusal = refusals.address_only(host, port)
            return await self._refuse(channel, http, request, host, port, refusal)
        await self._switch(channel, http, silent=silent)
        await self._inside(channel, host, port)

    async def _tunnel(  # noqa: PLR0913 - one step of `_connect`
        self,
        channel: Channel,
        http: h11.Connection,
        request: h11.Request,
        host: str,
        port: int,
        *,
        silent: bool,
    ) -> None:
        seconds = self.limits.connect_seconds
        try:
            reader, writer = await open_tunnel(
                host, port, parent=self._parent_proxy, seconds=seconds
            )
        except OSError:
            refusal = refusals.unreachable(host, port)
            return await self._refuse(channel, http, request, host, port, refusal)
        if not is_this_machine(host):
            self._record(FrontRecord(verdict=Verdict.TUNNELLED, host=host, port=port))
        try:
            await self._switch(channel, http, silent=silent)
        except BaseException:
            writer.transport.abort()
            raise
        await relay(channel, reader, writer)

    async def _switch(self, channel: Channel, http: h11.Connection, *, silent: bool) -> None:
        """Let the connection be a tunnel from here on."""
        http.next_event()
        ready = http.send(h11.Response(status_code=200, headers=[], reason=b"OK"))
        channel.give_back(http.trailing_data[0])
        if not silent:
            await channel.send(ready or b"", self.limits.body_seconds)

    async def _as_hosts(self, channel: Channel) -> None:
        """Answer as the hosts themselves: the name comes in the TLS hello, or in Host."""
        first = await channel.peek(self.limits.head_seconds)
        if first[:1] != bytes([_TLS_HANDSHAKE]):
            return await self._requests(channel, "", 80, scheme="http") if first else None
        named: list[str] = []
        try:
            await channel.start_tls(self._by_server_name, self.limits.head_seconds)
        except ssl.SSLError as error:
            if "CALLBACK" in str(error.reason):
                self._note("", 443, refusals.without_name())
            return None
        named.append(channel.server_name)
        await self._encrypted(channel, channel.server_name, 443)

    async def _inside(self, channel: Channel, host: str, port: int) -> None:
        """Serve a tunnel to a named host that is not let through."""
        first = await channel.peek(self.limits.head_seconds)
        if first[:1] == bytes([_TLS_HANDSHAKE]):
            try:
                await channel.start_tls(self._authority.context(host), self.limits.head_seconds)
            except FrontError:
                self._note(host, port, refusals.malformed(host))
                return
            except ssl.SSLError:
                self._note(host, port, refusals.not_trusted(host))
                return
            await self._encrypted(channel, host, port)
        elif first.startswith(_PREFACE) or _METHOD.match(first):
            await self._requests(channel, host, port, scheme="http")
        elif first:
            self._note(host, port, refusals.no_http(host, port))

    async def _encrypted(self, channel: Channel, host: str, port: int) -> None:
        try:
            await self._requests(channel, host, port, scheme="https")
        except ssl.SSLError as error:
            # By TLS 1.3 a client tells only now what it thinks of the certificate.
            if "ALERT" in str(error.reason):
                self._note(host, port, refusals.not_trusted(host))

    async def _requests(self, channel: Channel, host: str, port: int, *, scheme: str) -> None:
        http = self._http()
        if (await channel.peek(self.limits.idle_seconds)).startswith(_PREFACE):
            return self._note(host, port, refusals.http2_only(host))
        while True:
            request = await self._request(channel, http, host=host)
            if request is None:
                return None
            name = host or _host_header(request)
            await self._answer(channel, http, request, host=name, port=port, scheme=scheme)
            if not _next(http):
                return None

    def _http(self) -> h11.Connection:
        return h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head_bytes)

    async def _request(
        self, channel: Channel, http: h11.Connection, *, host: str
    ) -> h11.Request | None:
        """Read the next head; a bad one is answered and ends the connection."""
        seconds = self.limits.idle_seconds
        try:
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    http.receive_data(await channel.receive(seconds))
                    seconds = self.limits.head_seconds
                elif isinstance(event, h11.Request):
                    return event
                else:
                    return None
        except h11.RemoteProtocolError as error:
            large = error.error_status_hint == 431  # noqa: PLR2004 - RFC 6585 5
            refusal = refusals.head_too_large(host) if large else refusals.malformed(host)
            self._note(host, 0, refusal)
            await self._say(channel, http, refusal)
            return None

    async def _answer(  # noqa: PLR0913 - where a request goes has three parts
        self,
        channel: Channel,
        http: h11.Connection,
        request: h11.Request,
        *,
        host: str,
        port: int,
        scheme: str,
    ) -> None:
        to, refusal = self._decide(host, port, scheme=scheme)
        if to is None:
            return await self._refuse(channel, http, request, host, port, refusal)
        try:
            status = await self._forwarder.forward(channel, http, request, to)
        except UnreachableError:
            refusal = refusals.unreachable(to.host, to.port)
            return await self._refuse(channel, http, request, host, port, refusal)
        except UpstreamError:
            self._record(self._seen(Verdict.FAILED, request, host, port))
            raise
        self._record(self._seen(Verdict.FORWARDED, request, host, port, status=status))

    def _decide(
        self, host: str, port: int, *, scheme: str
    ) -> tuple[Destination | None, FrontRefusal]:
        named = self._hosts.find(host)
        if named is not None:
            to = Destination.of(named) if scheme == "https" else None
            return to, refusals.plain_http(host)
        if is_this_machine(host) or self._allowed.admits(host, port):
            name = f"[{host}]" if ":" in host else host
            header = name if port == 80 else f"{name}:{port}"  # noqa: PLR2004 - plain http's own
            to = Destination(host, port, host_header=header) if scheme == "http" else None
            return to, refusals.plain_https(host)
        if as_address(host) is not None:
            return None, refusals.address_only(host, port)
        return None, refusals.foreign_host(host, port)

    async def _refuse(  # noqa: PLR0913 - one way for all refusals
        self,
        channel: Channel,
        http: h11.Connection,
        request: h11.Request,
        host: str,
        port: int,
        refusal: FrontRefusal,
    ) -> None:
        body = bytearray()
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                await send_continue(channel, http, self.limits.body_seconds)
                http.receive_data(await channel.receive(self.limits.body_seconds))
            elif isinstance(event, h11.Data):
                if len(body) <= self.limits.read_names_bytes:
                    body += event.data
            else:
                break
        whole = len(body) <= self.limits.read_names_bytes
        fields = field_names.body_fields(bytes(body), _header(request, b"content-type"))
        self._record(
            self._seen(
                Verdict.REFUSED,
                request,
                host,
                port,
                status=refusal.status,
                refusal=refusal,
                fields=fields if whole else (field_names.HIDDEN,),
            )
        )
        await self._say(channel, http, refusal)

    async def _say(self, channel: Channel, http: h11.Connection, refusal: FrontRefusal) -> None:
        if http.our_state not in {h11.IDLE, h11.SEND_RESPONSE, h11.MIGHT_SWITCH_PROTOCOL}:
            return
        text = f"{refusal.line}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(text)).encode()),
        ]
        ready = http.send(h11.Response(status_code=refusal.status or 400, headers=headers)) or b""
        ready += (http.send(h11.Data(text)) or b"") + (http.send(h11.EndOfMessage()) or b"")
        await channel.send(ready, self.limits.body_seconds)

    def _seen(  # noqa: PLR0913 - the parts of one record
        self,
        verdict: Verdict,
        request: h11.Request,
        host: str,
        port: int,
        *,
        status: int | None = None,
        refusal: FrontRefusal | None = None,
        fields: tuple[str, ...] = (),
    ) -> FrontRecord:
        named = self._hosts.find(host)
        connect = request.method == b"CONNECT"
        target = "" if connect else origin_form(request.target).decode("latin-1")
        return FrontRecord(
            verdict=verdict,
            host=host,
            port=port,
            site=named.site if named else None,
            role=named.role if named else None,
            method=request.method.decode("latin-1"),
            path=field_names.shown_path(target),
            status=status,
            query_fields=field_names.query_fields(target),
            body_fields=fields,
            credential_headers=field_names.credential_headers(n for n, _ in request.headers),
            reason=refusal.reason if refusal else "",
            line=refusal.line if refusal else "",
        )

    def _note(self, host: str, port: int, refusal: FrontRefusal) -> None:
        self._record(
            FrontRecord(
                verdict=Verdict.REFUSED,
                host=host,
                port=port,
                status=refusal.status or None,
                reason=refusal.reason,
                line=refusal.line,
            )
        )


def _bind(port: int) -> socket.socket:
    # asyncio turns off Nagle's delay, 40 ms an answer, only where the protocol is named.
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


def _next(http: h11.Connection) -> bool:
    """Get ready for the connection's next request, where there can be one."""
    if http.our_state is h11.DONE and http.their_state is h11.DONE:
        http.start_next_cycle()
        return True
    return False


def _place(authority: str, port: int) -> tuple[str, int] | None:
    """Read host and port in lower case, without brackets and without the root's dot."""
    found = _AUTHORITY.fullmatch(authority.lower())
    if found is None:
        return None
    number = int(found[2] or port)
    host = found[1].strip("[]").rstrip(".")
    return (host, number) if host and 0 < number < 65536 else None  # noqa: PLR2004 - TCP's ports


def _host_header(request: h11.Request) -> str:
    place = _place(_header(request, b"host"), 80)
    return place[0] if place else ""


def _header(request: h11.Request, wanted: bytes) -> str:
    return next((v.decode("latin-1") for n, v in request.headers if n == wanted), "")
