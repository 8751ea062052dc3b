"""Compare Python and the installed packages with what is needed, and with what is known as bad."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from ddoauth_kit.doctor.finding import Finding, note, ok, problem
from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYTHON: Final = (3, 11)
_UNTRIED: Final = "older ones were not tried"
_INSTALL: Final = 'pip install --upgrade "ddoauth-kit[{extra}]"'


@dataclass(frozen=True, slots=True)
class Floor:
    """Name the first good version of a package, what was wrong before, and who needs it.

    `extra` is the kit's extra that brings the package, or empty for the kit itself.
    """

    package: str
    good: str
    reason: str
    extra: str = ""


FLOORS: Final = (
    Floor("httpx", "0.28", _UNTRIED),
    Floor("h11", "0.16.0", "CVE-2025-43859: badly framed bodies are accepted"),
    Floor("argcomplete", "3.5", _UNTRIED, "cli"),
    Floor("starlette", "1.1.0", "CVE-2026-48710: a Host header misleads", "sandbox"),
    Floor("uvicorn", "0.54", _UNTRIED, "sandbox"),
    Floor("markdown-it-py", "4.0", _UNTRIED, "publishing"),
    Floor("ipykernel", "7", _UNTRIED, "workbook"),
    Floor("anywidget", "0.11", _UNTRIED, "workbook"),
    Floor("ipywidgets", "8.1", _UNTRIED, "workbook"),
    Floor("jinja2", "3.1.6", "CVE-2025-27516: a template leaves its bounds", "workbook"),
    Floor("jupyter-server", "2.20.0", "CVE-2026-44727: a notebook's page runs as you", "workbook"),
    Floor("jupyterlab", "4.6.2", "CVE-2026-73415: a picture runs as you", "workbook"),
    Floor("keyring", "25", _UNTRIED, "workbook"),
    Floor("matplotlib", "3.10", _UNTRIED, "workbook"),
    Floor("mistune", "3", _UNTRIED, "workbook"),
    Floor("nbconvert", "7.17.0", "CVE-2025-53000: a foreign program is run", "workbook"),
    Floor("pandas", "3.0", _UNTRIED, "workbook"),
    Floor("papermill", "2.7", _UNTRIED, "workbook"),
    Floor("psutil", "6", _UNTRIED, "workbook"),
    Floor("requests", "2.32.4", "CVE-2024-47081: credentials go elsewhere", "workbook"),
    Floor("tornado", "6.5.0", "CVE-2025-47287: a form stalls the server", "workbook"),
    Floor("tqdm", "4.67", _UNTRIED, "workbook"),
    Floor("urllib3", "2.6.3", "CVE-2026-21441: a small answer fills the memory", "workbook"),
    Floor("authlib", "1.6.12", "CVE-2026-41425: a login can be forged", "dev"),
    Floor("cryptography", "46.0.5", "CVE-2026-26007: input is not checked", "dev"),
    Floor("flask", "3.1.3", "CVE-2026-27205: a private page is cached", "dev"),
    Floor("pytest", "9.0.3", "CVE-2025-71176: others reach its folder", "dev"),
    Floor("werkzeug", "3.1.6", "CVE-2026-27199: a device passes as a file", "dev"),
)


def check_python() -> Finding:
    """Compare the interpreter with the oldest one that works."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        needed = ".".join(map(str, PYTHON))
        return problem("python", f"Python {found}", f"install Python {needed} or newer")
    return ok("python", f"Python {found}")


def check_packages(*, installed: Callable[[str], str] = version) -> Iterator[Finding]:
    """Compare each installed package; what is not installed is told once an extra."""
    missing: dict[str, list[str]] = {}
    for floor in FLOORS:
        try:
            found = installed(floor.package)
        except PackageNotFoundError:
            if floor.extra != "dev":  # whoever needs it has installed it
                missing.setdefault(floor.extra, []).append(floor.package)
            continue
        yield _compared(floor, found)
    for extra, names in missing.items():
        step = _INSTALL.format(extra=extra) if extra else "pip install --upgrade ddoauth-kit"
        report = note if extra else problem
        yield report("packages", f"not installed: {', '.join(names)}", step)


def missing_package(module: str) -> InputError:
    """Return the error for a module that is not installed, with the extra that brings it."""
    name = module.partition(".")[0].replace("_", "-").lower()
    extra = next((floor.extra for floor in FLOORS if floor.package == name), "workbook")
    install = f'pip install "ddoauth-kit[{extra}]"' if extra else "pip install ddoauth-kit"
    return InputError("missing_package", f"{module} is not installed: {install}.")


def older(found: str, good: str) -> bool:
    """Return whether a version comes before another; a pre-release counts as its release."""
    return _numbers(found) < _numbers(good)


def _compared(floor: Floor, found: str) -> Finding:
    check = f"package {floor.package}"
    if older(found, floor.good):
        step = f'pip install --upgrade "{floor.package}>={floor.good}"'
        return problem(check, f"{found}; before {floor.good}, {floor.reason}", step)
    return ok(check, found)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with, without zeros at the end."""
    begin = re.match(r"\d+(?:\.\d+)*", text)
    numbers = [int(part) for part in begin[0].split(".")] if begin else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
