"""Print a report as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.publishing.rules import Severity

if TYPE_CHECKING:
    from ddoauth_kit.publishing.check import Report


def listing(report: Report) -> str:
    """Return one finding after another, each with its fix, and the counts at the end."""
    width = max((len(str(found.at)) for found in report.findings), default=0)
    lines = []
    for found in report.findings:
        severity = str(found.rule.severity)
        lines.append(f"{severity:<6}  {found.at!s:<{width}}  {found.what} [{found.rule.id}]")
        lines.append(f"{'':<6}  {'':<{width}}  Fix: {found.fix}")
    counts = ", ".join(f"{report.count(severity)} {severity}" for severity in Severity)
    lines.append(f"{counts} in {report.folder!a}.")
    mended = sum(bool(found.edits) for found in report.findings)
    if mended:
        lines.append(
            f"--format diff prints a patch that mends {mended} of them, for: "
            f"git -C {report.folder!a} apply"
        )
    return "\n".join(lines)
