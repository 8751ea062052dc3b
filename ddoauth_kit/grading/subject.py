"""Run the server under test, read its output, and find the start of its flow."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ddoauth_kit.grading.front.process import ForeignProcess
from ddoauth_kit.grading.settings import SettingsError
from ddoauth_kit.masking.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import IO, Self

    from ddoauth_kit.grading.customer import CustomerBrowser, SeenPage
    from ddoauth_kit.grading.html_page import PageForm
    from ddoauth_kit.grading.settings import StartSettings

READY_SECONDS: Final = 60.0
_TICK: Final = 0.05
_LAST_LINES: Final = 6
_ADDRESS: Final = re.compile(r"https://[^\s\"'<>\\]+")
_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectStart:
    """How to start the server: its command, its folder, and the sign that it is ready.

    `ready` is an address that responds, or text in the output; without it, the sign is an open
    port. `log` is a file that the server writes in addition to its output.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    place: str
    folder: Path | None = None
    ready: str = ""
    log: Path | None = None
    seconds: float = READY_SECONDS


class Subject:
    """Runs the server until `stop`; if it has no command, somebody else has already started it.

    Raises:
        SettingsError: `port_in_use`, `server_ended`, `server_not_ready`, `no_server`.
        FrontError: `command_not_found`, `command_not_started`.
    """

    def __init__(self, how: SubjectStart) -> None:
        self._how = how
        self._process: ForeignProcess | None = None
        self._output: IO[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._log_began = _size(how.log)
        self.starts = 0

    @property
    def by_hand(self) -> bool:
        """Return whether somebody else started the server, so the kit can't restart it."""
        return not self._how.command

    @property
    def alive(self) -> bool:
        """Return whether the process is alive or, without a process, whether the port responds."""
        if self.by_hand:
            return _answers(self._how.place)
        return self._process is not None and self._process.alive

    def start(self) -> Self:
        """Start the process and wait until it is ready."""
        if self.by_hand:
            self._check_runs()
            return self
        if self.starts == 0 and _answers(self._how.place):
            raise SettingsError(
                "port_in_use",
                f"Another program already answers at {_port_name(self._how.place)}. Stop it, or "
                "grade it with --sandbox URL.",
            )
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ddoauth-grade-")
        self._output = self._output_file.open("ab")
        self._process = ForeignProcess(
            self._how.command,
            environment=self._how.environment,
            folder=self._how.folder,
            output=self._output,
            grace=2.0,
        )
        self.starts += 1
        try:
            self._wait()
        except BaseException:
            self.close()
            raise
        return self

    def stop(self) -> None:
        """Stop the process and its children; its output stays readable until `close`."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()
        if self._output is not None:
            self._output.close()
            self._output = None

    def kill(self) -> None:
        """Kill the process and its children without warning, as in a crash."""
        if self._process is not None:
            self._process.send(getattr(signal, "SIGKILL", signal.SIGTERM))

    def restart(self, *, crash: bool = False) -> None:
        """Restart the server with its stored state; `crash` leaves it no time to store more."""
        if crash:
            self.kill()
        self.stop()
        self._wait_for_port(free=True)
        self.start()

    def close(self) -> None:
        """Stop the process and discard its output."""
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def written(self, *, since: int = 0) -> str:
        """Return the server's output followed by the contents of its log file."""
        path = self._output_file
        output = path.read_bytes() if path.exists() else b""
        return (output[since:] + self._log_file()).decode(errors="replace")

    @property
    def mark(self) -> int:
        """Return the number of bytes of output so far, for `written`."""
        return _size(self._output_file)

    def last_lines(self) -> str:
        """Return the end of the output, to be shown with a failure; it may contain secrets."""
        return "\n".join(self.written().splitlines()[-_LAST_LINES:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _output_file(self) -> Path:
        return Path(self._folder.name if self._folder is not None else os.devnull) / "output"

    def _log_file(self) -> bytes:
        if self._how.log is None or not self._how.log.exists():
            return b""
        content = self._how.log.read_bytes()
        rotated = len(content) < self._log_began
        return content if rotated else content[self._log_began :]

    def _check_runs(self) -> None:
        if not _answers(self._how.place):
            raise SettingsError(
                "no_server",
                f"Nothing answers at {_port_name(self._how.place)}. Start your server with the "
                "variables that `ddoauth sandbox --env` prints.",
            )

    def _wait(self) -> None:
        until = time.monotonic() + self._how.seconds
        while time.monotonic() < until:
            if not self.alive:
                raise SettingsError("server_ended", self._ended_line())
            if self._is_ready():
                return
            time.sleep(_TICK)
        raise SettingsError(
            "server_not_ready",
            f"The server does not answer at {self._how.ready or _port_name(self._how.place)} after "
            f"{self._how.seconds:g} s. Check `ready` in [server], and the port.",
        )

    def _ended_line(self) -> str:
        code = self._process.wait(1.0) if self._process is not None else 0
        words = " ".join(self._how.command)
        said = redact(self.last_lines().rpartition("\n")[2].strip())
        told = f" Its last line: {said}" if said else ""
        return (
            f"`{words}` ended with exit code {code} before it was ready. Run it by itself to read "
            f"its output, or set what it needs in [server.env].{told}"
        )

    def _is_ready(self) -> bool:
        ready = self._how.ready
        if ready.startswith(("http://", "https://")):
            return _answers(ready)
        if ready:
            return ready in self.written() and _answers(self._how.place)
        return _answers(self._how.place)

    def _wait_for_port(self, *, free: bool) -> None:
        until = time.monotonic() + self._how.seconds
        while _answers(self._how.place) is free and time.monotonic() < until:
            time.sleep(_TICK)


class FlowNotFoundError(Exception):
    """The reason the flow did not reach Datadog: a stable code, and one line with advice."""

    def __init__(self, code: str, line: str, page: SeenPage | None = None) -> None:
        super().__init__(code, line)
        self.code = code
        self.line = line
        self.page = page

    def __str__(self) -> str:
        return self.line


def begin_flow(
    entry: StartSettings,
    browser: CustomerBrowser,
    *,
    is_datadog: Callable[[str], bool],
    tile: Mapping[str, str],
    written: Callable[[], str],
) -> str:
    """Start the flow in the browser, and return the Datadog address that the server sends it to.

    `tile` contains `site` and `domain`, which Datadog's tile adds to an onboarding URL.

    Raises:
        FlowNotFoundError: `no_server`, `server_slow`, `server_failed`, `server_closed`, `circle`,
            `login_needed`, `browser_needed`, `no_link`, `no_field`, `no_line`, `slow_down`.
    """
    if entry.url:
        address = with_pairs(entry.url, tile)
        return _reached(browser.open(address, until=is_datadog), is_datadog, browser=browser)
    if entry.page:
        page = browser.open(entry.page, until=is_datadog)
        return _reached(page, is_datadog, browser=browser)
    if entry.json:
        return _from_json(browser.open(entry.json), entry.field, is_datadog=is_datadog)
    return _from_log(written(), entry.log, is_datadog=is_datadog)


def with_pairs(url: str, pairs: Mapping[str, str]) -> str:
    """Add query parameters to an address, except those that it already has."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    named = {name for name, _ in query}
    query += [(name, value) for name, value in pairs.items() if name not in named]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _reached(page: SeenPage, is_datadog: Callable[[str], bool], *, browser: CustomerBrowser) -> str:
    if page.stopped_at:
        return page.stopped_at
    _check_came(page)
    links = [link.url for link in page.html.links]
    direct = [url for url in links if is_datadog(url)]
    if direct:
        return direct[0]
    forms = [form for form in page.html.forms if is_datadog(form.url)]
    if forms and forms[0].method == "GET":
        return with_pairs(forms[0].url, dict(forms[0].fields))
    return _followed(page, is_datadog, browser=browser)


def _followed(
    page: SeenPage, is_datadog: Callable[[str], bool], *, browser: CustomerBrowser
) -> str:
    """Follow what a person would click: a link or form that mentions Datadog, or the only one."""
    host = urlsplit(page.url).netloc
    links = [link for link in page.html.links if urlsplit(link.url).netloc == host]
    forms = [form for form in page.html.forms if urlsplit(form.url).netloc == host]
    named_links = [link for link in links if "datadog" in f"{link.url} {link.text}".lower()]
    named_forms = [form for form in forms if "datadog" in f"{form.url} {form.text}".lower()]
    login = next((form for form in forms if form.password), None)
    if named_links or named_forms:
        links, forms = named_links, named_forms
    if len(links) + len(forms) == 1 and (login is None or named_forms):
        if links:
            seen = browser.open(links[0].url, initiator=page.url, until=is_datadog)
        else:
            button = forms[0].buttons[0] if forms[0].buttons else None
            seen = browser.send(forms[0], page=page.url, button=button, until=is_datadog)
        if seen.stopped_at:
            return seen.stopped_at
        _check_came(seen)
        page = seen
    raise FlowNotFoundError(*_why_not(page, login=login), page)


def _why_not(page: SeenPage, *, login: PageForm | None) -> tuple[str, str]:
    where = _path(page.url)
    if login is not None:
        names = " and ".join(name for name, _ in login.fields)
        line = (
            f"{where} shows a login form for {_path(login.url)} with the fields {names}. Say in "
            "[login] how a fresh browser logs in."
        )
        return "login_needed", line
    if page.html.has_script and not page.html.links and not page.html.forms:
        line = (
            f"{where} opens Datadog with JavaScript, which needs a browser: add --browser, which "
            "drives Chromium with Playwright. Or name an address in [start] that redirects to "
            "Datadog, or a JSON answer or log line with it."
        )
        return "browser_needed", line
    line = (
        f"{where} has no redirect, and no single link or form, that leads to Datadog. In [start], "
        "name the address where the flow begins."
    )
    return "no_link", line


_FAILURES: Final[Mapping[str, tuple[str, str]]] = {
    "unreachable": ("no_server", "Nothing answers at {}. Check [start] and [server]."),
    "timeout": (
        "server_slow",
        "{} did not answer in time. Check the server, or raise `patience`.",
    ),
    "circle": ("circle", "{} redirects in a loop. Open it in a browser to see why."),
    "broken": (
        "server_closed",
        ("{} closed the connection while answering. Read the server's output."),
    ),
}
_STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    429: ("slow_down", "The server's own rate limit was reached: raise it while you grade."),
    401: ("login_needed", "Say in [login] how a new browser logs in."),
    403: ("login_needed", "Say in [login] how a new browser logs in."),
}
_SERVER_ERROR: Final = 500


def _check_came(page: SeenPage) -> None:
    """Raise an error if the page reports a problem."""
    where = _path(page.url)
    if page.failure:
        code, line = _FAILURES[page.failure]
        raise FlowNotFoundError(code, f"{line.format(where)}{_other_scheme(page)}", page)
    code, advice = _STATUSES.get(page.status, ("", ""))
    if page.status >= _SERVER_ERROR:
        code, advice = "server_failed", "Read the server's output, and check [server.env]."
    if code:
        raise FlowNotFoundError(code, f"{where} answered {page.status}. {advice}", page)


def _other_scheme(page: SeenPage) -> str:
    """If no response could be read, suggest that http and https may have been mixed up."""
    if page.failure == "unreachable" and page.url.startswith("https:"):
        return " If it serves plain http, write http:// there."
    if page.failure == "broken" and page.url.startswith("http:"):
        return " If it serves https, write https:// in [start]."
    return ""


def _from_json(page: SeenPage, name: str, *, is_datadog: Callable[[str], bool]) -> str:
    if page.stopped_at:
        return page.stopped_at
    _check_came(page)
    with contextlib.suppress(ValueError, KeyError, IndexError, TypeError):
        found: Any = json.loads(page.body)
        for key in name.split("."):
            found = found[int(key)] if isinstance(found, list) else found[key]
        if isinstance(found, str) and is_datadog(found):
            return found
    raise FlowNotFoundError(
        "no_field",
        f"The JSON of {_path(page.url)} has no Datadog address in the field {name!r}. Name "
        "another `field` in [start].",
        page,
    )


def _from_log(text: str, marker: str, *, is_datadog: Callable[[str], bool]) -> str:
    for line in reversed(text.splitlines()):
        if marker in line:
            for found in _ADDRESS.findall(line):
                if is_datadog(found):
                    return str(found)
    raise FlowNotFoundError(
        "no_line",
        f"No output line contains {marker!r} and a Datadog address. Check `log` in [start].",
    )


def _path(url: str) -> str:
    """Return an address without its query, which may contain a secret."""
    return url.partition("?")[0].partition("#")[0]


def _answers(address: str) -> bool:
    host, port = _host_and_port(address)
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    default = _HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT
    return parts.hostname or "127.0.0.1", parts.port or default


def _port_name(address: str) -> str:
    host, port = _host_and_port(address)
    return f"{host}:{port}"


def _size(path: Path | None) -> int:
    return path.stat().st_size if path is not None and path.exists() else 0
