"""Write a report in all formats into a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddoauth_kit.grading.reports.comparison import REPORT
from ddoauth_kit.grading.reports.junit import grade_junit
from ddoauth_kit.grading.reports.masked import masked
from ddoauth_kit.grading.reports.page import grade_page
from ddoauth_kit.grading.reports.texts import grade_markdown
from ddoauth_kit.result_files import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ddoauth_kit.grading.reports.comparison import VerdictChange
    from ddoauth_kit.grading.results import GradeReport


def grade_json(report: GradeReport) -> str:
    """Return the report as one JSON document with `grade`, `verdicts` and all other fields."""
    return json.dumps(masked(report).as_dict(), indent=2, ensure_ascii=False) + "\n"


def write_grade(
    report: GradeReport, *, out: Path, changed: Sequence[VerdictChange] = ()
) -> tuple[Path, ...]:
    """Write `grade.html`, `grade.json`, `grade.md` and `junit.xml`, and return their paths.

    Raises:
        OSError: the kit can't write to the folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        "grade.html": grade_page(report, changed=changed),
        REPORT: grade_json(report),
        "grade.md": grade_markdown(report, changed=changed),
        "junit.xml": grade_junit(report),
    }
    for name, text in texts.items():
        write_text(out / name, text)
    return tuple(out / name for name in texts)
