"""Measure what the front adds to a request on a kept connection, beside the sandbox alone."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
from sandbox_process import sandbox_process
from timing import summary, table

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCHES, ROUNDS = 20, 200
HOST = "api.datadoghq.eu"
PATH = "/api/v2/current_user"


def serve(base_url: str) -> None:
    """Be the front: print address and certificate, and end with standard input."""
    from ddoauth_kit.grading.front.authority import Authority
    from ddoauth_kit.grading.front.hosts import HostTable
    from ddoauth_kit.grading.front.proxy import Front

    authority = Authority()
    front = Front(HostTable.of_sandbox(base_url), authority, record=lambda _: None)
    with front.listen_as_proxy():
        said = {"port": front.port, "certificate": authority.certificate.decode()}
        print(json.dumps(said), flush=True)  # noqa: T201
        sys.stdin.read()


@contextmanager
def front_process(base_url: str) -> Iterator[tuple[dict[str, Any], psutil.Process]]:
    """Run the front in a process of its own."""
    command = [sys.executable, __file__, base_url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), psutil.Process(process.pid)
        process.stdin.close()


def timed(link: http.client.HTTPConnection, path: str) -> float:
    """Return the milliseconds of one request."""
    started = time.perf_counter()
    link.request("GET", path)
    link.getresponse().read()
    return (time.perf_counter() - started) * 1000


def measure() -> None:
    """Print both, request by request in turn, and the processor time of the front."""
    with sandbox_process() as said:
        api = said["sites"]["eu1"]["api_url"]
        base = api.removesuffix("/eu1/api")
        place = urlsplit(base)
        with front_process(base) as (front, process):
            alone = http.client.HTTPConnection(place.hostname or "", place.port)
            trust = ssl.create_default_context(cadata=front["certificate"])
            behind = http.client.HTTPSConnection("127.0.0.1", front["port"], context=trust)
            behind.set_tunnel(HOST, 443)
            for _ in range(100):
                timed(alone, f"/eu1/api{PATH}")
                timed(behind, PATH)
            pairs: list[tuple[float, float]] = []
            costs: list[float] = []
            for _ in range(BATCHES):
                before = sum(process.cpu_times()[:2])
                pairs += [
                    (timed(alone, f"/eu1/api{PATH}"), timed(behind, PATH)) for _ in range(ROUNDS)
                ]
                costs.append((sum(process.cpu_times()[:2]) - before) / ROUNDS * 1000)
    rows = [
        ("sandbox alone", summary([a for a, _ in pairs], digits=2)),
        ("through the front", summary([b for _, b in pairs], digits=2)),
        ("difference, request by request", summary([b - a for a, b in pairs], digits=2)),
        ("processor time of the front, in batches", summary(costs, digits=2)),
    ]
    print(table(("GET of one account", "ms"), rows))  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1])
    else:
        measure()
