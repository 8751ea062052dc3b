"""In a real kernel, the redirect is asked for like a password, or not at all."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from backends import live_environment
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_client.blocking import BlockingKernelClient

OPEN = "from ddoauth_kit.workbook import open_lab\nlab = open_lab(SITE, mode=MODE)"
PARAMETERS = 'SITE = "us1"\nMODE = "live"'
_STATE = re.compile(r"state=([\w-]{20,})")


@pytest.fixture(autouse=True)
def _made_up_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give kernels a client that Datadog does not know, and no browser that would open."""
    live_environment(monkeypatch)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))


@pytest.fixture
def kernel() -> Iterator[BlockingKernelClient]:
    """Start a kernel that has a person."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_nobody_is_there() -> None:
    """A notebook run by a program says `no_person` and what to do, instead of waiting."""
    cells = [nbformat.v4.new_code_cell(code) for code in (PARAMETERS, OPEN, "lab.authorize()")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(CellExecutionError, match=r"\[no_person\]"):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    saved = nbformat.writes(notebook)
    assert "InputError: [no_person] Nobody can be asked for the redirect URL here." in saved
    assert "run the notebook in JupyterLab" in saved
    assert "/oauth2/v1/authorize?" in saved, "the link was shown"
    assert not _STATE.search(saved), "and taken back"


def test_a_person_answers(kernel: BlockingKernelClient) -> None:
    """A person opens the link and pastes; neither link nor answer is left in the outputs."""
    outputs: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []

    def paste(message: dict[str, Any]) -> None:
        asked.append(message["content"])
        # The question may overtake the link: they come on two channels.
        while "data" not in outputs[-1]["content"]:
            outputs.append(kernel.get_iopub_msg(timeout=10))
        (link,) = re.findall(r'href="([^"]+)"', outputs[-1]["content"]["data"]["text/html"])
        (state,) = _STATE.findall(html.unescape(link))
        redirect = "https://acme.example.com/callback?error=access_denied&domain=datadoghq.com"
        kernel.input(f"{redirect}&state={state}")

    for code in (PARAMETERS, OPEN, "lab.authorize()"):
        reply = kernel.execute_interactive(
            code, allow_stdin=True, stdin_hook=paste, output_hook=outputs.append, timeout=60
        )
    assert "[access_denied] The customer did not give consent." in reply["content"]["evalue"]
    assert [question["password"] for question in asked] == [True]
    assert _left(outputs)
    assert not _STATE.search("".join(_left(outputs)))


def _left(outputs: list[dict[str, Any]]) -> list[str]:
    """Return what a frontend shows at the end: an update replaces what it updates."""
    shown: dict[str, str] = {}
    for number, message in enumerate(outputs):
        content = message["content"]
        if "data" in content:
            name = content.get("transient", {}).get("display_id", str(number))
            shown[name] = str(content["data"])
        elif message["msg_type"] in {"stream", "error"}:
            shown[str(number)] = str(content)
    return list(shown.values())
