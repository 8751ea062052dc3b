"""Start Python so that it imports nothing from the current folder.

A folder whose contents come from somebody else may contain a `starlette.py`. If the current folder
is on the import path, Python runs that file with access to every secret in the environment. The kit
therefore starts Python only with the help of these functions.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SAFE: Final = "-P"  # https://docs.python.org/3/using/cmdline.html#cmdoption-P


def python_command(*arguments: str) -> list[str]:
    """Return the command that runs this interpreter without the current folder."""
    return [sys.executable, SAFE, *arguments]


def python_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an environment whose `PYTHONPATH` contains only absolute paths.

    An empty entry, as in `PYTHONPATH=:/x`, means the current folder, even with `-P`.
    """
    found = dict(environ)
    path = found.pop("PYTHONPATH", "")
    whole = [entry for entry in path.split(os.pathsep) if Path(entry).is_absolute()]
    if whole:
        found["PYTHONPATH"] = os.pathsep.join(whole)
    return found


def leave_the_current_folder() -> None:
    """Remove the current folder from this process's import path, where `python -m` puts it."""
    if not sys.flags.safe_path and sys.path[:1] in ([""], [str(Path.cwd())]):
        del sys.path[0]
