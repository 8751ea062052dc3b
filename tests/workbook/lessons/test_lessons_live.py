"""Every lesson runs with `MODE = "live"`, and only the server at Datadog's names differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.backends import live_environment
from support.front import scene
from support.lessons import run_lesson

from ddoauth_kit.http import sender
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.front import Scene

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.workbook import Lab

OPEN = re.compile(r"open_lab\(SITE, mode=MODE, client=CLIENT, writes=WRITES[^)]*\)")
# With writes, all lessons run where they follow each other, below; these two write most.
WRITING = ("04_create_an_api_key", "06_keep_and_end_a_grant")
# It says nothing to Datadog, and runs others for many seconds: once, below, is enough.
RUNNING = ("07_every_site",)
LIVE = [
    pytest.param(lesson, writes, id=f"{lesson.stem}-{writes}")
    for lesson in find_notebooks()
    for writes in (False, True)
    if (lesson.stem in WRITING if writes else lesson.stem not in RUNNING)
]
CHANGING = ("/api_keys/marketplace", "/oauth2/v1/revoke", "/api/v2/series", "/api/v2/logs")


# They speak to Datadog only in drills and by doctor's checks, which live mode leaves out.
QUIET = ("00_start_here", "07_every_site", "08_when_it_fails", "10_your_own_server", "11_grade_it")


@pytest.fixture(autouse=True)
def _certificates_of_each_run() -> Iterator[None]:
    """Read SSL_CERT_FILE again: the kit keeps its contents as long as the process lives."""
    sender._trusted_certificates.cache_clear()
    yield
    sender._trusted_certificates.cache_clear()


@pytest.mark.parametrize(("lesson", "writes"), LIVE)
def test_lesson_in_live_mode(
    lesson: Path, monkeypatch: pytest.MonkeyPatch, *, writes: bool
) -> None:
    """A live lesson passes at Datadog's names, and changes nothing unless it was asked to."""
    with Sandbox() as datadog, scene(datadog) as front:
        _set_up(monkeypatch, front)
        with _live_lab(front, writes=writes) as lab:
            _execute(lesson, lab)
        changed = [e.path for e in datadog.journal if e.path in CHANGING and e.method == "POST"]
    assert writes or not changed
    assert {str(seen.treatment) for seen in front.records} == (
        set() if lesson.stem in QUIET else {"forwarded"}
    )


@pytest.mark.long
def test_lessons_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """With writes, the lessons share one organization: the second uses the stored key.

    Those that send nothing to Datadog send nothing here either.
    """
    with Sandbox() as datadog, scene(datadog) as front:
        _set_up(monkeypatch, front)
        again = [lesson for lesson in find_notebooks() if lesson.stem in WRITING]
        for lesson in [*find_notebooks(), *again]:
            before = len(front.records)
            with _live_lab(front, writes=True) as lab:
                _execute(lesson, lab)
            assert (len(front.records) > before) == (lesson.stem not in QUIET), lesson.stem
        made = [e for e in datadog.journal if e.path.endswith("/marketplace")]
    assert [entry.status for entry in made] == [201]


def _set_up(monkeypatch: pytest.MonkeyPatch, front: Scene) -> None:
    """Put a published client and the front's variables into the environment."""
    client = front.sandbox.client
    live_environment(
        monkeypatch,
        CLIENT_KIND="published",
        PUBLISHED_CLIENT_ID=client.client_id,
        PUBLISHED_CLIENT_SECRET=client.client_secret,
        REDIRECT_URIS=client.redirect_uris[0],
        SCOPES=" ".join(client.scopes),
    )
    proxies = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
    for name in (*proxies, "SSL_CERT_FILE", "DDOAUTH_FRONT"):
        monkeypatch.setenv(name, front.environment()[name])


def _live_lab(front: Scene, *, writes: bool) -> Lab:
    """Open the lab as a notebook does, with a scripted person in front of the browser."""

    def person(request: AuthorizationRequest) -> str:
        return front.person().decide(request.url)

    return open_lab("us1", mode="live", writes=writes, person=person)


def _execute(lesson: Path, lab: Lab) -> None:
    """Run a lesson's cells in order, with the lab of the test in place of its own."""
    text = lesson.read_text("utf-8")
    assert len(OPEN.findall(text)) == 1
    given = {"live_lab": lab, "MODE": "live", "SITES": "us1" if lesson.stem in RUNNING else ""}
    run_lesson(lesson, given, change=lambda source: OPEN.sub("live_lab", source))
