"""The versions of the site fit together, and the extra installs the same ones."""

from __future__ import annotations

import re
import tomllib

from ddoauth_kit.maintenance.site.parts import ROOT
from ddoauth_kit.maintenance.site.versions import EXTENSIONS, KERNEL, PYODIDE, WHEELS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_extra_has_the_same_kernel() -> None:
    """The tools that build the site have the version of its kernel."""
    extra = PROJECT["optional-dependencies"]["site"]
    assert KERNEL in extra
    assert KERNEL.replace("pyodide-kernel", "core") in extra


def test_every_version_is_exact() -> None:
    """Nothing on the site changes unless somebody changes it."""
    pinned = re.compile(r"[A-Za-z][\w-]*==\d[\w.]*")
    assert [name for name in (KERNEL, *EXTENSIONS, *WHEELS) if not pinned.fullmatch(name)] == []
    assert re.fullmatch(r"\d+\.\d+\.\d+", PYODIDE)
    names = [name.partition("==")[0] for name in WHEELS]
    assert len(set(names)) == len(names)


def test_every_package_of_the_kit_has_a_wheel() -> None:
    """The site contains everything that the kit and its sandbox need."""
    needed = {re.split(r"[>=<]", name)[0] for name in PROJECT["dependencies"]}
    assert {*needed, "starlette"} <= {name.partition("==")[0] for name in WHEELS}
