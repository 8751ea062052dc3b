"""Check variables that take one of several words; the commands refuse other words, too."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ddoauth_kit.config_folder import config_folder
from ddoauth_kit.doctor.finding import Finding, note, ok, problem
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.consent.way_back import consent_wanted
from ddoauth_kit.socket_folder import short_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def check_sockets(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Say where kernels have their sockets, if the temporary folder's path is too long for them."""
    parent = short_parent(environ)
    if parent is None:
        step = "set TMPDIR to a folder with a shorter path"
        yield note("TMPDIR", "its path is too long for sockets: kernels use ports", step)
    elif parent != Path(tempfile.gettempdir()):
        yield ok("TMPDIR", f"its path is too long for sockets: kernels have theirs in {parent}")


def check_words(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Name the settings that the commands would refuse."""
    for check, ask in (("consent", consent_wanted), ("config folder", config_folder)):
        try:
            ask(environ)
        except InputError as error:
            yield problem(check, error.what, error.advice)
