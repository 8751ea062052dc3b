"""Every lesson runs at every site."""

from __future__ import annotations

import pytest
from support.lessons import run_lesson

from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

# They run others in kernels, grade servers, and probe every site wherever they run.
SAME_EVERYWHERE = ("07", "11", "12")
# There each lesson runs in a kernel: by nbval, and by tests/workbook/runs/test_local_runner.py.
ELSEWHERE = ("us1", "us1-fed")


@pytest.mark.long
def test_every_lesson_runs_at_every_site(capfd: pytest.CaptureFixture[str]) -> None:
    """Each cell runs and shows what it returns, in one process."""
    lessons = [path for path in find_notebooks() if path.name[:2] not in SAME_EVERYWHERE]
    sites = [name for name in DATADOG_SITES.names if name not in ELSEWHERE]
    for lesson in lessons:
        for site in sites:
            run_lesson(lesson, {"SITE": site, "SITES": site})
            assert "Traceback" not in capfd.readouterr().err, f"{lesson.stem} at {site}"
