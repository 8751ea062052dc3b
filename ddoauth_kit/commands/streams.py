"""Make standard streams fit for any text, also where one is closed or knows few letters."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Final

_STANDARD: Final = 2


def prepare_streams() -> None:
    """Replace letters that a stream does not know, and give each closed number a file.

    A closed number would be given to the next file that is opened, and what a child process says
    would end in that file.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= _STANDARD:
        pass
    os.close(free)
    replace_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def replace_missing_streams() -> None:
    """Let a stream that does not exist or is closed take everything, as a daemon's does."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def drop_output() -> None:
    """Lose what is still to be written to stdout, so that Python does not try it at its end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
