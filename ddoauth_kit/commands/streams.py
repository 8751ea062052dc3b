"""Make standard streams fit for any text, also where one is closed or knows few letters."""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD: Final = 2


def prepare_streams() -> None:
    """Replace letters that a stream does not know, and give each closed number a file.

    A closed number would be given to the next file that is opened, and what a child process says
    would end in that file.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= _STANDARD:
        pass
    os.close(free)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def existing_streams() -> Iterator[None]:
    """Meanwhile, let a stream that does not exist or is closed take everything, as a daemon's."""
    with ExitStack() as opened:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is None or stream.closed:
                opened.callback(setattr, sys, name, stream)
                nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
                setattr(sys, name, opened.enter_context(nowhere))
        yield


def drop_output() -> None:
    """Lose what is still to be written to stdout, so that Python does not try it at its end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
