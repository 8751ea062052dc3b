"""Every lesson runs with `MODE = "live"` as it does in the sandbox, with and without writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from support.backends import live_environment

from ddoauth_kit.oauth.consent.scripted_consent import visit_consent
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.open_lab import sandbox_sites
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from pathlib import Path

OPEN = "open_lab(SITE, mode=MODE, client=CLIENT, writes=WRITES)"
# These probe or run everything; with writes they run where all lessons follow each other, below.
WIDE = ("05_probe_the_scopes", "07_every_site")
LIVE = [
    pytest.param(
        lesson,
        writes,
        id=f"{lesson.stem}-{writes}",
        marks=[pytest.mark.long] if lesson.stem == "07_every_site" else [],
    )
    for lesson in find_notebooks()
    for writes in (False, True)
    if not (writes and lesson.stem in WIDE)
]
CHANGING = ("/api_keys/marketplace", "/oauth2/v1/revoke", "/api/v2/series", "/api/v2/logs")


@pytest.mark.parametrize(("lesson", "writes"), LIVE)
def test_lesson_in_live_mode(
    lesson: Path, monkeypatch: pytest.MonkeyPatch, *, writes: bool
) -> None:
    """A live lesson passes its own checks, and changes nothing unless it was asked to."""
    with Sandbox() as datadog:
        _set_up(monkeypatch, datadog)
        options: dict[str, Any] = {"sites": sandbox_sites(datadog), "person": visit_consent}
        with open_lab("us1", mode="live", writes=writes, **options) as lab:
            _execute(lesson, {"live_lab": lab})
        changed = [e.path for e in datadog.journal if e.path in CHANGING and e.method == "POST"]
    assert writes or not changed


@pytest.mark.long
def test_lessons_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """With writes, the lessons share one organization: the second takes the key that was kept."""
    with Sandbox() as datadog:
        _set_up(monkeypatch, datadog)
        options: dict[str, Any] = {"sites": sandbox_sites(datadog), "person": visit_consent}
        for _ in range(2):
            for lesson in find_notebooks():
                with open_lab("us1", mode="live", writes=True, **options) as lab:
                    _execute(lesson, {"live_lab": lab})
        made = [e for e in datadog.journal if e.path.endswith("/marketplace")]
    assert [entry.status for entry in made] == [201]


def _set_up(monkeypatch: pytest.MonkeyPatch, datadog: Sandbox) -> None:
    """Put the published client of a stand-in for Datadog into the environment."""
    client = datadog.client
    live_environment(
        monkeypatch,
        CLIENT_KIND="published",
        PUBLISHED_CLIENT_ID=client.client_id,
        PUBLISHED_CLIENT_SECRET=client.client_secret,
        REDIRECT_URIS=client.redirect_uris[0],
        SCOPES=" ".join(client.scopes),
    )


def _execute(lesson: Path, names: dict[str, Any]) -> None:
    """Run a lesson's cells in order, with the lab of the test in place of its own."""
    for cell in nbformat.read(lesson, as_version=4).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source.replace(OPEN, "live_lab"), lesson.name, "exec"), names)
