"""Install a Node program's libraries with npm, next to a copy of the program."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

needs_npm = pytest.mark.skipif(
    not shutil.which("npm") and not os.environ.get("CI"), reason="Node and npm are not here"
)


def installed(source: Path, *, folder: Path) -> Path:
    """Copy the program's files to the folder, install their dependencies, and return the folder."""
    for path in source.iterdir():
        shutil.copy(path, folder)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip("npm could not install the libraries")
    assert done.returncode == 0, done.stderr
    return folder
