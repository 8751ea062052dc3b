"""Serve a built site as any static host would, and open its notebooks in a tab."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from support.jupyter_lab import CONNECTED, RUN_ALL, RUNNING

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# A page that loads Pyodide needs its time on a busy machine.
LOADING = 240_000
OPEN = """async (path) => {
  const {commands, shell} = window.jupyterapp;
  for (const open of [...shell.widgets('main')]) {
    await open.sessionContext?.shutdown();
    open.dispose();
  }
  const panel = await commands.execute('docmanager:open', {path});
  await panel.context.ready;
  shell.activateById(panel.id);
}"""
CLEAR = """async () => {
  const {commands, shell} = window.jupyterapp;
  await commands.execute('notebook:clear-all-cell-outputs');
  const cells = shell.currentWidget.content.model.toJSON().cells;
  return cells.flatMap((cell) => cell.outputs ?? []).length;
}"""
CONTENT = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON()"
NAME = "() => window.jupyterapp.shell.currentWidget.context.path"
EXECUTE = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  let text = '';
  const future = kernel.requestExecute({code, store_history: false});
  future.onIOPub = ({content}) => { text += content.text ?? content.evalue ?? ''; };
  await future.done;
  return text;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def handle(self) -> None:
        """Handle a request; a browser that leaves early is not a failure."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


class StaticServer:
    """Serves a folder on a free loopback port."""

    def __init__(self, folder: Path) -> None:
        handler = partial(_Quiet, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class Tab:
    """The site in its own tab, with one notebook open."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        page.set_default_timeout(LOADING)
        page.goto(url)
        self.ready()

    def ready(self) -> None:
        """Wait until a notebook is shown and its kernel is ready."""
        self.page.wait_for_selector(SHOWN)
        self.page.wait_for_function(CONNECTED)

    def open(self, name: str) -> None:
        """Open another notebook in place of the current one, with its own kernel."""
        self.page.evaluate(OPEN, name)
        self.ready()

    def run_all(self) -> dict[str, Any]:
        """Run every cell, without the stored outputs, and return the resulting notebook."""
        assert self.page.evaluate(CLEAR) == 0
        self.page.set_default_timeout(RUNNING)
        self.page.evaluate(RUN_ALL)
        self.page.set_default_timeout(LOADING)
        return self.content()

    @property
    def name(self) -> str:
        """Return the file name of the open notebook."""
        return str(self.page.evaluate(NAME))

    def content(self) -> dict[str, Any]:
        """Return the open notebook."""
        found: dict[str, Any] = self.page.evaluate(CONTENT)
        return found

    def execute(self, code: str) -> str:
        """Run code in the kernel, outside the notebook, and return its output."""
        return str(self.page.evaluate(EXECUTE, code))
