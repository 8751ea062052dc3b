"""Open a front for a sandbox, and report the requests that it saw and those that it missed."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.chromium import chromium
from ddoauth_kit.grading.front.environment import front_environment, parent_proxy
from ddoauth_kit.grading.front.hosts import HostTable
from ddoauth_kit.grading.front.proxy import Front
from ddoauth_kit.grading.front.records import Treatment
from ddoauth_kit.grading.front.trust_files import TrustFiles
from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from ddoauth_kit.grading.front.environment import FrontEnvironment
    from ddoauth_kit.grading.front.process import ForeignProcess
    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.sandbox.server.journal import JournalEntry

PATIENCE: Final = 5.0
_TICK: Final = 0.25
_CONSENT: Final = "/oauth2/v1/authorize"
_HTTPS: Final = 443
_PROXY: Final = (
    "HTTPS_PROXY",
    "check that nothing removes it, and that the client reads proxy variables",
)
# The variable that each runtime reads, and why it may not have reached the client.
_RUNTIMES: Final[Mapping[str, tuple[str, str]]] = {
    "node npm npx yarn pnpm tsx next": (
        "NODE_OPTIONS",
        "check that no script replaces it; it loads the front's preload file",
    ),
    "java mvn gradle": ("JAVA_TOOL_OPTIONS", "check that no script replaces it"),
    "python uvicorn gunicorn flask hypercorn pytest uv poetry": (
        "HTTPS_PROXY",
        "aiohttp needs trust_env=True; http.client and urllib3 do not read it",
    ),
    "ruby rails puma bundle rackup": (
        "http_proxy",
        "Net::HTTP.get_response(uri) and Net::HTTP.start(host) do not read it",
    ),
    "php composer": ("HTTPS_PROXY", "PHP's streams do not read it; its curl does"),
    "perl": ("PERL_LWP_ENV_PROXY", "check that nothing removes it"),
    "go": ("HTTPS_PROXY", "a Transport needs Proxy: http.ProxyFromEnvironment"),
}


@dataclass(frozen=True, slots=True)
class FrontSession:
    """What a process needs to reach the front."""

    url: str
    ca_file: Path
    environment: FrontEnvironment
    _front_for: Callable[[Callable[[FrontRecord], None]], Front]
    _fingerprint: str

    @contextmanager
    def browser(
        self, url: str, *, record: Callable[[FrontRecord], None], more: Sequence[str] = ()
    ) -> Iterator[ForeignProcess]:
        """Show a page in Chromium; `record` receives only its requests, not the command's.

        Raises:
            FrontError: `no_browser`.
        """
        with (
            self._front_for(record).listen_as_proxy() as front,
            chromium(
                url,
                proxy_url=front.url,
                fingerprint=self._fingerprint,
                environment=os.environ,
                more=more,
            ) as process,
        ):
            yield process


@contextmanager
def front_before(
    base_url: str,
    *,
    before: Mapping[str, str],
    record: Callable[[FrontRecord], None],
    allow: Iterable[str] = (),
) -> Iterator[FrontSession]:
    """Serve a front for the sandbox at `base_url`; `before` is the current environment.

    Raises:
        FrontError: `no_trustme`, `bad_allowed_host`, `port_taken`.
    """
    authority = Authority()

    def front_for(take: Callable[[FrontRecord], None]) -> Front:
        return Front(
            HostTable.of_sandbox(base_url),
            authority,
            record=take,
            allow=allow,
            parent_proxy=parent_proxy(before),
        )

    front = front_for(record).listen_as_proxy()
    with front, TrustFiles(authority, environment=before) as trust:
        made = front_environment(before, proxy_url=front.url, trust=trust)
        yield FrontSession(front.url, trust.ca_file(), made, front_for, authority.fingerprint)


@contextmanager
def front_alone(
    base_url: str, *, before: Mapping[str, str], record: Callable[[FrontRecord], None]
) -> Iterator[tuple[str, Path]]:
    """Serve a front for programs that set a proxy themselves; yield its address and CA file.

    It starts twice as fast as `front_before`, which writes trust files for every runtime.

    Raises:
        FrontError: `no_trustme`, `port_taken`.
    """
    authority = Authority()
    hosts, parent = HostTable.of_sandbox(base_url), parent_proxy(before)
    front = Front(hosts, authority, record=record, parent_proxy=parent).listen_as_proxy()
    with front, TrustFiles(authority, environment=before) as trust:
        yield front.url, trust.ca_file()


def record_line(record: FrontRecord) -> str:
    """Describe what the front saw in one line, with field names but without values."""
    place = record.host if record.port == _HTTPS else f"{record.host}:{record.port}"
    asked = f"{record.method} {place or '(no host)'}{record.path}".strip()
    if record.treatment is Treatment.FORWARDED:
        return f"{asked} {record.status}"
    if record.treatment is Treatment.TUNNELLED:
        return f"{asked} allowed, not inspected"
    if record.treatment is Treatment.FAILED:
        return f"{asked} cut off: the answer was incomplete"
    status = f" {record.status}" if record.status else ""
    return f"{asked}{status} refused: {record.line}{_sent(record)}"


def _sent(record: FrontRecord) -> str:
    groups = {
        "in the body": record.body_fields,
        "in the URL": record.query_fields,
        "as headers": record.credential_headers,
    }
    parts = [f"{', '.join(names)} {where}" for where, names in groups.items() if names]
    return f" The client had sent: {'; '.join(parts)}." if parts else ""


def likely_variable(command: Sequence[str]) -> tuple[str, str]:
    """Return the variable that a command's runtime reads, and why a client may ignore it."""
    program = PurePath(command[0]).name.lower().removesuffix(".exe").rstrip("0123456789.")
    return next((told for names, told in _RUNTIMES.items() if program in names.split()), _PROXY)


class ArrivalWatch:
    """Warns once if the command sends nothing after the customer responds on the consent page.

    `journal` returns the requests that the sandbox has handled so far. `saw` receives the front's
    refusals, which also prove that the command reads its variables.
    """

    def __init__(
        self,
        journal: Callable[[], Sequence[JournalEntry]],
        *,
        command: Sequence[str],
        warn: Callable[[str], None],
        patience: float = PATIENCE,
    ) -> None:
        self._journal = journal
        self._command = command
        self._warn = warn
        self._patience = patience
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ddoauth-arrivals", daemon=True)

    def saw(self, record: FrontRecord) -> None:
        """Note that a request reached the front."""
        if record.treatment is not Treatment.FORWARDED:
            self._over.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        answered: float | None = None
        while not self._over.wait(_TICK):
            entries = self._journal()
            if any(entry.role not in {"app", None} for entry in entries):
                return
            if answered is None and any(map(_is_decision, entries)):
                answered = time.monotonic()
            if answered is not None and time.monotonic() - answered >= self._patience:
                self._warn(self._line())
                return

    def _line(self) -> str:
        name, why = likely_variable(self._command)
        seconds = counted(f"{self._patience:g}", "second")
        return (
            f"warning: The customer responded on Datadog's page {seconds} ago, but the sandbox has "
            "received no call from the command. If the customer consented, the command bypasses "
            f"the front: most likely its client does not get {name} ({why})."
        )


def _is_decision(entry: JournalEntry) -> bool:
    return entry.role == "app" and entry.method == "POST" and entry.path == _CONSENT
