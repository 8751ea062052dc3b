"""Drive JupyterLab: a server with private folders, and a notebook in a tab."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import nbformat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STARTING = 120.0
RUNNING = 240_000
WAITING = 60_000
NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
WIDGETS = "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings"
CONNECTED = (
    "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?"
    ".connectionStatus === 'connected'"
)
# Disposed of, a notebook asks nothing; what was not saved is gone.
CLOSE = """() => {
  for (const open of [...window.jupyterapp.shell.widgets('main')]) open.dispose();
}"""
OPEN = """async (path) => {
  const {commands, shell} = window.jupyterapp;
  const panel = await commands.execute('docmanager:open', {path});
  await panel.context.ready;
  shell.activateById(panel.id);
}"""
# Run from a menu or a shortcut before the kernel is connected, cells are dropped silently.
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells') }"
SAVE = "async () => { await window.jupyterapp.shell.currentWidget.context.save() }"
ASK = """async (expression) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute(
    {code: '', silent: true, store_history: false, user_expressions: {asked: expression}});
  const reply = await future.done;
  return reply.content.user_expressions.asked;
}"""
RESTART = (
    "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.restartKernel() }"
)
BUSY = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const code = "import pathlib, time\\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)";
  kernel.requestExecute({code});
  while (kernel.status !== 'busy') await new Promise((done) => setTimeout(done, 20));
}"""
STATUS = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
ISSUED = (
    "[s for o in __import__('gc').get_objects() if type(o).__name__ == 'Sandbox' "
    "for s in o.issued_secrets()]"
)


class LabServer:
    """Serves a folder with JupyterLab on a free loopback port."""

    def __init__(
        self,
        home: Path,
        lessons: Iterable[Path],
        *,
        base_url: str = "/",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = home / "notebooks"
        self.folder.mkdir(parents=True)
        for lesson in lessons:
            shutil.copy(lesson, self.folder)
        self._home = home
        self._log = (home / "log").open("w+")
        self.token = secrets.token_hex(16)
        self._api = httpx.Client(headers={"Authorization": f"token {self.token}"}, timeout=STARTING)
        environment = self._environment(environ or {})
        self._process = subprocess.Popen(
            self._command(base_url), env=environment, cwd=home, stdout=self._log, stderr=self._log
        )
        self.url = self._ready().rstrip("/")

    @property
    def log(self) -> str:
        """Return what the server has written so far."""
        self._log.flush()
        return (self._home / "log").read_text("utf-8")

    def address(self, path: str) -> str:
        """Return the URL of a page, with the token that admits a browser."""
        return f"{self.url}/{path}?token={self.token}"

    def write(self, name: str, *cells: str) -> None:
        """Put a notebook with these code cells into the folder."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.folder / name)

    def save_widgets(self) -> None:
        """Save notebooks with their widget state from now on."""
        settings = self._home / "settings" / WIDGETS
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps({"saveState": True}))

    def written(self) -> Iterator[tuple[Path, bytes]]:
        """Yield each file written by the server, its kernels or the browser, and its content."""
        for folder, _, names in os.walk(self._home):
            for path in (Path(folder, name) for name in names):
                with suppress(FileNotFoundError):  # drafts end meanwhile
                    yield path, path.read_bytes()

    def end_kernels(self) -> None:
        """End the kernels of all notebooks, so that the next test starts with an idle server."""
        for session in self._call("GET", "api/sessions"):
            self._call("DELETE", f"api/sessions/{session['id']}")

    def _call(self, method: str, path: str) -> Any:
        """Return the response of the server's own interface."""
        answer = self._api.request(method, f"{self.url}/{path}")
        assert answer.is_success, answer
        return answer.json() if answer.content else None

    def stop(self) -> None:
        """End the server, its kernels and its proxied processes."""
        self._api.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _environment(self, further: Mapping[str, str]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DDOAUTH_", "JUPYTER", "BINDER_", "DD_")) and name != "CI"
        }
        folders = {f"JUPYTER_{k}_DIR": str(self._home / k) for k in ("CONFIG", "DATA", "RUNTIME")}
        private = {"IPYTHONDIR": str(self._home / "ipython"), "HOME": str(self._home)}
        private["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
        private["BROWSER"] = "true"
        return {**kept, **folders, **private, **further}

    def _command(self, base_url: str) -> list[str]:
        settings = self._home / "settings"
        quiet = settings / NEWS
        quiet.parent.mkdir(parents=True)
        quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": "0",
            "ServerApp.root_dir": str(self.folder),
            "ServerApp.base_url": base_url,
            "IdentityProvider.token": self.token,
            "LabApp.expose_app_in_browser": "True",
            "LabApp.user_settings_dir": str(settings),
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *given]

    def _ready(self) -> str:
        """Wait for the file that contains the server's port, then for the port."""
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and self._process.poll() is None:
            for path in (self._home / "RUNTIME").glob("jpserver-*.json"):
                if not (text := path.read_text("utf-8")):
                    continue
                content = json.loads(text)
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", content["port"]), timeout=1).close()
                    return str(content["url"])
            time.sleep(0.05)
        log = self.log[-3000:]
        self.stop()
        raise AssertionError(f"JupyterLab did not start:\n{log}")


class Notebook:
    """A notebook in a tab; its kernel is connected from the start.

    Loading JupyterLab takes a browser many seconds, so a tab keeps it open and replaces the
    previous notebooks.
    """

    def __init__(self, page: Any, server: LabServer, name: str) -> None:
        self.page = page
        self._path = server.folder / name
        if page.url.startswith(f"{server.url}/lab"):
            page.evaluate(CLOSE)
            page.evaluate(OPEN, name)
        else:
            page.goto(f"{server.address(f'lab/tree/{name}')}&reset")
        page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden)")
        page.wait_for_function(CONNECTED)

    @property
    def panel(self) -> Any:
        """Return the visible notebook, for searching."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def run_all(self) -> None:
        """Run every cell, wait until the last one is done, and check that none failed."""
        self.page.set_default_timeout(RUNNING)
        self.page.evaluate(RUN_ALL)
        self.page.set_default_timeout(WAITING)
        errors = self.panel.locator("[data-mime-type='application/vnd.jupyter.error']")
        assert errors.all_inner_texts() == []

    def ask(self, expression: str) -> str:
        """Return the repr of an expression in the kernel, without a cell that would be saved."""
        answer = self.page.evaluate(ASK, expression)
        assert answer["status"] == "ok", answer
        return str(answer["data"]["text/plain"])

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the kernel busy during the block, and check that it stayed busy."""
        ended = self._path.parent / "go"
        ended.unlink(missing_ok=True)
        self.page.evaluate(BUSY)
        yield
        assert self.page.evaluate(STATUS) == "busy"
        ended.touch()

    def reload(self) -> None:
        """Reload the page, with the notebook as it was saved."""
        self.page.reload()
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.page.wait_for_function(CONNECTED)

    def restart(self) -> None:
        """Restart the kernel, which forgets everything."""
        self.page.evaluate(RESTART)

    def issued(self) -> list[str]:
        """Return every secret that this kernel's sandboxes have issued."""
        return list(json.loads(self.ask(f"__import__('json').dumps({ISSUED})")[1:-1]))

    def save(self) -> Any:
        """Save, and return the content of the file."""
        self.page.evaluate(SAVE)
        return nbformat.read(self._path, as_version=4)

    @property
    def saved_text(self) -> str:
        """Return the file's current content."""
        return self._path.read_text("utf-8")
