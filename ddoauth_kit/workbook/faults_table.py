"""Show what the sandbox can be told to do wrong."""

from __future__ import annotations

from ddoauth_kit.workbook.tables import ResultTable


def faults_table() -> ResultTable:
    """Return what the sandbox can be told to do wrong; columns: `fault`, `what happens`.

    Each name is a drill of the lab, too.
    """
    from ddoauth_kit.sandbox import FAULTS

    rows = [{"fault": fault.name, "what happens": fault.summary} for fault in FAULTS.values()]
    return ResultTable("faults", rows)
