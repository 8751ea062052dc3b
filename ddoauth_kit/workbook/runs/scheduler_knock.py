"""Find out within seconds whether a Dask scheduler responds at an address.

If something else is listening there, Dask itself tries for half a minute and prints tracebacks. So
this module reads the first bytes of Dask's protocol, after a TLS handshake or a WebSocket upgrade
if the address requires it.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    import ssl

KNOCK_SECONDS: Final = 5
_SCHEMES: Final = {"": "tcp", "tcp": "tcp", "tls": "tls", "ws": "ws", "wss": "wss"}
_ENCRYPTED: Final = frozenset({"tls", "wss"})
# A scheduler's first message is small, and begins with its length (distributed.comm.tcp).
_LENGTH: Final = 8
_MOST: Final = 64 * 1024
_UPGRADE: Final = (
    "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: ZGRvYXV0aC1raXQga25vY2tzIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_UPGRADED: Final = b"HTTP/1.1 101"


def knock(address: str) -> None:
    """Return only if a scheduler responds.

    Raises:
        InputError: `no_executor`.
    """
    scheme, host, port = _parts(address)
    try:
        with socket.create_connection((host, port), timeout=KNOCK_SECONDS) as plain:
            plain.settimeout(KNOCK_SECONDS)
            if scheme in _ENCRYPTED:
                with _client_context().wrap_socket(plain, server_hostname=host) as encrypted:
                    _greet(encrypted, scheme, f"{host}:{port}")
            else:
                _greet(plain, scheme, f"{host}:{port}")
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        what = f"No Dask scheduler answers at {address!r}: {why}."
        raise InputError("no_executor", what) from None


def _parts(address: str) -> tuple[str, str, int]:
    named, _, rest = address.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if (scheme := _SCHEMES.get(named)) is None:
        what = f"{address!r:.80} does not begin with tcp://, tls://, ws:// or wss://."
        raise InputError("no_executor", what)
    if not host or not port:
        raise InputError("no_executor", f"{address!r:.80} is not a host and a port.")
    return scheme, host, port


def _client_context() -> ssl.SSLContext:
    """Return a TLS context from Dask's own settings."""
    try:
        from distributed.security import Security

        context = Security().get_connection_args("client")["ssl_context"]
    except (ModuleNotFoundError, OSError, ValueError, TypeError):
        context = None
    if context is None:
        what = (
            "tls:// and wss:// need certificates that Dask can read: set "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, and for its client CERT and KEY, as Dask's "
            "pages on TLS say."
        )
        raise InputError("no_executor", what)
    found: ssl.SSLContext = context
    return found


def _greet(connection: socket.socket, scheme: str, host: str) -> None:
    if scheme in {"ws", "wss"}:
        connection.sendall(_UPGRADE.format(host=host).encode("ascii", "replace"))
        if _first(connection, len(_UPGRADED)) != _UPGRADED:
            raise ConnectionAbortedError(0, "it does not speak WebSocket")
        return
    if not 0 < int.from_bytes(_first(connection, _LENGTH), "little") <= _MOST:
        raise ConnectionAbortedError(0, "it does not speak Dask's protocol")


def _first(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            raise ConnectionAbortedError(0, "it closed the connection")
        found += more
    return found
