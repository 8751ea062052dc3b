"""Build the site: `python -m ddoauth_kit.maintenance.site --out DIR`.

It needs the extra `site` and npm. `--cache DIR` keeps the downloads for the next build.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from ddoauth_kit.maintenance.site.contents import (
    lab_page,
    lesson_text,
    llms_text,
    root_page,
    settings,
)
from ddoauth_kit.maintenance.site.parts import (
    CORE,
    LOCK,
    build_kit,
    fetch_extensions,
    fetch_pyodide,
    fetch_wheels,
)
from ddoauth_kit.own_python import python_command
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Iterable

_OF_THE_KERNEL: Final = "static/pypi/"
_UNUSED: Final = ("widgetsnbextension-3",)


def build(out: Path, *, cache: Path) -> None:
    """Write the whole site to a folder, replacing its contents."""
    with TemporaryDirectory(prefix="ddoauth-site-") as name:
        lite = Path(name)
        packages = _lay_out(lite, cache=cache)
        (lite / "jupyter-lite.json").write_text(json.dumps(settings(packages), indent=1), "utf-8")
        shutil.rmtree(out, ignore_errors=True)
        _build_lite(lite, out, extensions=fetch_extensions(cache / "extensions"))
    lab = out / "lab" / "index.html"
    lab.write_text(lab_page(lab.read_text("utf-8")), "utf-8")
    (out / "index.html").write_text(root_page(), "utf-8")
    (out / "llms.txt").write_text(llms_text(find_notebooks()), "utf-8")


def _lay_out(lite: Path, *, cache: Path) -> list[str]:
    """Arrange lessons, Pyodide and wheels for JupyterLite; return the package names."""
    lessons, pyodide = lite / "files", lite / "static" / "pyodide"
    lessons.mkdir()
    pyodide.mkdir(parents=True)
    for lesson in find_notebooks():
        (lessons / lesson.name).write_text(lesson_text(lesson), "utf-8")
    source = fetch_pyodide(cache / "pyodide")
    for name in CORE:
        shutil.copy(source / name, pyodide)
    for wheel in fetch_wheels(cache / "wheels"):
        shutil.copy(wheel, pyodide)
    build_kit(pyodide)
    _unpack_kernel(fetch_extensions(cache / "extensions")[0], pyodide)
    lock = json.loads((source / LOCK).read_text("utf-8"))
    lock["packages"] = _locked(sorted(pyodide.glob("*.whl")))
    (pyodide / LOCK).write_text(json.dumps(lock, indent=1), "utf-8")
    return sorted(lock["packages"])


def _unpack_kernel(wheel: Path, folder: Path) -> None:
    """Extract the kernel's Python part from the wheel of its extension."""
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            file = name.rpartition("/")[2]
            if _OF_THE_KERNEL in name and name.endswith(".whl") and not file.startswith(_UNUSED):
                (folder / file).write_bytes(archive.read(name))


def _locked(wheels: Iterable[Path]) -> dict[str, Any]:
    """Describe wheels as in Pyodide's lock file, without dependencies, because all are loaded."""
    found = {}
    for wheel in wheels:
        written, version, *_ = wheel.name.split("-")
        name = written.replace("_", "-").lower()
        found[name] = {
            "name": name,
            "version": version,
            "file_name": wheel.name,
            "install_dir": "site",
            "sha256": sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": [],
            "depends": [],
            "unvendored_tests": False,
        }
    return found


def _build_lite(lite: Path, out: Path, *, extensions: Iterable[Path]) -> None:
    config = {
        "LiteBuildConfig": {
            "lite_dir": str(lite),
            "output_dir": str(out),
            "contents": [str(lite / "files")],
            "federated_extensions": [str(path) for path in extensions],
            # Other packages in this environment don't concern the site.
            "ignore_sys_prefix": ["federated_extensions"],
            "apps": ["lab"],
            "no_sourcemaps": True,
        }
    }
    path = lite / "jupyter_lite_config.json"
    path.write_text(json.dumps(config), "utf-8")
    command = python_command("-m", "jupyterlite_core", "build", "--config", str(path))
    done = subprocess.run(command, cwd=lite, check=False, capture_output=True, text=True)  # noqa: S603 - its own program
    if done.returncode:
        raise SystemExit(f"jupyter lite build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def main(arguments: list[str]) -> int:
    """Build the site and report its size."""
    parser = argparse.ArgumentParser(prog="python -m ddoauth_kit.maintenance.site")
    parser.add_argument("--out", required=True, type=Path, help="folder of the site; is replaced")
    parser.add_argument("--cache", type=Path, help="folder that keeps downloads for the next time")
    chosen = parser.parse_args(arguments)
    if find_spec("jupyterlite_core") is None:
        parser.exit(2, 'Install the extra first: pip install "ddoauth-kit[site]"\n')
    with TemporaryDirectory(prefix="ddoauth-parts-") as parts:
        build(chosen.out.resolve(), cache=(chosen.cache or Path(parts)).resolve())
    size = sum(path.stat().st_size for path in chosen.out.rglob("*") if path.is_file())
    print(f"{chosen.out}: {size / 1e6:.1f} MB")  # noqa: T201 - the program's output
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
