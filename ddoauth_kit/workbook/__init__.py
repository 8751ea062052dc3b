"""Support the notebooks with a lab that combines the parts, and with displays of its values.

Each name is loaded when it is first used, so a command can find the lessons without loading the
lab.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_PLACES = {
    "Lab": "ddoauth_kit.workbook.lab.lab",
    "ServerCopy": "ddoauth_kit.workbook.lessons.graded_copy",
    "as_curl": "ddoauth_kit.workbook.show.snippets",
    "as_httpx": "ddoauth_kit.workbook.show.snippets",
    "check_environment": "ddoauth_kit.workbook.lessons.lesson_tables",
    "explain": "ddoauth_kit.errors.explainer",
    "faults_table": "ddoauth_kit.workbook.lessons.lesson_tables",
    "findings_table": "ddoauth_kit.workbook.lessons.lesson_tables",
    "journal_table": "ddoauth_kit.workbook.lessons.lesson_tables",
    "open_lab": "ddoauth_kit.workbook.lab.open_lab",
    "open_sandbox_lab": "ddoauth_kit.workbook.lab.open_lab",
    "provoke": "ddoauth_kit.workbook.lab.drills",
    "run_lessons": "ddoauth_kit.workbook.lessons.lesson_runs",
    "server_code": "ddoauth_kit.workbook.lessons.lesson_tables",
    "sites_table": "ddoauth_kit.workbook.lessons.lesson_tables",
    "stored_grade": "ddoauth_kit.workbook.lessons.graded_copy",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
