"""Run a command in its own process group, without taking over its output."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.front_error import FrontError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType, TracebackType
    from typing import IO, Self

_GRACE: Final = 5.0
# Words that only a shell understands.
SHELL_WORDS: Final = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<"})
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w*=")
_PASSED_ON: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")


class ForeignProcess:
    """Runs somebody else's command until it exits or `stop` is called.

    `output` receives its stdout and stderr; without it, the command inherits this process's
    streams.

    Raises:
        FrontError: `command_not_found`, `command_not_started`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        output: IO[bytes] | None = None,
        grace: float = _GRACE,
    ) -> None:
        self._grace = grace
        program = _found(command, environment=environment, folder=folder)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is what the user asked for
                [program, *command[1:]],
                env=dict(environment),
                cwd=folder,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                process_group=0 if os.name == "posix" else None,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise FrontError(
                "command_not_started",
                f"{command[0]} cannot be started ({error.strerror}). "
                "Check that it is a program for this machine.",
            ) from None

    @property
    def pid(self) -> int:
        """Return the command's process id, which is also the id of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether the command itself is still running."""
        return self._process.poll() is None

    def wait(self, seconds: float | None = None) -> int:
        """Wait for the command to exit; return its exit code as a shell does (128 plus the signal).

        Raises:
            TimeoutError: it is still running.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the command is still running after {seconds} s") from None
        return code if code >= 0 else 128 - code

    def send(self, number: int) -> None:
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", number))

    def stop(self) -> int:
        """End the whole group with SIGTERM, and after a few seconds with SIGKILL."""
        self.send(signal.SIGTERM)
        try:
            return self.wait(self._grace)
        except TimeoutError:
            pass
        finally:
            # Processes that the command started may outlive it.
            self.send(getattr(signal, "SIGKILL", signal.SIGTERM))
        return self.wait()

    def run(self) -> int:
        """Pass this process's signals on to the command until it exits, and return its exit code.

        If the group ignores the first Ctrl-C, the second one kills it.
        """
        asked: list[int] = []

        def pass_on(number: int, _: FrameType | None) -> None:
            again = number == signal.SIGINT and signal.SIGINT in asked
            asked.append(number)
            self.send(signal.SIGKILL if again and os.name == "posix" else number)

        with _handlers(pass_on):
            code = self.wait()
        self.send(getattr(signal, "SIGKILL", signal.SIGTERM))
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _found(command: Sequence[str], *, environment: Mapping[str, str], folder: Path | None) -> str:
    name = command[0]
    looked_for = str(folder / name) if folder and os.sep in name else name
    program = shutil.which(looked_for, path=environment.get("PATH"))
    if program is None:
        raise FrontError("command_not_found", f"{name} was not found. {_advice(name, command)}")
    return os.path.abspath(program) if os.sep in program else program  # noqa: PTH100 - keeps links


def _advice(name: str, command: Sequence[str]) -> str:
    """Suggest the program that a misspelled name was probably meant to be."""
    if _VARIABLE.match(name):
        return f"For a variable, write: env {name} PROGRAM."
    if len(name.split()) > 1 or SHELL_WORDS.intersection(command):
        return "The command does not run in a shell; if it needs one, write: sh -c 'COMMAND'."
    return f"Check its spelling and PATH; write ./{name} for a file in this folder."


@contextlib.contextmanager
def _handlers(handle: object) -> Iterator[None]:
    """In the main thread, handle the signals that stop or notify a program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    before = [signal.signal(number, handle) for number in numbers]  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
