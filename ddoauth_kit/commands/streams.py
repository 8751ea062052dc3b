"""Make the standard streams accept any text, even if they are closed or limited to ASCII."""

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
    """Replace characters that a stream can't encode, and reopen closed descriptors.

    Otherwise, the next file to be opened would get the closed descriptor, and a child process's
    output would end up in that file.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= _STANDARD:
        pass
    os.close(free)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def existing_streams() -> Iterator[None]:
    """During the block, replace a missing or closed stream with one that discards everything."""
    with ExitStack() as opened:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is None or stream.closed:
                opened.callback(setattr, sys, name, stream)
                nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
                setattr(sys, name, opened.enter_context(nowhere))
        yield


def drop_output() -> None:
    """Discard what stdout still buffers, so that Python does not try to write it at exit."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
