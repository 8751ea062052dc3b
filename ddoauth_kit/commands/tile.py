"""Serve the sandbox behind a tile of JupyterLab's launcher (jupyter-server-proxy).

The tile starts `python -m ddoauth_kit.commands.tile` once per Jupyter server, and that server's
kernels join the sandbox.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from ddoauth_kit.commands.terminal import BAD_INPUT, SUCCESS, say
from ddoauth_kit.own_python import python_command

NAME: Final = "sandbox"


def tile() -> dict[str, Any]:
    """Describe the tile to jupyter-server-proxy, which finds this function by its entry point.

    The sandbox responds only under loopback names, so the proxy is told to use one.
    """
    return {
        "command": [
            *python_command("-m", "ddoauth_kit.commands.tile"),
            "--port={port}",
            "--base-url={base_url}",
        ],
        "timeout": 30,
        "new_browser_tab": True,
        "request_headers_override": {"Host": "127.0.0.1:{port}"},
        "launcher_entry": {
            "title": "Datadog sandbox",
            # In the category "Other" JupyterLab never asks for the icon.
            "category": "Notebook",
            "icon_path": str(Path(__file__).with_name("tile.svg")),
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Serve until the Jupyter server ends this process."""
    parser = argparse.ArgumentParser(prog="python -m ddoauth_kit.commands.tile")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--base-url", default="/")
    options = parser.parse_args(arguments)
    from ddoauth_kit.sandbox import Sandbox, SandboxError

    key = secrets.token_urlsafe(32)
    try:
        with Sandbox(port=options.port, real_time=True, control_key=key) as sandbox:
            sandbox.show_at(f"{sandbox.base_url}{options.base_url.rstrip('/')}/{NAME}")
            _serve(sandbox, key)
    except SandboxError as error:
        say(f"The sandbox says: {error}.")
        return BAD_INPUT
    return SUCCESS


def _serve(sandbox: Any, key: str) -> None:  # noqa: ANN401 - the package sandbox is optional
    from ddoauth_kit.workbook.lab.shared_sandbox import SharedSandbox, announced

    sites = {name: dict(urls) for name, urls in sandbox.endpoints.items()}
    port = int(sandbox.base_url.rpartition(":")[2])
    # Only once a signal would end the sandbox cleanly: otherwise the file could stay behind.
    with ExitStack() as told:
        found = announced(SharedSandbox(port, key, sites), server=os.getppid())
        sandbox.serve_forever(announce=partial(told.enter_context, found))


if __name__ == "__main__":
    sys.exit(main())
