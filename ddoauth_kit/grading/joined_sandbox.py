"""Find the control key of a sandbox that `ddoauth sandbox` runs on this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.grading.cookie_jar import is_loopback
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.grader import SandboxAddress
from ddoauth_kit.grading.sandbox_control import SandboxControl
from ddoauth_kit.grading.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_FILES: Final = "ddoauth-control-*/control-key"


def find_sandbox(url: str, *, folder: Path | None = None) -> SandboxAddress:
    """Return a running sandbox's address and its control key, which only the same user can read.

    Raises:
        SettingsError: `not_this_machine`, `no_control_key`.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise SettingsError(
            "not_this_machine",
            "--sandbox needs an address on this machine, such as http://127.0.0.1:8000, not "
            f"{url!r}.",
        )
    base = f"http://{parts.netloc}"
    for key in _keys(folder or Path(tempfile.gettempdir())):
        try:
            SandboxControl(f"{base}/control", key=key).last()
        except FrontError as error:
            if error.code == "sandbox_unreachable":
                raise SettingsError("no_control_key", f"{error}") from None
            continue
        return SandboxAddress(url=base, key=key)
    raise SettingsError(
        "no_control_key",
        f"This user has no control key for the sandbox at {base}. Start it as the same user: "
        "`ddoauth sandbox --env`.",
    )


def _keys(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob(KEY_FILES)):
        try:
            own = not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()
            if own:
                yield path.read_text("utf-8").strip()
        except OSError:
            continue
