"""Make API keys in processes that may be killed: one fork for each line of JSON on stdin.

Each action of a fork is reported on stdout, on its own line: `start PID`, `arrived` as soon as the
answer's last byte is read, `kept MICROSECONDS` when the store has accepted the key, or `refused
CODE`. `end` follows when the fork has ended, for whatever reason. After `start`, a fork waits for a
line end, so that nobody looks for it too late.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox_process import oauth_client
from support.builders import tokens

from ddoauth_kit import Secret
from ddoauth_kit.api.api_keys import create_kept_api_key
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.sender import Http, _trusted_certificates
from ddoauth_kit.store import FileStore, Slot


class WatchedHttp(Http):
    """Record when a response has arrived, before anything reads it."""

    arrived = 0.0

    def _received(self, client: Any, request: Any, watch: Any) -> Any:
        found = super()._received(client, request, watch)
        self.arrived = time.perf_counter()
        _say("arrived")
        return found


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def _make(order: dict[str, str], template: Any, folder: Path) -> None:
    _say(f"start {os.getpid()}")
    os.read(0, 1)
    grant = replace(template, access_token=Secret(order["token"], label="access_token"))
    http = WatchedHttp()
    try:
        create_kept_api_key(
            http, tokens=grant, store=FileStore(folder), slot=Slot(*order["slot"].split())
        )
    except DdoauthError as error:
        _say(f"refused {error.code}")
    else:
        _say(f"kept {(time.perf_counter() - http.arrived) * 1e6:.0f}")


def main() -> None:
    """Prepare what all forks share, then fork for each line."""
    folder = Path(sys.argv[1])
    client = oauth_client(json.loads(sys.stdin.readline()))
    template = tokens(site=client.sites.named("us1"))
    _trusted_certificates()
    _say("ready")
    for line in sys.stdin:
        if line == "\n":  # a killed fork did not read it
            continue
        fork = os.fork()
        if not fork:
            _make(json.loads(line), template, folder)
            os._exit(0)
        os.waitpid(fork, 0)
        _say("end")


if __name__ == "__main__":
    main()
