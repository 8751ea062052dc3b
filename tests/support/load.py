"""Load a server over many connections at once, and measure its process's memory."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS = 64
WARM_UP = 0.25


@dataclass
class Load:
    """The results of a load test: responses by status, seconds, and resident memory in MB."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return responses per second."""
        return sum(self.statuses.values()) / self.seconds

    @property
    def growth(self) -> float:
        """Return the growth of memory, in MB, from the end of the warm-up to the end."""
        warm = self.memory[int(len(self.memory) * WARM_UP)]
        return self.memory[-1] - warm


def run_load(
    port: int, *, pid: int, seconds: float, requests: Callable[[int], bytes], least: int = 0
) -> Load:
    """Keep 64 connections busy; `requests` gives the complete bytes of the next request.

    Each connection carries at least `least` requests, however long that takes.
    """
    return asyncio.run(_run(port, pid, seconds, requests, least))


def post(path: str, body: str, *, port: int, kind: str, **headers: str) -> bytes:
    """Write a request with a body."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def get(path: str, *, port: int, **headers: str) -> bytes:
    """Write a request without a body."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def memory(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process is gone")


async def _run(
    port: int, pid: int, seconds: float, requests: Callable[[int], bytes], least: int
) -> Load:
    load = Load()
    begun = time.perf_counter()
    end = begun + seconds
    watch = asyncio.create_task(_watch(load, pid, end))
    connections = (_connection(port, end, load, requests, least) for _ in range(CONNECTIONS))
    await asyncio.gather(*connections)
    load.seconds = time.perf_counter() - begun
    await watch
    return load


async def _watch(load: Load, pid: int, end: float) -> None:
    while time.perf_counter() < end:
        load.memory.append(memory(pid))
        await asyncio.sleep(0.1)


async def _connection(
    port: int, end: float, load: Load, requests: Callable[[int], bytes], least: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.perf_counter() < end or number < least:
        writer.write(requests(number))
        number += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            0,
        )
        await reader.readexactly(length)
        load.statuses[head.split(b" ", 2)[1].decode()] += 1
    writer.close()
    await writer.wait_closed()
