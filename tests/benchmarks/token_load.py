"""Compare token requests over 64 connections with npm's oauth2-mock-server, in the same run.

`python tests/benchmarks/token_load.py FOLDER` wants the folder in which `npm install
oauth2-mock-server` was run. Both servers answer refreshes; the mock signs a JWT for each, and the
sandbox checks client, secret, token and site.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

sys.path.append(str(Path(__file__).parents[1]))

from sandbox_process import authorized, oauth_client
from support.load import CONNECTIONS, memory, post, run_load
from timing import summary, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 3
SECONDS = 20.0
FORM = "application/x-www-form-urlencoded"
MOCK = """
const {OAuth2Server} = require("oauth2-mock-server");
(async () => {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  console.log(server.address().port);
})();
"""


def _sandbox() -> tuple[subprocess.Popen[str], int, bytes]:
    """Start the sandbox, and return its port and a refresh for it."""
    command = [sys.executable, "-m", "ddoauth_kit", "sandbox"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    description: dict[str, Any] = json.loads(process.stdout.readline())
    client = oauth_client(description)
    tokens = authorized(client, "us1")
    url = urlsplit(description["sites"]["us1"]["api_url"])
    assert tokens.refresh_token is not None
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh_token.reveal(),
        "client_id": description["client"]["client_id"],
        "client_secret": description["client"]["client_secret"],
    }
    port = url.port or 0
    return (
        process,
        port,
        post(f"{url.path}/api/v2/oauth2/token", urlencode(form), port=port, kind=FORM),
    )


def _mock(folder: str) -> tuple[subprocess.Popen[str], int, bytes]:
    """Start the mock, and return its port and a refresh for it."""
    process = subprocess.Popen(["node", "-e", MOCK], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    form = urlencode({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "x"})
    return process, port, post("/token", form, port=port, kind=FORM)


def _measured(start: Callable[[], tuple[subprocess.Popen[str], int, bytes]]) -> dict[str, float]:
    process, port, request = start()
    with process:
        try:
            begun = memory(process.pid)
            load = run_load(port, pid=process.pid, seconds=SECONDS, requests=lambda _: request)
        finally:
            process.terminate()
    assert set(load.statuses) == {"200"}, load.statuses
    return {"rate": load.rate, "begin": begun, "end": load.memory[-1], "growth": load.growth}


def main(folder: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each server."""
    servers: dict[str, Callable[[], tuple[subprocess.Popen[str], int, bytes]]] = {
        "ddoauth sandbox": _sandbox,
        "oauth2-mock-server": lambda: _mock(folder),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, start in servers.items():
            found[name].append(_measured(start))
            time.sleep(1)
    for name, rounds in found.items():
        cells = (summary([each[key] for each in rounds]) for key in rounds[0])
        yield (name, *cells)


if __name__ == "__main__":
    heads = (f"{CONNECTIONS} connections", "answers/s", "MB at start", "MB at end", "MB growth")
    print(table(heads, list(main(sys.argv[1]))))  # noqa: T201 - the result
