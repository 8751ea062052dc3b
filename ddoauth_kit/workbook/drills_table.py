"""Show what several drills led to, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.errors import DdoauthError, NetworkError
from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.tables import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable


def drills_table(errors: Iterable[tuple[str, DdoauthError | Skipped]]) -> ResultTable:
    """Return one row a drill; columns: `drill`, `status`, `the server said`, `code`."""
    return ResultTable("drills", [_row(name, error) for name, error in errors])


def _row(name: str, error: DdoauthError | Skipped) -> dict[str, str]:
    if isinstance(error, Skipped):
        return {"drill": name, "status": "", "the server said": "", "code": "no error"}
    return {
        "drill": name,
        "status": _status(error),
        "the server said": "; ".join(error.said),
        "code": error.code,
    }


def _status(error: DdoauthError) -> str:
    if error.exchange:
        return str(error.exchange.status)
    return "no whole answer" if isinstance(error, NetworkError) else "nothing sent"
