"""Versions that work together; always change Pyodide, its kernel and the wheels together."""

from __future__ import annotations

from typing import Final

PYODIDE: Final = "314.0.6"
# JupyterLite's kernel for Pyodide; the extra `site` has the same version.
KERNEL: Final = "jupyterlite-pyodide-kernel==0.8.6"
# Packages that draw widgets in the page. Their Python parts are among the wheels.
EXTENSIONS: Final = ("jupyterlab_widgets==3.0.17", "anywidget==0.11.0")
# All of them are pure: Pyodide's own wheels come from another host, and none of them is needed.
WHEELS: Final = (
    # installs and shows
    "micropip==0.11.1",
    "packaging==26.4",
    "comm==0.2.3",
    "ipython==9.18.1",
    "ipython_pygments_lexers==1.1.1",
    "jedi==0.20.1",
    "parso==0.8.7",
    "matplotlib-inline==0.2.2",
    "prompt_toolkit==3.0.53",
    "wcwidth==0.9.4",
    "pygments==2.21.0",
    "stack_data==0.6.3",
    "asttokens==3.0.2",
    "executing==2.3.0",
    "pure_eval==0.2.4",
    "traitlets==5.16.1",
    "typing_extensions==4.16.0",
    "ipywidgets==8.1.9",
    "psygnal==0.16.1",
    # what the kit needs
    "httpx==0.28.1",
    "httpcore==1.0.9",
    "h11==0.16.0",
    "anyio==4.16.0",
    "idna==3.20",
    "certifi==2026.10.19.post1",
    "sniffio==1.3.1",
    "starlette==1.10.0",
    "markdown-it-py==4.3.0",
    "mdurl==0.1.2",
)
