"""The transport keeps to itself: its URLs carry codes, and the process's log is somebody else's."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from support.places import TESTS

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

# A program of somebody's, with logging as loud as it can be, in which a customer authorizes.
LOUD = """
import json, logging, logging.config, sys
from uvicorn.config import LOGGING_CONFIG
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.lab.attempt import listener_of
from support.visitors import Person, get

logging.basicConfig(level=1, stream=sys.stderr)
with open_sandbox_lab() as lab, listener_of(lab) as listener:
    if sys.argv[1] == "a server of its own":
        logging.config.dictConfig({**LOGGING_CONFIG, "disable_existing_loggers": False})
        for name in ("uvicorn.access", "uvicorn.error", "uvicorn.asgi"):
            logging.getLogger(name).setLevel(1)
            logging.getLogger(name).propagate = True
    person = Person()
    denied = person.decide(f"{listener.onboarding_url}?domain=datadoghq.com", "deny")
    get(f"{listener.redirect_uri}?state=guess&code=guessed-code")
    get(f"{lab.site.app_url}/oauth2/v1/authorize?state=guessed-state", connection="close")
    redirect = person.decide(f"{listener.onboarding_url}?domain=datadoghq.com")
    person.browser.open(redirect)
    tokens = listener.wait(5)
    lab.api_key(tokens)
    secrets = [lab.registration.secret, tokens.access_token, tokens.refresh_token]
    with open(sys.argv[2], "w") as file:
        json.dump([denied, redirect, *(secret.reveal() for secret in secrets)], file)
"""


@pytest.mark.parametrize("program", ["basic logging", "a server of its own"])
def test_no_log_of_the_process_tells_a_secret(program: str, tmp_path: Path) -> None:
    """At the lowest level, no record contains a state, code, verifier, token, key or secret."""
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-c", LOUD, program, str(tmp_path / "secrets")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    denied, redirect, *secrets = json.loads((tmp_path / "secrets").read_text())
    for url in (denied, redirect):
        query = parse_qs(urlsplit(url).query)
        secrets += [*query["state"], *query.get("code", ())]
    assert len(secrets) == 6
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
