"""The transport keeps to itself: its URLs carry codes, and the process's log is somebody else's."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from support.places import TESTS

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# A program of somebody's, with logging as loud as it can be, in which a customer authorizes.
LOUD = """
import json, logging, logging.config, sys
from urllib.parse import parse_qs, urlsplit
from uvicorn.config import LOGGING_CONFIG
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.lab.attempt import listener_of
from support.visitors import Person, get

logging.basicConfig(level=1, stream=sys.stderr)
secrets = []

def authorize(first):
    with listener_of(lab) as listener:
        first()
        person = Person()
        denied = person.decide(f"{listener.onboarding_url}?domain=datadoghq.com", "deny")
        get(f"{listener.redirect_uri}?state=guess&code=guessed-code")
        get(f"{lab.site.app_url}/oauth2/v1/authorize?state=guessed-state", connection="close")
        redirect = person.decide(f"{listener.onboarding_url}?domain=datadoghq.com")
        person.browser.open(redirect)
        tokens = listener.wait(60)
        lab.api_key(tokens)
        own = (lab.registration.secret, tokens.access_token, tokens.refresh_token)
        secrets.extend(secret.reveal() for secret in own)
        for url in (denied, redirect):
            query = parse_qs(urlsplit(url).query)
            secrets.extend([*query["state"], *query.get("code", ())])

def serve_too():
    logging.config.dictConfig({**LOGGING_CONFIG, "disable_existing_loggers": False})
    for name in ("uvicorn.access", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(1)
        logging.getLogger(name).propagate = True

with open_sandbox_lab() as lab:
    authorize(lambda: None)
    authorize(serve_too)
with open(sys.argv[1], "w") as file:
    json.dump(secrets, file)
"""


def test_no_log_of_the_process_tells_a_secret(tmp_path: Path) -> None:
    """At the lowest level, no record contains a state, code, verifier, token, key or secret.

    This holds with basic logging, and once the program has the log of its own server as well.
    """
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-c", LOUD, str(tmp_path / "secrets")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    secrets = json.loads((tmp_path / "secrets").read_text())
    assert len(secrets) == 12
    assert "httpcore" in done.stdout, "the log is not loud at all"
    assert not [s for s in (*secrets, "guessed-", "sandbox-", "code_challenge") if s in done.stdout]


def test_the_log_of_another_server_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that runs uvicorn itself keeps its own access log while a sandbox is there."""
    access = logging.getLogger("uvicorn.access")
    theirs = logging.NullHandler()
    monkeypatch.setattr(access, "handlers", [theirs])
    monkeypatch.setattr(access, "propagate", True)
    with Sandbox():
        assert access.handlers == [theirs]
        assert access.propagate
