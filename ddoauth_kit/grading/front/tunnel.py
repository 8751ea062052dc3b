"""Pass connections to this machine and to allowed hosts through unchanged and unread."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ddoauth_kit.grading.front.front_error import FrontError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv6Address

    from ddoauth_kit.grading.front.channel import Channel
    from ddoauth_kit.grading.front.hosts import HostTable

_CHUNK: Final = 64 * 1024
_LOCAL: Final = frozenset({"localhost", "0.0.0.0", "::"})  # noqa: S104 - recognised, not bound
_RULE: Final = re.compile(r"(\*\.)?([a-z0-9_.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?")
_GOOD: Final = re.compile(rb"HTTP/1\.[01] 2\d\d[ \r]")


class Allowed:
    """The hosts that the user allowed: `HOST`, `HOST:PORT` or `*.DOMAIN`.

    Raises:
        FrontError: `bad_allowed_host`, also for one of Datadog's hosts.
    """

    def __init__(self, hosts: Iterable[str], *, datadog: HostTable) -> None:
        self._rules = tuple(_rule(host.lower(), datadog=datadog) for host in hosts)

    def admits(self, host: str, port: int) -> bool:
        """Return whether any rule covers a lower-case host name."""
        return any(
            (host.endswith(f".{name}") if below else host == name) and number in {0, port}
            for below, name, number in self._rules
        )


def _rule(text: str, *, datadog: HostTable) -> tuple[bool, str, int]:
    found = _RULE.fullmatch(text)
    if found is None:
        raise FrontError(
            "bad_allowed_host",
            f"{text[:80]!a} is not a host for --allow. Write HOST, HOST:PORT or *.DOMAIN.",
        )
    below, name, port = bool(found[1]), found[2].strip("[]"), int(found[3] or 0)
    covered = [h.name for h in datadog if h.name == name or (below and h.name.endswith(f".{name}"))]
    if covered:
        raise FrontError(
            "bad_allowed_host",
            f"{text} covers {covered[0]}, one of Datadog's hosts. The sandbox answers for those, "
            "so leave it out of --allow.",
        )
    return below, name, port


def is_this_machine(host: str) -> bool:
    """Return whether a name or address is a loopback address of this machine."""
    if host in _LOCAL or host.endswith(".localhost"):
        return True
    address = as_address(host)
    if address is None:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or bool(mapped and mapped.is_loopback)


def as_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return an IP address, or None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


async def open_tunnel(
    host: str, port: int, *, parent: str | None, seconds: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a host, through the already configured proxy if there is one.

    Raises:
        OSError: the connection failed, or the other proxy refused it.
    """
    async with asyncio.timeout(seconds):
        if parent is None or is_this_machine(host):
            return await asyncio.open_connection(host, port)
        parts = urlsplit(parent)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            writer.write(_connect_request(host, port, user=parts.username, word=parts.password))
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = b""
        if not _GOOD.match(head):
            writer.transport.abort()
            raise ConnectionRefusedError("the proxy that was already configured refused")
        return reader, writer


def _connect_request(host: str, port: int, *, user: str | None, word: str | None) -> bytes:
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {name} HTTP/1.1", f"Host: {name}"]
    if user is not None:
        pair = f"{unquote(user)}:{unquote(word or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def relay(
    client: Channel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Relay bytes in both directions until both sides have closed."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_upwards(client, writer))
            both.create_task(_downwards(reader, client))
    except* OSError:
        client.abort()
    finally:
        writer.transport.abort()


async def _upwards(client: Channel, writer: asyncio.StreamWriter) -> None:
    while data := await client.receive(None):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _downwards(reader: asyncio.StreamReader, client: Channel) -> None:
    while data := await reader.read(_CHUNK):
        await client.send(data, None)
    client.end()
