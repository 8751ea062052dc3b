"""Determine how a person's redirect gets back, from the settings and the available browser."""

from __future__ import annotations

import os
import shutil
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.environment_values import value_of
from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY")
_WITH_WINDOWS: Final = frozenset(
    {
        "chrome",
        "chromium",
        "chromium-browser",
        "epiphany",
        "falkon",
        "firefox",
        "firefox-esr",
        "google-chrome",
        "konqueror",
        "microsoft-edge",
        "mozilla",
        "opera",
        "x-www-browser",
        "xdg-open",
    }
)
_IN_TERMINALS: Final = frozenset(
    {
        "browsh",
        "carbonyl",
        "cha",
        "edbrowse",
        "elinks",
        "links",
        "links2",
        "lynx",
        "netrik",
        "retawq",
        "w3m",
        "www-browser",
    }
)


def consent_wanted(environ: Mapping[str, str] = os.environ) -> str:
    """Return the value of `DDOAUTH_CONSENT`: `paste`, `listener` or "".

    Raises:
        InputError: `unknown_consent`.
    """
    wanted = value_of("DDOAUTH_CONSENT", environ).lower()
    if wanted not in {"", "paste", "listener"}:
        raise InputError("unknown_consent", f"DDOAUTH_CONSENT is {wanted[:40]!a}.")
    return wanted


def browser_is_here() -> bool:
    """Return whether a graphical browser can be opened on this machine."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    # Python accepts the program that BROWSER names without checking that it exists.
    named = isinstance(browser, webbrowser.GenericBrowser)
    missing = named and shutil.which(str(browser.name)) is None
    return not missing and not opens_no_window()


def opens_no_window(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the default browser runs in a terminal or has no display.

    Such a browser would use up a one-time link without showing it to anybody.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    name = Path(str(getattr(browser, "name", ""))).name.lower()
    display = sys.platform in {"darwin", "win32"} or any(map(environ.get, _DISPLAYS))
    return name in _IN_TERMINALS or (name in _WITH_WINDOWS and not display)
