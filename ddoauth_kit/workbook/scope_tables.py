"""Show what scopes open, what calls need, and what was asked for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.api.catalogue import catalogue
from ddoauth_kit.workbook.tables import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.api.catalogue import Operation
    from ddoauth_kit.api.scope_advice import ScopeNeeds, ScopeUse


def opened_table(scope: str) -> ResultTable:
    """Return one row for each operation that a scope opens.

    Columns: `request`, `operation`, `area`, `also needs`, `or instead`, `preview`.
    """
    opened = catalogue().opened_by(scope)
    return ResultTable("opened_by", [_opened(operation, scope) for operation in opened])


def needs_table(needs: ScopeNeeds) -> ResultTable:
    """Return one row for each call, and the smallest set of scopes for all of them.

    Columns: `call`, `scopes`, `note`.
    """
    rows = [
        {"call": str(each.call), "scopes": _joined(sorted(each.scopes)), "note": each.note}
        for each in needs.calls
    ]
    count = len(needs.scopes)
    whole = {"call": "all of them", "scopes": _joined(needs.scopes), "note": f"{count} in all"}
    return ResultTable("smallest_scopes", [*rows, whole])


def use_table(use: ScopeUse) -> ResultTable:
    """Return one row for each scope that was requested or granted.

    Columns: `scope`, `requested`, `granted`, `used`.
    """
    names = dict.fromkeys((*use.requested, *use.granted))
    return ResultTable(
        "scope_use",
        [
            {
                "scope": name,
                "requested": _yes(name in use.requested),
                "granted": _yes(name in use.granted),
                "used": _yes(name in use.used),
            }
            for name in names
        ],
    )


def _opened(operation: Operation, scope: str) -> dict[str, str]:
    companions = min(operation.companions(scope), key=len)
    instead = [_joined(sorted(names), " and ") for names in operation.alternatives(scope)]
    return {
        "request": operation.address,
        "operation": operation.id,
        "area": operation.area,
        "also needs": _joined(sorted(companions)),
        "or instead": _joined(instead, " or "),
        "preview": _yes(operation.preview),
    }


def _joined(names: Iterable[str], by: str = " ") -> str:
    return by.join(names)


def _yes(value: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if value else "no"
