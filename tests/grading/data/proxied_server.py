"""Run the reference server at INNER_PORT, and a reverse proxy before it at PORT."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INNER = int(os.environ["INNER_PORT"])
HOP = {"connection", "content-length", "host", "transfer-encoding"}


class Relay(BaseHTTPRequestHandler):
    """Pass each request on under another host, as a proxy that ends TLS does."""

    def do_GET(self) -> None:
        """Ask the server and pass on its response."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name: text for name, text in self.headers.items() if name.lower() not in HOP}
        headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "http"}
        inner = http.client.HTTPConnection("127.0.0.1", INNER)
        inner.request(self.command, self.path, body, {**headers, "Host": "acme.internal"})
        answer = inner.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the name that the base class looks for

    def log_message(self, *_: object) -> None:
        """Log nothing: an address may contain a code."""


def _wait() -> None:
    for _ in range(600):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", INNER)) == 0:
                return
        time.sleep(0.05)


if __name__ == "__main__":
    module = [sys.executable, "-m", "ddoauth_kit.grading.reference_server"]
    with subprocess.Popen(module, env={**os.environ, "PORT": str(INNER)}) as server:
        _wait()
        try:
            ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Relay).serve_forever()
        finally:
            server.terminate()
