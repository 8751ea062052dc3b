"""Every command that a lesson offers works when it is pasted, and shows no secret to others."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from support.builders import readable
from support.scene import Scene

from ddoauth_kit import create_api_key
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ddoauth_kit import Http

_BLOCK = re.compile(r"```(\w+)\n(.*)\n```", re.DOTALL)
_VARIABLE = re.compile(r"\bDDOAUTH_\w+")
# It writes down what it was given, then becomes cURL with the same arguments and input.
_WRAPPER = """#!/bin/sh
cat "/proc/$$/cmdline" > "$RECORD/arguments"
cat > "$RECORD/input"
exec "$REAL_CURL" "$@" < "$RECORD/input"
"""
LEAKS = """curl --silent --fail -H "authorization: Bearer $DDOAUTH_ACCESS_TOKEN" \\
  "$DDOAUTH_API_URL/api/v2/current_user" < /dev/null
"""


def _cells() -> Iterator[tuple[str, Any]]:
    for path in find_notebooks():
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
            yield f"{path.stem}-{number}", cell


def _stored(language: str) -> list[Any]:
    """Return the snippets of a language in all lessons, each with a name to find it by.

    A part of a server is there to be read, and runs in the server's own tests.
    """
    cells = [(name, cell) for name, cell in _cells() if "server_code(" not in cell.source]
    outputs = ((name, output) for name, cell in cells for output in cell.get("outputs", []))
    texts = ((name, output.get("data", {}).get("text/markdown", "")) for name, output in outputs)
    blocks = ((name, _BLOCK.fullmatch(text)) for name, text in texts)
    return [pytest.param(b[2], id=name) for name, b in blocks if b and b[1] == language]


COMMANDS = _stored("bash")
SNIPPETS = _stored("python")


class Reader:
    """Run the lessons' steps in a fresh sandbox, up to the one that a snippet sends."""

    def __init__(self, sandbox: Sandbox, http: Http) -> None:
        self.sandbox = sandbox
        self._scene = Scene(sandbox, http)

    def variables(self, code: str) -> dict[str, str]:
        """Return the variables that a snippet names; a code is unspent, a key exists if asked."""
        wanted = set(_VARIABLE.findall(code))
        urls = self.sandbox.endpoints["us1"].items()
        has = {f"DDOAUTH_{name.upper()}": url for name, url in urls}
        has["DDOAUTH_CLIENT_SECRET"] = self.sandbox.client.client_secret
        if "DDOAUTH_CODE" in wanted:
            has |= self._authorized()
        else:
            has |= self._granted(key="DDOAUTH_API_KEY" in wanted)
        return {name: has[name] for name in wanted}

    def secrets(self, variables: Mapping[str, str]) -> set[str]:
        """Return what nobody may see: all that was issued, and the reader's own verifier."""
        given = {value for name, value in variables.items() if not name.endswith("_URL")}
        return given | set(self.sandbox.issued_secrets())

    def _authorized(self) -> dict[str, str]:
        response = self._scene.response()
        return {
            "DDOAUTH_CODE": response.code.reveal(),
            "DDOAUTH_CODE_VERIFIER": response.request.pkce.verifier.reveal(),
        }

    def _granted(self, *, key: bool) -> dict[str, str]:
        tokens = self._scene.tokens()
        assert tokens.refresh_token is not None
        has = {
            "DDOAUTH_ACCESS_TOKEN": tokens.access_token.reveal(),
            "DDOAUTH_REFRESH_TOKEN": tokens.refresh_token.reveal(),
        }
        if key:
            has["DDOAUTH_API_KEY"] = create_api_key(self._scene.http, tokens=tokens).key.reveal()
        return has


@pytest.fixture
def reader(http: Http) -> Iterator[Reader]:
    """Return a reader in front of a fresh sandbox."""
    with Sandbox() as sandbox:
        yield Reader(sandbox, http)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which `curl` is recorded before the real one runs."""
    real = shutil.which("curl")
    assert real, "curl is missing; install it (apt-get install curl)"
    wrapper = tmp_path / "curl"
    wrapper.write_text(_WRAPPER, "utf-8")
    wrapper.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "RECORD": str(tmp_path), "REAL_CURL": real}


def _run(command: list[str], code: str, environ: dict[str, str]) -> str:
    """Run code that comes on standard input, and return what it printed."""
    done = subprocess.run(
        command, input=code, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def _arguments(record: Path) -> str:
    text = (record / "arguments").read_text("utf-8").replace("\0", " ")
    assert "curl" in text
    return text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stored_command_works_and_leaks_nothing(
    command: str, reader: Reader, environ: dict[str, str], tmp_path: Path
) -> None:
    """Pasted into bash, it sends one accepted request, with its secrets on standard input."""
    variables = reader.variables(command)
    before = len(reader.sandbox.journal)
    _run(["bash", "-s"], command, environ | variables)
    (entry,) = reader.sandbox.journal[before:]
    assert 200 <= entry.status < 300
    arguments, given = _arguments(tmp_path), (tmp_path / "input").read_text("utf-8")
    secrets = reader.secrets(variables)
    assert not [secret for secret in secrets if readable(secret, arguments)]
    named = {value for name, value in variables.items() if not name.endswith("_URL")}
    assert named
    assert not [secret for secret in named if secret not in given]


def test_a_secret_among_the_arguments_is_seen(
    reader: Reader, environ: dict[str, str], tmp_path: Path
) -> None:
    """The record shows what a careless command reveals to every process on the machine."""
    variables = reader.variables(LEAKS)
    _run(["bash", "-s"], LEAKS, environ | variables)
    seen = [s for s in reader.secrets(variables) if readable(s, _arguments(tmp_path))]
    assert seen == [variables["DDOAUTH_ACCESS_TOKEN"]]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_stored_snippet_works(snippet: str, reader: Reader, environ: dict[str, str]) -> None:
    """Run by Python, it sends one accepted request."""
    variables = reader.variables(snippet)
    before = len(reader.sandbox.journal)
    _run([sys.executable, "-"], snippet, environ | variables)
    (entry,) = reader.sandbox.journal[before:]
    assert 200 <= entry.status < 300


def test_commands_write_out_no_secret() -> None:
    """A stored command uses variables for its secrets, and contains no issued value."""
    issued = re.compile(r"sandbox-(secret|code|access|refresh|key)-|Bearer (?!\$)\w")
    codes = [*COMMANDS, *SNIPPETS]
    assert not [code for code in codes if issued.search(code.values[0])]


def test_no_command_is_left_out() -> None:
    """Each cell that offers a command or a snippet has one stored, so that all were run."""
    sources = [cell.source for _, cell in _cells() if cell.cell_type == "code"]
    assert len(COMMANDS) == sum("lab.curl(" in source for source in sources) >= 5
    assert len(SNIPPETS) == sum("lab.httpx(" in source for source in sources) >= 1
