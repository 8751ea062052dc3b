"""Know whether this is Binder: a public machine, where nothing real belongs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The first comes from the hub's cluster, the others from BinderHub's launcher.
BINDER: Final = ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST", "BINDER_REPO_URL")
NOTHING_KEPT: Final = "nothing is written to disk on Binder"


def on_binder(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process runs on Binder."""
    return any(environ.get(name) for name in BINDER)


def refuse_on_binder(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse to touch a real credential on Binder, before it is read.

    Raises:
        InputError: `no_live_on_binder`.
    """
    if on_binder(environ):
        what = (
            "This is Binder, a public machine that other people operate: don't use real "
            "credentials here."
        )
        raise InputError("no_live_on_binder", what)
