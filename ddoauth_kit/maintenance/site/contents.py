"""Write the site's own files: lessons, settings, the root page, and `llms.txt`."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

import nbformat

from ddoauth_kit.maintenance.lesson_navigation import read_lesson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ddoauth_kit.maintenance.lesson_navigation import Lesson

FIRST: Final = "00_start_here.ipynb"
KERNEL: Final = "@jupyterlite/pyodide-kernel-extension:kernel"
TITLE: Final = "ddoauth-kit"
PROMISE: Final = (
    "A workbook for Datadog's OAuth flow, with an offline sandbox for all nine sites. "
    "It runs in this browser tab, without an installation or a server, and stores nothing."
)
# Code that starts processes or listens can't run in a tab; its lesson can only be read.
READ_ONLY: Final[Mapping[str, str]] = {
    "07": "it starts a kernel for each lesson and site",
    "10": "it runs a server",
    "11": "it runs a server and grades it",
}
_WHY: Final = (
    "> **This lesson does not run in a browser tab**, because {why}, and a tab has neither "
    "processes nor sockets. You can read it with its stored outputs; to run it, "
    'install the workbook: `pip install "ddoauth-kit[workbook]"`, then `ddoauth lab`.'
)
_NOTE: Final = (
    "> This lesson and its sandbox run in your browser tab. What you type stays in this page, "
    'and a reload starts the lesson from the beginning. `MODE = "live"` is refused here.'
)
# JupyterLite removes the lesson from the address, so a reload would show an empty launcher.
# On a phone, its list of files and its prompts would leave no room for the lesson.
_IN_THE_HEAD: Final = """<style>
@media (max-width: 600px) {
  .jp-Notebook .jp-InputPrompt, .jp-Notebook .jp-OutputPrompt {
    flex: 0 0 0; min-width: 0; width: 0; padding: 0; overflow: hidden;
  }
}
</style>
<script>
const named = () => new URL(location.href).searchParams.get('path');
const name = (path) => {
  const address = new URL(location.href);
  address.searchParams.set('path', path);
  history.replaceState(history.state, '', address);
};
if (!named()) name('FIRST');
const phone = matchMedia('(max-width: 600px)').matches;
let shown;
setInterval(() => {
  const app = window.jupyterapp;
  const open = app?.shell.currentWidget?.context;
  if (!open?.isReady) return;
  if (open.path !== named()) name(open.path);
  if (!phone || open.path === shown) return;
  if (!shown) app.commands.execute('application:toggle-side-tabbar', {side: 'right'});
  shown = open.path;
  app.shell.collapseLeft();
  app.shell.collapseRight();
}, 500);
</script>
"""


def lesson_text(path: Path) -> str:
    """Return a lesson for the site: the stored lesson with a note below its heading.

    Each text is a single string: a Jupyter server joins lists of lines, but a static site doesn't.
    """
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
    why = READ_ONLY.get(path.name[:2])
    note = _WHY.format(why=why) if why else _NOTE
    cell = {"cell_type": "markdown", "id": "in-a-tab", "metadata": {}, "source": note}
    notebook["cells"].insert(1, cell)
    notebook["metadata"]["kernelspec"] = {
        "name": "python",
        "display_name": "Python (Pyodide)",
        "language": "python",
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def settings(packages: Iterable[str]) -> dict[str, Any]:
    """Return JupyterLite's settings, which load these packages and store nothing."""
    memory = ["memoryStorageDriver"]
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": TITLE,
            "exposeAppInBrowser": True,
            "contentsStorageDrivers": memory,
            "settingsStorageDrivers": memory,
            "workspacesStorageDrivers": memory,
            "enableMemoryStorage": True,
            "litePluginSettings": {
                KERNEL: {
                    "disablePyPIFallback": True,
                    "loadPyodideOptions": {"packages": list(packages)},
                }
            },
        },
    }


def lab_page(page: str) -> str:
    """Return JupyterLite's page, with the lesson in its address and a layout for phones."""
    head, found, body = page.partition("</head>")
    if not found:
        raise ValueError("JupyterLite's page has no </head> to put a script before")
    return f"{head}{_IN_THE_HEAD.replace('FIRST', FIRST)}{found}{body}"


def root_page() -> str:
    """Return the page at the site's root, which opens the first lesson."""
    first = f"lab/index.html?path={FIRST}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="icon-120x120.png">'
        f'<meta http-equiv="refresh" content="0; url={first}">'
        f'<meta name="description" content="{escape(PROMISE)}">'
        # JupyterLite's pages below read their configuration from here.
        '<script id="jupyter-config-data" type="application/json" data-jupyter-lite-root=".">'
        "{}</script></head>"
        f'<body><h1>{TITLE}</h1><p>{escape(PROMISE)}</p><p><a href="{first}">Open the first '
        'lesson</a> · <a href="llms.txt">llms.txt</a></p>'
        "<noscript><p>The workbook needs JavaScript.</p></noscript></body></html>\n"
    )


def llms_text(lessons: Iterable[Path]) -> str:
    """Return a description of the site for language models, with each lesson's file."""
    lines = [f"# {TITLE}", "", f"> {PROMISE}", "", "## Lessons", ""]
    lines += [_listed(read_lesson(path)) for path in lessons]
    return "\n".join(lines) + "\n"


def _listed(lesson: Lesson) -> str:
    return f"- [{lesson.title}](files/{lesson.path.name}): {lesson.promise}"
