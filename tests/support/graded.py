"""Provide copies of the reference server with one mistake each, and their grading settings."""

from __future__ import annotations

import os
import random
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import ddoauth_kit
from ddoauth_kit.grading.settings import ClientSettings, settings_from

if TYPE_CHECKING:
    from ddoauth_kit.grading.settings import GradeSettings
    from support.mutant import Mutant

REFERENCE = Path(ddoauth_kit.__file__).parent / "grading" / "reference_server.py"
SCOPES = ("monitors_read", "api_keys_write")
PASSWORD = "canary-password-4711"
_FIRST_PORT = 20_000 + 3_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 4)
_PORTS = cycle(random.sample(range(_FIRST_PORT, _FIRST_PORT + 3_000), 3_000))
VARIABLES = {"GRADED_PASSWORD": PASSWORD, "GRADED_SESSION": "canary-session-4711"}


def clock_limit(seconds: float) -> float:
    """Return a time limit that grows if more programs run than there are cores."""
    return seconds * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


def free_port() -> int:
    """Return a free port below those that the system assigns automatically.

    Each test process has its own 3,000 ports, so two of them never use the same one. Threads that
    start servers side by side get different ones, too.
    """
    while True:
        port = next(_PORTS)
        with suppress(OSError), socket.socket() as free:
            free.bind(("127.0.0.1", port))
            return port


def server_copy(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write a copy of the reference server with each old text replaced by the new one."""
    text = REFERENCE.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the server"
        text = text.replace(old, new)
    path = folder / "server.py"
    path.write_text(text.replace("ddoauth_kit.grading.reference_server:app", "server:app"), "utf-8")
    return path


def reference_settings(
    folder: Path, *, server: Path | None = None, **tables: object
) -> GradeSettings:
    """Return settings for the reference server or a copy; `tables` replace those in the file.

    The variables of `VARIABLES` must be set.
    """
    base = f"http://127.0.0.1:{free_port()}"
    state = folder / "state"
    state.mkdir(exist_ok=True)
    program = [str(server)] if server else ["-m", "ddoauth_kit.grading.reference_server"]
    document: dict[str, object] = {
        "start": {"url": f"{base}/connect/datadog"},
        "connected": {"text": "Connected to Datadog"},
        "sites": ["us1", "eu1"],
        "client": {"redirect_uris": [f"{base}/oauth/callback"], "scopes": list(SCOPES)},
        "server": {
            "command": [sys.executable, *program],
            "env": {
                "DD_CLIENT_ID": "{client_id}",
                "DD_CLIENT_SECRET": "{client_secret}",
                "REDIRECT_URI": f"{base}/oauth/callback",
                "SCOPES": " ".join(SCOPES),
                "STATE_FOLDER": str(state),
                "SESSION_SECRET": "{env:GRADED_SESSION}",
                "LOGIN_PASSWORD": "{env:GRADED_PASSWORD}",
                "PORT": base.rpartition(":")[2],
            },
        },
        "login": {
            "url": f"{base}/login",
            "form": {"account": "ada-{account}", "password": "{env:GRADED_PASSWORD}"},
        },
        "send": {"url": f"{base}/send"},
        "call": {"url": f"{base}/call", "method": "GET"},
        "refresh": {"url": f"{base}/refresh"},
        "disconnect": {"url": f"{base}/disconnect"},
        "list": {"url": f"{base}/connections", "method": "GET"},
    }
    return settings_from({**document, **tables}, folder=folder)


def mutant_settings(folder: Path, mutant: Mutant) -> GradeSettings:
    """Return settings for a copy with a mistake; it has one more scope than it needs."""
    settings = reference_settings(folder, server=server_copy(folder, *mutant.changes))
    uris, scopes = settings.client.redirect_uris, (*SCOPES, "dashboards_read")
    return replace(settings, client=ClientSettings(redirect_uris=uris, scopes=scopes))
