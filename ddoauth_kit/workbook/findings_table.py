"""Show what `ddoauth doctor` finds, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.workbook.tables import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.doctor import Finding


def findings_table(findings: Iterable[Finding], *checks: str) -> ResultTable:
    """Return one row a finding; columns: `check`, `status`, `found`, `next step`.

    With `checks` only those whose name begins with one of them.
    """
    rows = [
        {
            "check": each.check,
            "status": str(each.status),
            "found": each.found,
            "next step": each.next_step,
        }
        for each in findings
        if not checks or each.check.startswith(checks)
    ]
    return ResultTable("findings", rows)
