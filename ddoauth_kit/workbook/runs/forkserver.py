"""Run a process that has loaded the lessons' imports, and fork a kernel for each request.

It runs as a program whose argument is the number of a socket. A request is one line of JSON with
`argv`, `env` and `cwd`; the reply is one line with the process id. Each kernel gets its own socket,
so a lesson that runs lessons can request more kernels. When a socket closes, the kernels forked for
it exit, so no kernel outlives its run, however the run ended.
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
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PRELOADED: Final = (
    "IPython.core.completerlib",
    "ddoauth_kit.sandbox",
    "ddoauth_kit.workbook.lessons.graded_copy",
    "ddoauth_kit.workbook.lessons.lesson_runs",
    "ddoauth_kit.workbook.lessons.lesson_tables",
    "ddoauth_kit.workbook.panels",
    "ddoauth_kit.workbook.runs.kernel_template",
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


@dataclass(eq=False, slots=True)
class _Asker:
    """The socket of one run, and the kernels that were forked for it."""

    connection: socket.socket
    kernels: set[int] = field(default_factory=set)

    def end(self) -> None:
        """Hang up, and stop the remaining kernels, even one without its own session yet."""
        self.connection.close()
        for pid in self.kernels:
            for stop in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    stop(pid, signal.SIGKILL)


def serve(descriptor: int) -> None:
    """Fork a kernel for each request until the run that started this process hangs up."""
    for name in PRELOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child would copy the pages that all of them share
    first = _Asker(socket.socket(fileno=descriptor))
    askers = {first.connection: first}
    while first.connection in askers:
        for ready in select.select(list(askers), [], [], REAP_SECONDS)[0]:
            request = _request(ready)
            if request:
                _fork(json.loads(request), asker=askers[ready], askers=askers)
            else:
                askers.pop(ready).end()
        _reap(askers.values())
    for asker in askers.values():
        asker.end()
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _request(connection: socket.socket) -> bytes:
    """Return one complete line, or nothing if the other side hung up."""
    line = b""
    with suppress(ConnectionError):
        while not line.endswith(b"\n") and (part := connection.recv(65536)):
            line += part
    return line if line.endswith(b"\n") else b""


def _fork(request: dict[str, Any], *, asker: _Asker, askers: dict[socket.socket, _Asker]) -> None:
    """Fork a kernel, reply with its process id, and listen to it from now on."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        for connection in (ours, *askers):
            connection.close()
        _become_kernel(request, template=theirs)
    theirs.close()
    askers[ours] = _Asker(ours)
    asker.kernels.add(pid)
    with suppress(ConnectionError):
        asker.connection.sendall(f"{pid}\n".encode())


def _reap(askers: Iterable[_Asker]) -> None:
    """Reap child processes that have exited, so their ids can be reused."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            for asker in askers:
                asker.kernels.discard(pid)


def _become_kernel(request: dict[str, Any], *, template: socket.socket) -> None:
    """Make this child a kernel with its own session, environment, folder and random state.

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

    from ddoauth_kit.workbook.runs.kernel_template import KernelTemplate

    KernelTemplate.inherited = KernelTemplate(template)
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
