"""Write to a terminal: results to stdout, everything else to stderr, and an exit code.

Whatever a value contains, only printable text is written.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.streams import drop_output
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import many_lines, one_line
from ddoauth_kit.scopes import known_scopes, unknown_scope
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from ddoauth_kit.errors import DdoauthError

_ONLY_LIVE: Final = ("DDOAUTH_SANDBOX", "DDOAUTH_CLIENT_ID", "DDOAUTH_PUBLISHED_CLIENT_ID")
SUCCESS: Final = 0
FOUND: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130


def answer(text: str) -> None:
    """Print one line of a result immediately, because a program may be waiting for it."""
    _print(one_line(text), sys.stdout)


def document(text: str) -> None:
    """Print a result of many lines, such as JSON, CSV or a table, and keep its line breaks."""
    _print(many_lines(text), sys.stdout)


def say(text: str) -> None:
    """Print one line about progress; it is not an error if stderr can't be written to."""
    with suppress(OSError):
        _print(one_line(text), sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    """Print text, and escape characters that the stream's encoding does not have."""
    encoding = stream.encoding or "utf-8"
    shown = text.encode(encoding, "backslashreplace").decode(encoding)
    print(shown, file=stream, flush=True)


def complain(why: DdoauthError | str) -> int:
    """Print in one line why nothing was done, and return the exit code."""
    text = why if isinstance(why, str) else why.told(f"ddoauth explain {why.code}")
    say(f"ddoauth: {text}")
    return BAD_INPUT


def not_written(error: OSError) -> int:
    """Say in one line what the system refused, and discard the output that could not be written."""
    drop_output()
    what = f"{error.filename or 'The output'} cannot be written: {error.strerror or error}."
    complain(InputError("output_not_written", what))
    return FOUND


def chosen_sites(names: list[str]) -> tuple[str, ...]:
    """Return the sites that `--site` names, without duplicates; `all` means all nine.

    Raises:
        InputError: `unknown_site`.
    """
    if "all" in names:
        return DATADOG_SITES.names
    return tuple(dict.fromkeys(DATADOG_SITES.named(name).name for name in names))


def checked_client(path: str | None) -> str:
    """Return the path of a readable client file, or None; print warnings to stderr.

    Raises:
        InputError: `bad_client_file`.
    """
    if path is None:
        return ""
    from ddoauth_kit.registration import registration_from_file

    for warning in registration_from_file(path).warnings:
        say(f"warning: {warning}")
    return path


def chosen_scopes(given: list[str]) -> tuple[str, ...]:
    """Return the scopes that `--scope` names, separated by spaces or commas, each once.

    Raises:
        InputError: `unknown_scope`, with similar names.
    """
    scopes = tuple(dict.fromkeys(re.split(r"[\s,;]+", " ".join(given).strip(" \t\r\n,;"))))
    if scopes == ("",):
        if given:
            raise InputError("unknown_scope", "--scope needs the name of a scope.")
        return ()
    unknown = [unknown_scope(scope) for scope in scopes if scope not in known_scopes()]
    if unknown:
        raise InputError("unknown_scope", " ".join(unknown))
    return scopes


def say_if_settings_rest(mode: str, environ: Mapping[str, str] = os.environ) -> None:
    """Say that in sandbox mode, a command doesn't use the client that the environment names."""
    named = next((name for name in _ONLY_LIVE if environ.get(name)), "")
    if mode == "sandbox" and named:
        say(f"note: {named} is for --mode live; this run uses a demo client in its own sandbox")
