"""Install a Node program's libraries with npm, next to a copy of the program."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.once import made_once

if TYPE_CHECKING:
    from pathlib import Path

needs_npm = pytest.mark.skipif(
    not shutil.which("npm") and not os.environ.get("CI"), reason="Node and npm are not here"
)
# What several programs need; their package.json names the same version.
CLIENTS = ("axios", "openid-client@6.9.0")


def installed(source: Path, *, folder: Path) -> Path:
    """Copy the program's files to the folder, install their dependencies, and return the folder."""
    _copy(source, folder)
    _install(folder)
    return folder


def with_clients(source: Path, *, folder: Path, shared: Path) -> Path:
    """Copy the program's files to the folder, where they find the clients that all tests share."""
    _copy(source, folder)
    (folder / "node_modules").symlink_to(clients(shared) / "node_modules")
    return folder


def clients(shared: Path) -> Path:
    """Install the clients once for all tests of a run, and return their folder."""

    def make(folder: Path) -> Path:
        (folder / "package.json").write_text("{}")
        _install(folder, *CLIENTS)
        return folder

    return made_once(shared / "npm_clients", make)


def _copy(source: Path, folder: Path) -> None:
    for path in source.iterdir():
        shutil.copy(path, folder)


def _install(folder: Path, *names: str) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", *names]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip("npm could not install the libraries")
    assert done.returncode == 0, done.stderr
