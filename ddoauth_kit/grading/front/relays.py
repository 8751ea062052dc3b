"""Relay connections between a namespace and the machine outside, through a Unix socket.

A namespace has its own loopback interface but sees the same files. `--forward PORT` starts a relay
outside, from a Unix socket to the port, and a relay inside, from the port to the Unix socket.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.front_error import FrontError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from types import TracebackType
    from typing import Self

_CHUNK: Final = 64 * 1024


class Relay:
    """Relays each connection from one end to the other, in a separate thread.

    An end is a port on 127.0.0.1, or the path of a Unix socket, which is created with mode 0600.

    Raises:
        FrontError: `port_taken`.
    """

    def __init__(self, *, listen: int | Path, connect: int | Path) -> None:
        self._listen = listen
        self._connect = connect
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._ready = threading.Event()
        self._failed: OSError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="ddoauth-relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            self._thread.join()
            raise FrontError(
                "port_taken",
                f"{self._listen} cannot be opened ({self._failed.strerror}). "
                "Stop the program that uses it, then start again.",
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            if isinstance(self._listen, int):
                server = await asyncio.start_server(self._accept, "127.0.0.1", self._listen)
            else:
                server = await asyncio.start_unix_server(self._accept, self._listen)
                self._listen.chmod(0o600)
        except OSError as error:
            self._failed = error
            return
        finally:
            self._ready.set()
        await self._stopped.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(self._listen, Path):
            self._listen.unlink(missing_ok=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if isinstance(self._connect, int):
                there, out = await asyncio.open_connection("127.0.0.1", self._connect)
            else:
                there, out = await asyncio.open_unix_connection(self._connect)
        except OSError:
            writer.transport.abort()
            return
        try:
            with suppress(OSError):
                await asyncio.gather(_copy(reader, out), _copy(there, writer))
        finally:
            writer.transport.abort()
            out.transport.abort()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
