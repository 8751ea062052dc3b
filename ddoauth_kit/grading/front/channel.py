"""Read and write a connection, first in clear text and then over TLS, with time limits.

TLS runs in memory rather than through asyncio's `start_tls`, because a client may send its hello
together with its tunnel request, and asyncio would lose those bytes.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

CHUNK: Final = 64 * 1024


class NamedContext(ssl.SSLContext):
    """The TLS server context for one host name."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the number of open connections, on what they carry and on how long they wait."""

    head_bytes: int = 64 * 1024
    read_names_bytes: int = 1024 * 1024
    connections: int = 512
    head_seconds: float = 20.0
    idle_seconds: float = 90.0
    body_seconds: float = 30.0
    answer_seconds: float = 180.0
    connect_seconds: float = 10.0


class Channel:
    """One connection; `receive` returns empty bytes once the other side has closed it."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._early = b""
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.socket: socket.socket = writer.get_extra_info("socket")
        with suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def receive(self, seconds: float | None) -> bytes:
        """Return the next available bytes.

        Raises:
            TimeoutError: nothing arrived within this many seconds.
        """
        if self._early:
            early, self._early = self._early, b""
            return early
        if self._tls is None:
            return await self._raw(seconds)
        while True:
            with suppress(ssl.SSLWantReadError):
                return self._decrypted(self._tls)
            data = await self._raw(seconds)
            if not data:
                return b""
            self._incoming.write(data)

    async def peek(self, seconds: float) -> bytes:
        """Return the next bytes without removing them."""
        if not self._early:
            self._early = await self.receive(seconds)
        return self._early

    def give_back(self, data: bytes) -> None:
        """Put bytes back so that the next read returns them first."""
        self._early = data + self._early

    async def send(self, data: bytes, seconds: float | None) -> None:
        """Send all bytes.

        Raises:
            TimeoutError: the other side did not read within this many seconds.
        """
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        self._writer.write(data)
        async with asyncio.timeout(seconds):
            await self._writer.drain()

    async def start_tls(self, context: ssl.SSLContext, seconds: float) -> None:
        """Perform the server side of a TLS handshake.

        Raises:
            ssl.SSLError: the handshake failed.
            TimeoutError: it did not finish within this many seconds.
        """
        self._incoming.write(self._early)
        self._early = b""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        async with asyncio.timeout(seconds):
            await self._handshake(tls)
        self._tls = tls

    @property
    def server_name(self) -> str:
        """Return the name in the certificate that the client received, or "" before TLS."""
        context = self._tls.context if self._tls is not None else None
        return context.name if isinstance(context, NamedContext) else ""

    async def _handshake(self, tls: ssl.SSLObject) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._reader.read(CHUNK)
                if not data:
                    raise ConnectionResetError("the client ended the handshake") from None
                self._incoming.write(data)
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                return await self._flush()

    async def _flush(self) -> None:
        self._writer.write(self._outgoing.read())
        await self._writer.drain()

    @staticmethod
    def _decrypted(tls: ssl.SSLObject) -> bytes:
        try:
            return tls.read(CHUNK)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def _raw(self, seconds: float | None) -> bytes:
        async with asyncio.timeout(seconds):
            return await self._reader.read(CHUNK)

    @property
    def ended(self) -> bool:
        """Return whether the other side is known to have closed the connection."""
        return self._reader.at_eof() or self._writer.is_closing()

    def end(self) -> None:
        """Tell the other side that no more data will follow."""
        with suppress(OSError):
            self._writer.write_eof()

    def abort(self) -> None:
        """Cut the connection, so that a partial response never looks complete."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the connection cleanly."""
        with suppress(OSError, ssl.SSLError, TimeoutError):
            if self._tls is not None:
                with suppress(ssl.SSLWantReadError):
                    self._tls.unwrap()
                self._writer.write(self._outgoing.read())
            self._writer.close()
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        self._writer.transport.abort()
