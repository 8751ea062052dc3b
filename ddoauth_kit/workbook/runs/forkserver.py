"""Be the process that has the lessons' imports already, and fork a kernel at each request.

It runs as a program with the number of a socket. A request is one line of JSON with `argv`, `env`
and `cwd`, the answer one line with the process id. When the socket closes, every kernel that is
left ends, so that none outlives the run, whatever ended it.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

PRELOADED: Final = (
    "IPython.core.completerlib",
    "ddoauth_kit.sandbox",
    "ddoauth_kit.workbook",
    "ddoauth_kit.workbook.panels",
    "httpcore",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "pandas",
    "sqlite3",
    "tornado.platform.asyncio",
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
)
REAP_SECONDS: Final = 1.0


def serve(descriptor: int) -> None:
    """Fork a kernel for each request until the other side hangs up."""
    for name in PRELOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child would copy the pages that all of them share
    kernels: set[int] = set()
    with socket.socket(fileno=descriptor) as connection:
        requests = connection.makefile("r", encoding="utf-8")
        while True:
            if not select.select([connection], [], [], REAP_SECONDS)[0]:
                _reap(kernels)
                continue
            line = requests.readline()
            if not line:
                break
            pid = os.fork()
            if not pid:
                requests.close()
                connection.close()
                _become_kernel(json.loads(line))
            kernels.add(pid)
            connection.sendall(f"{pid}\n".encode())
            _reap(kernels)
    for pid in kernels:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _reap(kernels: set[int]) -> None:
    """Let ended children go, so that their process ids can be used again."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            kernels.discard(pid)


def _become_kernel(request: dict[str, Any]) -> None:
    """Turn this child into a kernel of its own session, environment, folder and randomness.

    Python's `random` reseeds itself in a child process; numpy's does not.
    """
    parent = os.getppid()
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"], JPY_PARENT_PID=str(parent))
    sys.argv = ["ipykernel_launcher", *request["argv"]]
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    from ipykernel.kernelapp import launch_new_instance

    # The kernel read JPY_PARENT_PID when it was imported, before there was a parent to watch.
    argv = [*request["argv"], f"--IPKernelApp.parent_handle={parent}"]
    status = 1
    try:
        launch_new_instance(argv=argv)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
