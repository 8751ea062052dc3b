"""In a real kernel, the redirect is asked for like a password, or not at all."""

from __future__ import annotations

import html
import re
import threading
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support.backends import live_environment
from support.loopback import held_port
from support.visitors import Person

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
    said = "InputError: [no_person] Nobody can paste the redirect URL here."
    assert said in saved
    assert "run `ddoauth login` once in your own terminal" in saved
    assert "/oauth2/v1/authorize?" in saved, "the link was shown"
    assert not _STATE.search(saved), "and taken back"


def test_a_person_answers(kernel: BlockingKernelClient) -> None:
    """A person opens the link and pastes; no link or input is left in the outputs."""
    outputs: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []

    def paste(message: dict[str, Any]) -> None:
        asked.append(message["content"])
        # The question may overtake the link: they come on two channels.
        while "data" not in outputs[-1]["content"]:
            outputs.append(kernel.get_iopub_msg(timeout=60))
        (link,) = re.findall(r'href="([^"]+)"', outputs[-1]["content"]["data"]["text/html"])
        (state,) = _STATE.findall(html.unescape(link))
        redirect = "https://acme.example.com/callback?error=access_denied&domain=datadoghq.com"
        kernel.input(f"{redirect}&state={state}")

    for code in (PARAMETERS, OPEN, "lab.authorize()"):
        reply = kernel.execute_interactive(
            code, allow_stdin=True, stdin_hook=paste, output_hook=outputs.append, timeout=60
        )
    assert "[access_denied] The customer did not consent." in reply["content"]["evalue"]
    assert [question["password"] for question in asked] == [True]
    assert _left(outputs)
    assert not _STATE.search("".join(_left(outputs)))


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Register a redirect URI of this machine, and sit at it."""
    with held_port() as port:
        uri = f"http://127.0.0.1:{port}/cb"
        live_environment(monkeypatch, REDIRECT_URIS=uri)
        monkeypatch.setenv("DDOAUTH_CONSENT", "listener")
        yield uri


def test_nobody_is_listened_for(loopback: str) -> None:
    """A notebook run by a program does not wait for a browser that nobody opens."""
    cells = [nbformat.v4.new_code_cell(code) for code in (PARAMETERS, OPEN, "lab.authorize()")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(CellExecutionError, match=r"\[no_person\]"):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert "/start/" not in nbformat.writes(notebook)


def test_a_person_comes_back_to_the_listener(loopback: str, kernel: BlockingKernelClient) -> None:
    """Nobody is asked to paste: the redirect ends the cell, and the link is removed."""
    outputs: list[dict[str, Any]] = []
    visits: list[threading.Thread] = []

    def come_back(link: str) -> None:
        person = Person()
        (state,) = _STATE.findall(person.browser.open(link).location)
        query = f"error=access_denied&domain=datadoghq.com&state={state}"
        person.browser.open(f"{loopback}?{query}")

    def look(message: dict[str, Any]) -> None:
        outputs.append(message)
        found = re.findall(r'href="(http://127[^"]+/start/[^"]+)"', str(message["content"]))
        if found:
            visits.append(threading.Thread(target=come_back, args=(html.unescape(found[0]),)))
            visits[-1].start()

    for code in (PARAMETERS, OPEN, "lab.authorize()"):
        reply = kernel.execute_interactive(code, allow_stdin=True, output_hook=look, timeout=60)
    assert "[access_denied] The customer did not consent." in reply["content"]["evalue"]
    (visit,) = visits
    visit.join(60)
    left = "".join(_left(outputs))
    assert "/start/" not in left
    assert not _STATE.search(left)


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
