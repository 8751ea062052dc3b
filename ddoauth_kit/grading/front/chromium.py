"""Open Chromium with a temporary profile in which Datadog's names lead to the sandbox.

Chromium recognizes this run's authority by the fingerprint of its key, so you don't have to import
a certificate.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.process import ForeignProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ON_MACOS: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# The front would refuse Chromium's own calls, which would then fill its list.
_QUIET: Final = (
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-pings",
)


@contextmanager
def chromium(
    url: str,
    *,
    proxy_url: str,
    fingerprint: str,
    environment: Mapping[str, str],
    more: Sequence[str] = (),
) -> Iterator[ForeignProcess]:
    """Show a page in a window; afterwards, close it and delete its profile. `more` adds options.

    Raises:
        FrontError: `no_browser`, if Chromium or a display is missing.
    """
    program = _found(environment)
    if not any(each.startswith("--headless") for each in more):
        _check_screen(environment)
    with tempfile.TemporaryDirectory(prefix="ddoauth-chromium-", ignore_cleanup_errors=True) as at:
        command = [
            *(program, f"--user-data-dir={at}", f"--proxy-server={proxy_url}"),
            *(f"--ignore-certificate-errors-spki-list={fingerprint}", *_QUIET, *more),
            # Chromium refuses to run its sandbox as root.
            *(("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()),
            url,
        ]
        with (
            Path(at, "output").open("wb") as output,
            ForeignProcess(command, environment=environment, output=output) as process,
        ):
            yield process


def _found(environment: Mapping[str, str]) -> str:
    path = environment.get("PATH")
    found = [shutil.which(name, path=path) for name in PROGRAMS]
    found += [place for place in _ON_MACOS if Path(place).exists()]
    program = next(filter(None, found), None)
    if program is None:
        raise FrontError(
            "no_browser",
            "--open needs Chromium or Chrome, and neither was found. Install one, or leave out "
            "--open.",
        )
    return program


def _check_screen(environment: Mapping[str, str]) -> None:
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(map(environment.get, screens)):
        raise FrontError(
            "no_browser",
            "--open needs a display, but neither DISPLAY nor WAYLAND_DISPLAY is set. Start this "
            "in a desktop session, or leave out --open.",
        )
