"""Compare the callback listener's start to its first answer with the standard library's server."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from timing import summary, table

from ddoauth_kit.oauth.callback.listener import CallbackListener
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.lab.attempt import listener_of

ROUNDS = 200


class _Nothing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer as the listener does for a path that is not its own."""
        self.send_error(404)

    def log_message(self, *_args: object) -> None:
        """Write no log, as the listener does."""


def main() -> None:
    """Print milliseconds from the call that opens a port to the first answer from it."""
    lab = open_sandbox_lab()
    taken: dict[str, list[float]] = {"floor": [], "listener": [], "lab's": []}
    for _ in range(ROUNDS):
        taken["floor"].append(_floor())
        taken["listener"].append(
            _listener(CallbackListener(lab.oauth, finish=repr, register=lambda _urls: None))
        )
        taken["lab's"].append(_listener(listener_of(lab)))
    names = {
        "floor": "bare `ThreadingHTTPServer`",
        "listener": "`CallbackListener`",
        "lab's": "the same, registered with the sandbox",
    }
    rows = [(names[name], summary(times, digits=2)) for name, times in taken.items()]
    print(table(("server", "ms, median [min-max]"), rows))  # noqa: T201


def _floor() -> float:
    started = time.perf_counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Nothing)
    thread = threading.Thread(target=server.serve_forever, args=(0.001,))
    thread.start()
    _ask(server.server_port)
    taken = time.perf_counter() - started
    server.shutdown()
    thread.join()
    server.server_close()
    return taken * 1000


def _listener(listener: CallbackListener[object]) -> float:
    started = time.perf_counter()
    with listener:
        _ask(urlsplit(listener.redirect_uri).port or 0)
        taken = time.perf_counter() - started
    return taken * 1000


def _ask(port: int) -> None:
    """Read one answer: 404, from a server that is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/favicon.ico")
    assert connection.getresponse().status == 404
    connection.close()


if __name__ == "__main__":
    main()
