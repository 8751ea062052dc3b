"""Fork kernels from a process that has already loaded the lessons' imports.

Before its first cell, a kernel mostly imports the same modules again. A forked kernel shares these
modules but nothing else: it is a separate process with its own session and environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from ddoauth_kit.own_python import python_command, python_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVER: Final = python_command("-m", "ddoauth_kit.workbook.runs.forkserver")
# Not its launcher, which drops the first entry of the path where that is the current folder.
LAUNCHER: Final = python_command("-m", "ipykernel")
END_SECONDS: Final = 10


class KernelTemplate:
    """Requests kernels from the template process over a socket; closing it stops the kernels.

    `available` tells whether this machine supports it: it needs Linux, where descriptors identify
    processes uniquely and forking after imports is safe. In a kernel that was itself forked,
    `inherited` asks the process that forked it.
    """

    available = sys.platform == "linux" and hasattr(os, "pidfd_open")
    inherited: ClassVar[KernelTemplate | None] = None

    def __init__(self, connection: socket.socket) -> None:
        self._lock = Lock()
        self._connection = connection
        self._answers = connection.makefile("r", encoding="utf-8")

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[KernelTemplate]:
        """Start the template process for the duration of the block."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [*SERVER, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=python_environment(),
            )
        template = cls(ours)
        try:
            yield template
        finally:
            template._end()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _end(self) -> None:
        """Hang up; the process then stops all its kernels and exits."""
        self._connection.shutdown(socket.SHUT_RDWR)
        self._answers.close()
        self._connection.close()

    def fork(self, argv: list[str], *, env: Mapping[str, str], cwd: str) -> ForkedProcess:
        """Return a new kernel process; wait until the imports are done.

        Raises:
            OSError: the template process has exited.
        """
        request = json.dumps({"argv": argv, "env": dict(env), "cwd": cwd})
        with self._lock:
            self._connection.sendall(f"{request}\n".encode())
            answer = self._answers.readline()
        if not answer.strip():
            raise ConnectionResetError("the template process has ended")
        return ForkedProcess(int(answer))


class ForkedProcess:
    """Controls a process that is not a child of this one, as `subprocess.Popen` would."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            os.close(self._descriptor)

    def poll(self) -> int | None:
        """Return None while the process is alive; only its parent can find out how it exited."""
        return 0 if select.select([self._descriptor], [], [], 0)[0] else None

    def wait(self) -> int:
        """Wait until the process has exited."""
        select.select([self._descriptor], [], [])
        return 0

    def send_signal(self, signum: int) -> None:
        """Send a signal to this process, but never to one that reuses its id."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signum)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    terminate = kill


class ForkedProvisioner(LocalProvisioner):
    """Launches kernels from the manager's template or, without one, as Jupyter does."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:  # noqa: ANN401 - theirs
        """Fork if this is our own kernel and the template responds."""
        template = getattr(self.parent, "template", None)
        if template is None or cmd[: len(LAUNCHER)] != LAUNCHER:
            return await super().launch_kernel(cmd, **options)
        where = str(options.get("cwd") or os.getcwd())  # noqa: PTH109 - a text is what is sent
        argv = cmd[len(LAUNCHER) :]
        try:
            process = await asyncio.to_thread(template.fork, argv, env=options["env"], cwd=where)
        except OSError:
            return await super().launch_kernel(cmd, **options)
        self.process = process
        self.pid = self.pgid = process.pid
        self.cwd = where
        return self.connection_info
