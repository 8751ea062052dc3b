"""Act as a person at a terminal, with one client's environment."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

from ddoauth_kit.cli import main
from support.places import ROOT
from support.visitors import Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ddoauth_kit.sandbox import Sandbox
    from support.front import Scene

ADDRESS = "Authorize in your browser: "


def client_file(
    folder: Path, redirect_uri: str, *, scopes: Sequence[str] = ("metrics_read", "events_read")
) -> Path:
    """Write an integration with this redirect URI."""
    path = folder / "oauth_clients.json"
    integration = {
        "id": "acme",
        "name": "Acme Sensors",
        "onboarding_url": "https://acme.example.com/start",
        "redirect_uris": [redirect_uri],
        "scopes": list(scopes),
    }
    path.write_text(json.dumps({"integration": integration}))
    return path


def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, where its standard streams are no terminals."""
    raw = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(each, "utf-8", write_through=True) for each in raw)
    own: dict[str, Any] = {"stdin": io.StringIO(), "stdout": out, "stderr": err}
    with mock.patch.multiple(sys, argv=["ddoauth", *arguments], **own):
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse ends a command by itself
            code = int(left.code or 0)
    return subprocess.CompletedProcess(arguments, code, *(each.getvalue().decode() for each in raw))


class Terminal:
    """A user's terminal, with one client's environment.

    Without a front, `DDOAUTH_SANDBOX` leads the commands to the sandbox. With `front`, its
    variables do, and the commands believe that they talk to Datadog.
    """

    def __init__(
        self, sandbox: Sandbox, *, client_file: Path, folder: Path, front: Scene | None = None
    ) -> None:
        self.sandbox = sandbox
        self._front = front
        client = sandbox.client
        self.environ = {
            **{name: text for name, text in os.environ.items() if not name.startswith("DDOAUTH_")},
            "PYTHONPATH": str(ROOT),
            "DDOAUTH_CLIENT_ID": client.client_id,
            "DDOAUTH_CLIENT_SECRET": client.client_secret,
            "DDOAUTH_CLIENT_FILE": str(client_file),
            "DDOAUTH_STORE": "file",
            "DDOAUTH_STORE_FOLDER": str(folder / "store"),
            **(front.environment() if front else {"DDOAUTH_SANDBOX": sandbox.base_url}),
        }
        self.environ.pop("DISPLAY", None)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with nobody at the keyboard."""
        return subprocess.run(
            [sys.executable, "-m", "ddoauth_kit", *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def type(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with nobody at the keyboard, in this process."""
        with mock.patch.dict(os.environ, self.environ, clear=True):
            return typed(*arguments)

    def log_in(self, *arguments: str, decision: str = "approve") -> tuple[int, str, str]:
        """Log in as a person does: read the address, decide in a browser or paste."""
        keyboard, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "ddoauth_kit", "login", *arguments],
            env=self.environ,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            assert process.stderr is not None
            assert process.stdout is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith(ADDRESS):
                    url = line.removeprefix(ADDRESS).strip()
                    person = self._front.person() if self._front else Person()
                    if "--paste" in arguments:
                        _wait_for_getpass(process, keyboard)
                        os.write(keyboard, person.decide(url, decision).encode() + b"\n")
                    else:
                        person.finish(url, decision)
            out = process.stdout.read()
            code = process.wait(timeout=60)
        os.close(keyboard)
        return code, out, "".join(said)


def _wait_for_getpass(process: subprocess.Popen[str], keyboard: int) -> None:
    """Wait until the program reads without echo, because it discards earlier input."""
    while process.poll() is None and termios.tcgetattr(keyboard)[3] & termios.ECHO:
        time.sleep(0.01)
