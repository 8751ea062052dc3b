"""Support the notebooks with a lab that combines the parts, and with displays of its values."""

from ddoauth_kit.errors.explainer import explain
from ddoauth_kit.workbook.lab.drills import provoke
from ddoauth_kit.workbook.lab.lab import Lab
from ddoauth_kit.workbook.lab.open_lab import open_lab, open_sandbox_lab
from ddoauth_kit.workbook.lessons.graded_copy import ServerCopy, stored_grade
from ddoauth_kit.workbook.lessons.lesson_runs import run_lessons
from ddoauth_kit.workbook.lessons.lesson_tables import (
    check_environment,
    faults_table,
    findings_table,
    journal_table,
    server_code,
    sites_table,
)
from ddoauth_kit.workbook.show.snippets import as_curl, as_httpx

__all__ = [
    "Lab",
    "ServerCopy",
    "as_curl",
    "as_httpx",
    "check_environment",
    "explain",
    "faults_table",
    "findings_table",
    "journal_table",
    "open_lab",
    "open_sandbox_lab",
    "provoke",
    "run_lessons",
    "server_code",
    "sites_table",
    "stored_grade",
]
