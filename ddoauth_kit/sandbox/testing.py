"""A sandbox for tests that reports what the client under test did."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.sandbox import Sandbox
from ddoauth_kit.sandbox.sandbox_error import SandboxError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ddoauth_kit.sandbox.server.journal import JournalEntry

TOKEN_PATHS = frozenset({"/api/v2/oauth2/token", "/oauth2/v1/token"})
KEY_PATH = "/api/v2/api_keys/marketplace"
_LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain"})


class ForeignHostError(OSError):
    """A refused connection that would have left this machine."""


class WatchedSandbox(Sandbox):
    """A sandbox that also confines this process's connections to this machine.

    `refused` lists the other hosts that the test tried to reach, in order.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of Sandbox
        super().__init__(**options)
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        super().__enter__()
        _watch(self.refused)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _GUARDS.remove(self.refused)
        super().__exit__(kind, error, trace)

    @property
    def token_requests(self) -> list[JournalEntry]:
        """Return the requests to either token endpoint, for any site and grant type."""
        return [entry for entry in self.journal if entry.path in TOKEN_PATHS]

    @property
    def refreshes(self) -> list[JournalEntry]:
        """Return the token requests with a refresh token."""
        return [entry for entry in self.token_requests if "refresh_token" in entry.fields]

    def assert_token_requests(self, count: int) -> None:
        """Fail unless the token endpoint received this many requests; a correct exchange is 1."""
        _equal("token requests", self.token_requests, count)

    def assert_refreshes(self, count: int) -> None:
        """Fail unless this many refreshes were sent: one per expiry, even if many calls wait."""
        _equal("refreshes", self.refreshes, count)

    def assert_key_requests(self, count: int) -> None:
        """Fail unless the API key was requested this many times; a second request can't succeed."""
        _equal("key requests", [e for e in self.journal if e.path == KEY_PATH], count)

    def assert_only_sites(self, *names: str) -> None:
        """Fail if a request went to a site other than these, or to an unknown address."""
        unknown = set(names) - set(self.endpoints)
        if unknown:
            raise SandboxError(f"unknown sites: {', '.join(sorted(unknown))}")
        strays = [entry for entry in self.journal if entry.site not in names]
        if strays:
            raise AssertionError(f"requests to sites other than {names}: {_lines(strays)}")

    def assert_nothing_left(self) -> None:
        """Fail if this process tried to reach any host other than this machine.

        It doesn't see connections of separate processes that the test started.
        """
        if self.refused:
            raise AssertionError(f"requests outside the allow-list: {', '.join(self.refused)}")


def _equal(what: str, entries: list[JournalEntry], count: int) -> None:
    if len(entries) != count:
        raise AssertionError(f"{len(entries)} {what}, expected {count}: {_lines(entries)}")


def _lines(entries: list[JournalEntry]) -> str:
    lines = [f"{e.method} {e.site} {e.path} -> {e.status} {list(e.fields)}" for e in entries]
    return "; ".join(lines) or "none"


_GUARDS: list[list[str]] = []
_HOOKED: list[bool] = []


def _watch(refused: list[str]) -> None:
    """Record and refuse foreign connections from now on, with a Python audit hook.

    A hook can't be removed, so there is only one, and it does nothing while no test is watching.
    """
    _GUARDS.append(refused)
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _GUARDS or not event.startswith("socket."):
        return
    host = _host(event, arguments)
    if host is None or _is_local(host):
        return
    for refused in _GUARDS:
        refused.append(host)
    raise ForeignHostError(
        f"{host} is not this machine; tests with the sandbox may not connect to other hosts"
    )


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host in an audit event, or None if there is none."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        found = arguments[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        found = arguments[1][0]
    else:
        return None
    return found.decode("ascii", "replace") if isinstance(found, bytes) else str(found or "")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in _LOCAL_NAMES
