"""A server that cannot be graded gets one clear line with its own code."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from support.graded import free_port

from ddoauth_kit.grading.customer import CustomerBrowser
from ddoauth_kit.grading.settings import SettingsError, StartSettings
from ddoauth_kit.grading.subject import (
    FlowNotFoundError,
    Subject,
    SubjectStart,
    begin_flow,
    with_pairs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONSENT = "https://app.datadoghq.com/oauth2/v1/authorize?client_id=x"
PAGES = {
    "/redirects": (302, "", {"Location": CONSENT}),
    "/link": (200, f"<a href='{CONSENT}'>Connect</a><a href='/help'>Help</a>", {}),
    "/two": (200, "<a href='/redirects'>Connect Datadog</a><a href='/help'>Help</a>", {}),
    "/form": (200, "<form method=post action=/redirects><button>Connect</button></form>", {}),
    "/json": (200, f'{{"go": ["{CONSENT}"]}}', {"Content-Type": "application/json"}),
    "/fails": (500, "Oops", {}),
    "/limits": (429, "Slow down", {"Retry-After": "600"}),
    "/private": (403, "Log in", {}),
    "/login": (200, "<form method=post action=/in><input name=password type=password></form>", {}),
    "/circle": (302, "", {"Location": "/circle"}),
    "/script": (200, "<script>location = 'x'</script>", {}),
    "/plain": (200, "<a href='/help'>Help</a><a href='/about'>About</a>", {}),
}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Serve the pages; `/silent` never answers."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/silent":
                over.wait()
                return
            status, text, headers = PAGES.get(path, (404, "", {}))
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    server.server_close()


def _begun(entry: StartSettings, *, written: str = "", seconds: float = 30.0) -> str:
    return begin_flow(
        entry,
        CustomerBrowser(seconds=seconds),
        is_datadog=lambda url: url.startswith("https://app.datadoghq.com/"),
        tile={"domain": "datadoghq.com"},
        written=lambda: written,
    )


@pytest.mark.parametrize("path", ["/redirects", "/link", "/two", "/form"])
def test_a_flow_begins_at_a_page(base: str, path: str) -> None:
    """A redirect, a link, the link that names Datadog and a form all lead there."""
    assert _begun(StartSettings(page=f"{base}{path}")) == CONSENT


def test_a_flow_begins_in_json_and_in_the_log(base: str) -> None:
    """The address can be in a named field of a JSON response or in a line of the output."""
    assert _begun(StartSettings(json=f"{base}/json", field="go.0")) == CONSENT
    assert _begun(StartSettings(log="open"), written=f"ready\nopen {CONSENT} now\n") == CONSENT


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/fails", "server_failed"),
        ("/limits", "slow_down"),
        ("/private", "login_needed"),
        ("/login", "login_needed"),
        ("/circle", "circle"),
        ("/script", "browser_needed"),
        ("/plain", "no_link"),
        ("/silent", "server_slow"),
    ],
)
def test_a_flow_that_does_not_begin_says_why(base: str, path: str, code: str) -> None:
    """Each obstacle has its own code, and the line names the address and what to do."""
    seconds = 0.5 if path == "/silent" else 30.0
    with pytest.raises(FlowNotFoundError) as caught:
        _begun(StartSettings(url=f"{base}{path}"), seconds=seconds)
    assert caught.value.code == code
    assert path in caught.value.line


def test_a_json_answer_without_the_field_says_so(base: str) -> None:
    """A field that does not exist is named."""
    with pytest.raises(FlowNotFoundError, match=r"'going'") as caught:
        _begun(StartSettings(json=f"{base}/json", field="going"))
    assert caught.value.code == "no_field"


def test_nothing_at_the_address_is_named() -> None:
    """A server that does not run is distinguished from one that fails."""
    with pytest.raises(FlowNotFoundError) as caught:
        _begun(StartSettings(url=f"http://127.0.0.1:{free_port()}/connect"))
    assert caught.value.code == "no_server"


def test_the_tile_adds_what_is_missing() -> None:
    """Existing parameters of the address stay unchanged."""
    url = "http://localhost/connect?domain=own&x=1"
    added = with_pairs(url, {"domain": "d", "site": "s"})
    assert added == "http://localhost/connect?domain=own&x=1&site=s"


SERVE = (
    "import http.server, sys; print('up', flush=True); "
    "http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), "
    "http.server.SimpleHTTPRequestHandler).serve_forever()"
)


def _start(folder: Path, *command: str, port: int) -> SubjectStart:
    return SubjectStart(
        command=command,
        environment={"PATH": "/usr/bin:/bin"},
        place=f"http://127.0.0.1:{port}/",
        folder=folder,
        seconds=60.0,
    )


def test_a_process_is_started_heard_and_started_again(tmp_path: Path) -> None:
    """The output of both starts is kept, and the end of a process is noticed."""
    port = free_port()
    how = _start(tmp_path, sys.executable, "-c", SERVE, str(port), port=port)
    with Subject(how) as subject:
        assert subject.alive
        mark = subject.mark
        subject.restart()
        assert subject.starts == 2
        assert "up" in subject.written(since=mark)
        subject.stop()
        assert not subject.alive


def test_a_command_that_ends_is_named_with_its_last_line(tmp_path: Path) -> None:
    """If a server ends at once, the message has its last line."""
    ends = "print('DD_CLIENT_ID is missing'); raise SystemExit(3)"
    with pytest.raises(SettingsError, match="exit code 3") as caught:
        Subject(_start(tmp_path, sys.executable, "-c", ends, port=free_port())).start()
    assert caught.value.code == "server_ended"
    assert "DD_CLIENT_ID is missing" in caught.value.line


def test_a_port_in_use_is_named(base: str, tmp_path: Path) -> None:
    """The grader starts no server beside one that has its port."""
    port = int(base.rpartition(":")[2])
    with pytest.raises(SettingsError, match=str(port)) as caught:
        Subject(_start(tmp_path, sys.executable, "-c", "pass", port=port)).start()
    assert caught.value.code == "port_in_use"
