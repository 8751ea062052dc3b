"""Fetch pinned versions of the site's parts with the usual clients of their registries."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.maintenance.site.versions import EXTENSIONS, KERNEL, PYODIDE, WHEELS
from ddoauth_kit.own_python import python_command

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).resolve().parents[3]
# Only the core, because the package's other files are for Node, consoles and debuggers.
CORE: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK: Final = "pyodide-lock.json"
_PURE: Final = ("--python-version", "3.14", "--implementation", "py", "--abi", "none")


def fetch_wheels(folder: Path) -> list[Path]:
    """Download the wheels for the page's Python, unless the folder already contains them."""
    return _downloaded((*WHEELS, EXTENSIONS[1]), folder)


def fetch_extensions(folder: Path) -> list[Path]:
    """Download the wheels that JupyterLite itself loads: its kernel and widgets."""
    return _downloaded((KERNEL, *EXTENSIONS), folder)


def build_kit(folder: Path) -> Path:
    """Build the wheel of the kit, with the lessons, from this checkout."""
    _run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("ddoauth_kit-*.whl"))


def fetch_pyodide(folder: Path) -> Path:
    """Download Pyodide from npm and return the folder with its files."""
    unpacked = folder / "package"
    if not (unpacked / LOCK).exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", f"pyodide@{PYODIDE}"]
        _checked(command, cwd=folder)
        with tarfile.open(folder / f"pyodide-{PYODIDE}.tgz") as archive:
            archive.extractall(folder, filter="data")
    return unpacked


def _downloaded(names: Iterable[str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(names)
    missing = [name for name in wanted if not _found(name, folder)]
    if missing:
        options = ("--quiet", "--no-deps", "--only-binary=:all:", "--platform", "any")
        _run("pip", "download", *options, *_PURE, "--dest", str(folder), *missing)
    return [path for name in wanted for path in _found(name, folder)]


def _found(name: str, folder: Path) -> list[Path]:
    package, _, version = name.partition("==")
    return list(folder.glob(f"{package.replace('-', '_')}-{version}-*.whl"))


def _run(module: str, *arguments: str) -> None:
    _checked(python_command("-m", module, *arguments), cwd=ROOT)


def _checked(command: list[str], *, cwd: Path) -> None:
    """Run a program and report its output if it fails."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)  # noqa: S603 - fixed programs
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stderr[-2000:]}")
