"""Kernels get names as parameters and secrets by reference, and what they write has no secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pytest
from support.builders import API_KEY, CLIENT_SECRET, readable

if TYPE_CHECKING:
    from pathlib import Path

CANARIES = {
    "DDOAUTH_CLIENT_ID": "acme",
    "DDOAUTH_CLIENT_SECRET": CLIENT_SECRET,
    "DDOAUTH_REDIRECT_URIS": "https://acme.example.com/callback",
    "DDOAUTH_SCOPES": "events_read api_keys_write",
    "DDOAUTH_API_KEY_US1": API_KEY,
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}
MINTED = re.compile(r"sandbox-(?:secret|code|access|refresh|key)-[0-9a-f]{8}")
PARAMETERS = 'SITE = "us1"\nMODE = "sandbox"\nCLIENT = ""\nWRITES = False'
OPEN = "from ddoauth_kit.workbook import open_lab\nlab = open_lab(SITE, mode=MODE)\nlab"
SANDBOX = [
    OPEN,
    "tokens = lab.connect()\ntokens",
    "key = lab.create_api_key(tokens)\nkey",
    "import ipywidgets\nipywidgets.Text(value=str(key.key))",
    'print(lab.transcript, lab.curl("token exchange"), lab.drill("echo-secret"))',
    "lab.oauth.refresh(tokens)\nraise RuntimeError(repr([tokens, key, lab.registration]))",
]
LIVE = [
    OPEN,
    "lab.registration, lab.registration.secret, lab.kept_api_key()",
    "from pathlib import Path\nimport os",
    "[Path(f'/proc/{pid}/cmdline').read_text() for pid in (os.getpid(), os.getppid())]",
]


def _run(
    folder: Path, cells: list[str], *options: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a notebook as the command does; return what ended, and the text of all it wrote."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in (PARAMETERS, *cells)]
    )
    book.cells[0].metadata["tags"] = ["parameters"]
    path = folder / "canary.ipynb"
    nbformat.write(book, path)
    command = [sys.executable, "-m", "ddoauth_kit", "run", str(path), "--out", str(folder / "out")]
    done = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **CANARIES, "DDOAUTH_STORE": "memory"},
    )
    files = [file for file in (folder / "out").rglob("*") if file.is_file()]
    return done, "\n".join([done.stdout, done.stderr, *(f.read_text("utf-8") for f in files)])


def _leaks(text: str) -> list[str]:
    values = [value for name, value in CANARIES.items() if "SECRET" in name or "KEY_US" in name]
    return [value for value in values if readable(value, text)] + MINTED.findall(text)


@pytest.mark.checklist("N1")
def test_a_run_that_fails_leaves_no_secret(tmp_path: Path) -> None:
    """Outputs, widgets, commands, tracebacks, summary and logs of a whole flow have no secrets."""
    done, text = _run(tmp_path, SANDBOX)
    assert done.returncode == 1
    assert "RuntimeError" in text
    assert "&lt;access_token&gt;" in text or "<access_token>" in text
    assert _leaks(text) == []


@pytest.mark.checklist("N1")
@pytest.mark.checklist("N3")
def test_secrets_come_by_reference(tmp_path: Path) -> None:
    """A live kernel finds the secret and key by name; no parameter or argument contains them."""
    done, text = _run(tmp_path, LIVE, "--mode", "live")
    assert done.returncode == 0, done.stderr
    assert "<client_secret>" in text
    assert "ipykernel" in text
    assert _leaks(text) == []
    (written,) = (tmp_path / "out").rglob("*.ipynb")
    metadata = json.loads(written.read_text("utf-8"))["metadata"]["papermill"]
    assert set(metadata["parameters"]) == {"SITE", "MODE", "CLIENT", "WRITES"}


@pytest.mark.checklist("N3")
@pytest.mark.parametrize("option", ["-p", "--parameter", "--parameters", "-y"])
def test_no_value_can_be_passed(tmp_path: Path, option: str) -> None:
    """The command offers no way to hand a kernel a value, which papermill would write down."""
    done, text = _run(tmp_path, LIVE, option, "TOKEN", CLIENT_SECRET)
    assert done.returncode == 2
    assert "unrecognized arguments" in text
    assert not (tmp_path / "out").exists()
