"""Transport requests over one loopback socket, with Starlette on uvicorn and no other logic."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Mount
from uvicorn.middleware.message_logger import MessageLoggerMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from ddoauth_kit.sandbox.http.payload import MAX_BODY_BYTES
from ddoauth_kit.sandbox.sandbox_error import SandboxError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

    from ddoauth_kit.sandbox.http.messages import Answer

# uvicorn logs errors for damaged answers, although the sandbox sends them on purpose.
WIRE_LOG = logging.getLogger("ddoauth_kit.sandbox.wire")
WIRE_LOG.addHandler(logging.NullHandler())
WIRE_LOG.propagate = False

# A body is read beyond its limit, up to this size, so that the sender receives the 413.
_DRAINED_BYTES = 64 * 1024 * 1024

# In seconds, and longer than clients keep an idle connection (httpx: 5). A server that hangs up
# while the next request is on its way cuts that request off.
_KEEP_ALIVE = 75


class Respond(Protocol):
    """What the transport calls for each request; `body` is None if the body was too large."""

    def __call__(self, request: Request, *, body: bytes | None) -> Answer:
        """Return the complete response, with headers."""


class _QuietProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which logs to the sandbox's own logger and not to the process's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self.logger = WIRE_LOG
        self.access_log = False


class _QuietConfig(uvicorn.Config):
    """uvicorn's configuration without URLs in its logs, because they contain states and codes.

    uvicorn's own `access_log=False` removes the handlers of every uvicorn instance in the process,
    and works only until logging is reconfigured.
    """

    def load(self) -> None:
        super().load()
        if isinstance(self.loaded_app, MessageLoggerMiddleware):
            self.loaded_app = self.loaded_app.app


class _Server(uvicorn.Server):
    """uvicorn's server, started and stopped by events instead of polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._loop = asyncio.get_running_loop()
        self.ready.set()

    async def main_loop(self) -> None:
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        tasks = list(self.server_state.tasks)
        for connection in list(self.server_state.connections):
            connection.shutdown()
            # An unfinished answer is dropped; uvicorn would complete it with a 500.
            connection.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Closed transports leave the loop one turn later; otherwise they warn when collected.
        await asyncio.sleep(0)

    def stop(self) -> None:
        """End the main loop, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)


class Listener:
    """One listening socket and the thread that serves it."""

    def __init__(self, *, host: str, port: int, respond: Respond) -> None:
        self._socket = bind(host, port=port)
        self.port: int = self._socket.getsockname()[1]
        config = _QuietConfig(
            Starlette(routes=[Mount("/", app=_door(respond))]),
            http=_QuietProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=f"ddoauth-sandbox-{self.port}",
            daemon=True,
        )

    def start(self) -> None:
        """Start serving; connections are accepted from now on."""
        self._thread.start()
        while not self._server.ready.wait(0.05):
            if not self._thread.is_alive():
                raise SandboxError("the server's thread ended before it served anything")

    def stop(self) -> None:
        """Stop serving, and wait until everything has stopped."""
        self._server.stop()
        self._thread.join()


def bind(host: str, *, port: int) -> socket.socket:
    """Open the port before any thread runs, so this call fails if the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's delay (40 ms per answer) only if the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A second run must not wait until the system forgets the first one's connections.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SandboxError(
            f"port {port} on {host} cannot be opened ({getattr(error, 'strerror', error)}); stop "
            "the program that uses it, choose another port, or use port 0 for any free port"
        ) from None
    return listener


def _door(respond: Respond) -> Any:  # noqa: ANN401 - an ASGI application
    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return
        answer = respond(request, body=body)
        await _deliver(answer, send=send)
        if answer.stream is not None:
            await _stream(answer.stream(), receive=receive, send=send)

    return door


async def _read_body(request: Request) -> bytes | None:
    parts = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            parts += chunk
        elif size > _DRAINED_BYTES:
            break
    return bytes(parts) if size <= MAX_BODY_BYTES else None


async def _deliver(answer: Answer, *, send: Send) -> None:
    if answer.delay:
        await asyncio.sleep(answer.delay)
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in answer.wire_headers()
            ],
        }
    )
    more = answer.cut_off or answer.stream is not None
    # Without the last message uvicorn closes the connection in the middle of the body.
    await send({"type": "http.response.body", "body": answer.wire_body(), "more_body": more})


async def _stream(parts: AsyncGenerator[bytes], *, receive: Receive, send: Send) -> None:
    """Send parts as they are created; only `receive` reveals that the client has hung up."""
    gone = asyncio.ensure_future(receive())
    try:
        while not gone.done():
            part = asyncio.ensure_future(anext(parts))
            try:
                await asyncio.wait({gone, part}, return_when=asyncio.FIRST_COMPLETED)
                if part.done():
                    body = part.result()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            finally:
                part.cancel()
                await asyncio.gather(part, return_exceptions=True)
    finally:
        gone.cancel()
        await parts.aclose()
