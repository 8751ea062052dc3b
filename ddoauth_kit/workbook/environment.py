"""Check in one go whether the workbook can run here."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from ddoauth_kit.workbook.tables import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable

PYTHON: Final = (3, 11)
PACKAGES: Final = ("httpx", "ipywidgets", "jupyterlab", "matplotlib", "pandas", "papermill")
SERVER_PACKAGES: Final = ("starlette", "uvicorn")
_INSTALL: Final = 'pip install "ddoauth-kit[workbook]"'


def check_environment(*, packages: Iterable[str] = (*PACKAGES, *SERVER_PACKAGES)) -> ResultTable:
    """Return one row for Python and for each package the lessons need.

    Columns: `needed`, `found` (yes or no), `next step` (empty where nothing is missing).
    """
    fresh = sys.version_info >= PYTHON
    version = ".".join(map(str, PYTHON))
    rows = [_row(f"Python {version} or newer", found=fresh, step=f"install Python {version}")]
    rows += [_row(name, found=find_spec(name) is not None, step=_INSTALL) for name in packages]
    return ResultTable("environment", rows)


def _row(needed: str, *, found: bool, step: str) -> dict[str, str]:
    return {
        "needed": needed,
        "found": "yes" if found else "no",
        "next step": "" if found else step,
    }
