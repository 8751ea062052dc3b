"""Find the Jupyter server that started this kernel, and the path at which it shows ports."""

from __future__ import annotations

import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_BASE: Final = re.compile(r"/(?:[\w.~@%+-]+/)*")
SERVER: Final = "JPY_PARENT_PID"


def ports_path(*, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path under which jupyter-server-proxy shows a port, such as `/user/abc/proxy/`.

    Empty where there is no such proxy, or no Jupyter server: then browsers are on this machine.
    """
    if find_spec("jupyter_server_proxy") is None:
        return ""
    base = environ.get("JUPYTERHUB_SERVICE_PREFIX") or _base_url(environ)
    return f"{base}proxy/" if _BASE.fullmatch(base) else ""


def runtime_folder() -> Path:
    """Return where the Jupyter server of this user keeps what lives as long as it."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def server_pid(environ: Mapping[str, str] = os.environ) -> int:
    """Return the process id of the Jupyter server that started this kernel, or 0."""
    pid = environ.get(SERVER, "")
    return int(pid) if pid.isdecimal() else 0


def _base_url(environ: Mapping[str, str]) -> str:
    """Return the base URL that the server wrote down; a kernel is not told it."""
    try:
        path = runtime_folder() / f"jpserver-{server_pid(environ)}.json"
        return str(json.loads(path.read_text("utf-8"))["base_url"])
    except (ImportError, OSError, ValueError, KeyError, TypeError):
        return ""
