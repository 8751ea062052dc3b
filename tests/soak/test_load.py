"""Under load, the sandbox responds correctly, and its memory does not grow."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from support.load import CONNECTIONS, get, post, run_load
from support.places import TESTS

from ddoauth_kit import create_api_key

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_GROWTH = 8.0


@pytest.mark.parametrize("seconds", [1.2, pytest.param(60.0, marks=pytest.mark.soak)])
def test_64_connections(seconds: float, record_property: Callable[[str, object], None]) -> None:
    """Refreshes, reads, writes and validations over 64 connections: valid responses, no growth."""
    sys.path.append(str(TESTS / "benchmarks"))
    from sandbox_process import authorized, oauth_client

    command = [sys.executable, "-m", "ddoauth_kit", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            description = json.loads(process.stdout.readline())
            client = oauth_client(description)
            tokens = authorized(client, "us1")
            key = create_api_key(client.http, tokens=tokens).key.reveal()
            client.http.close()
            url = urlsplit(description["sites"]["us1"]["api_url"])
            port = url.port or 0
            form = urlencode(
                {
                    "grant_type": "refresh_token",
                    "refresh_token": tokens.refresh_token.reveal() if tokens.refresh_token else "",
                    "client_id": description["client"]["client_id"],
                    "client_secret": description["client"]["client_secret"],
                }
            )
            check = json.dumps([{"check": "app.ok", "host_name": "h", "status": 0, "tags": []}])
            mix = [
                get(f"{url.path}/api/v1/validate", port=port, dd_api_key=key),
                post(f"{url.path}/api/v2/oauth2/token", form, port=port, kind=FORM),
                post(
                    f"{url.path}/api/v1/check_run",
                    check,
                    port=port,
                    kind="application/json",
                    dd_api_key=key,
                ),
            ]
            load = run_load(
                port,
                pid=process.pid,
                seconds=seconds,
                requests=lambda n: mix[n % len(mix)],
                least=len(mix),
            )
        finally:
            process.terminate()
    assert set(load.statuses) == {"200", "202"}
    if seconds > 10:
        assert load.growth < MOST_GROWTH
    record_property(
        "figure",
        f"{CONNECTIONS} connections for {load.seconds:.0f} s: {load.rate:.0f} answers a second, "
        f"{dict(load.statuses)}, memory {load.memory[-1]:.0f} MB, {load.growth:+.1f} MB since "
        "the first quarter",
    )


FORM = "application/x-www-form-urlencoded"
