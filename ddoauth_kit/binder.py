"""Detect places where real credentials don't belong: Binder (a public machine) and browser tabs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The hub's cluster sets the first, and BinderHub's launcher sets the others.
BINDER: Final = ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST", "BINDER_REPO_URL")
NOTHING_KEPT: Final = "nothing is written to disk on Binder"


def on_binder(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process runs on Binder."""
    return any(environ.get(name) for name in BINDER)


def in_a_tab() -> bool:
    """Return whether this Python is running in a browser tab."""
    return sys.platform == "emscripten"


def refuse_on_binder(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse to read a real credential on Binder or in a browser tab.

    Raises:
        InputError: `no_live_on_binder`, `no_live_in_a_tab`.
    """
    if in_a_tab():
        what = "This Python runs in a web page, where a confidential client's secret isn't safe."
        raise InputError("no_live_in_a_tab", what)
    if on_binder(environ):
        what = (
            "This is Binder, a public machine that other people operate: don't use real "
            "credentials here."
        )
        raise InputError("no_live_on_binder", what)
