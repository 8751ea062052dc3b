"""Show what a sandbox was asked for: its journal, in which no secret stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.tables import ResultTable

if TYPE_CHECKING:
    from ddoauth_kit.workbook.steps import Lab


def journal_table(lab: Lab) -> ResultTable | Skipped:
    """Return one row a request; columns: `method`, `site`, `path`, `status`, `form fields`.

    Skipped for a lab without a sandbox in this kernel.
    """
    if lab.parts.journal is None:
        return Skipped("This lab has no sandbox of its own, so there is no journal to read.")
    rows = [
        {
            "method": entry.method,
            "site": entry.site or "none",
            "path": entry.path,
            "status": entry.status,
            "form fields": " ".join(entry.fields),
        }
        for entry in lab.parts.journal()
    ]
    return ResultTable("journal", rows)
