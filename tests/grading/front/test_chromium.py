"""Chromium reaches the sandbox under Datadog's own names, with a profile that is deleted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.front import IN_CI, clean_environment

from ddoauth_kit.grading.front.chromium import PROGRAMS, chromium
from ddoauth_kit.grading.front.front_error import FrontError

if TYPE_CHECKING:
    from pathlib import Path

    from support.front import Scene

needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, PROGRAMS)) and not IN_CI, reason="Chromium is not installed"
)


def shown(behind: Scene, url: str, *, picture: Path, fingerprint: str) -> list[tuple[str, ...]]:
    """Let Chromium show a page without a window; return what the front saw of Datadog's hosts."""
    options = ("--headless=new", "--disable-gpu", f"--screenshot={picture}", "--timeout=15000")
    with chromium(
        url,
        proxy_url=behind.front.url,
        fingerprint=fingerprint,
        environment=clean_environment(),
        more=options,
    ) as process:
        process.wait(120)
    datadogs = [seen for seen in behind.records if seen.host.endswith("datadoghq.eu")]
    return [(str(seen.treatment), seen.host, seen.path, seen.reason) for seen in datadogs]


@needs_chromium
def test_a_page_at_datadogs_name_is_shown(behind: Scene, tmp_path: Path) -> None:
    """The browser trusts the run by its key's fingerprint, and nothing is imported."""
    seen = shown(
        behind,
        "https://app.datadoghq.eu/",
        picture=tmp_path / "page.png",
        fingerprint=behind.authority.fingerprint,
    )
    assert seen[0] == ("forwarded", "app.datadoghq.eu", "/", "")


@needs_chromium
def test_another_runs_fingerprint_is_not_enough(behind: Scene, tmp_path: Path) -> None:
    """Chromium still checks certificates: only this run's key is accepted."""
    seen = shown(
        behind,
        "https://app.datadoghq.eu/",
        picture=tmp_path / "page.png",
        fingerprint="A" * 43 + "=",
    )
    assert {verdict for verdict, *_ in seen} <= {"refused"}
    assert {reason for *_, reason in seen} <= {"not_trusted"}


def test_without_a_screen_or_a_browser_the_line_says_so(tmp_path: Path) -> None:
    """The line names what is missing."""
    given = {"proxy_url": "http://127.0.0.1:1", "fingerprint": ""}
    bare = {n: v for n, v in clean_environment().items() if "DISPLAY" not in n}
    with (
        pytest.raises(FrontError, match="leave out --open"),
        chromium("x", environment={"PATH": str(tmp_path)}, **given),
    ):
        pass
    if any(map(shutil.which, PROGRAMS)):
        with pytest.raises(FrontError, match="DISPLAY"), chromium("x", environment=bare, **given):
            pass
