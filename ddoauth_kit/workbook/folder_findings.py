"""Show what the check of an integration's folder found, without naming the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.workbook.tables import ResultTable

if TYPE_CHECKING:
    from ddoauth_kit.publishing.check import Report


def folder_findings(report: Report) -> ResultTable:
    """Return the findings; columns: `severity`, `at`, `what`, `rule`, `in the patch`."""
    rows = [
        {
            "severity": str(found.rule.severity),
            "at": str(found.at),
            "what": found.what,
            "rule": found.rule.id,
            "in the patch": "yes" if found.edits else "no",
        }
        for found in report.findings
    ]
    return ResultTable("folder_findings", rows)
