"""Back the notebooks: one lab that keeps the parts together, and what shows its values."""

from ddoauth_kit.explainer import explain
from ddoauth_kit.workbook.environment import check_environment
from ddoauth_kit.workbook.faults_table import faults_table
from ddoauth_kit.workbook.findings_table import findings_table
from ddoauth_kit.workbook.journal_table import journal_table
from ddoauth_kit.workbook.lab import open_lab, open_sandbox_lab
from ddoauth_kit.workbook.lesson_runs import run_lessons
from ddoauth_kit.workbook.provoke import provoke
from ddoauth_kit.workbook.sites_table import sites_table
from ddoauth_kit.workbook.snippets import as_curl, as_httpx
from ddoauth_kit.workbook.steps import Lab

__all__ = [
    "Lab",
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
    "sites_table",
]
