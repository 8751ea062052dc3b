"""If JavaScript starts the flow, Chromium opens the server's pages and keeps the cookies."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.chromium import NAMES
from support.graded import free_port

from ddoauth_kit.grading.first_look import first_look
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.grader import GradeMeans, grade
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.script_browser import Chromium
from ddoauth_kit.grading.settings import settings_from

SERVER = Path(__file__).parent / "data" / "strange_server.py"
CLIENT = {"DD_ID": "{client_id}", "DD_KEY": "{client_secret}"}


@pytest.fixture(autouse=True)
def _needs_chromium() -> None:
    """Skip where a developer lacks it; CI must have it."""
    if find_spec("playwright") is None or not any(map(shutil.which, NAMES)):
        assert not os.environ.get("CI"), "Playwright or Chromium is missing, and CI must have them"
        pytest.skip("Playwright or Chromium is missing")


@pytest.mark.long
def test_a_flow_that_javascript_begins_or_ends_is_written_and_graded() -> None:
    """A script, or a button with one, leads to Datadog, and the session's cookie is sent back.

    Where the redirect arrives in a page, its script posts the code to its own server.
    """
    begun = ("browser-bound", "stranger")
    for trouble, only in (
        ("script", begun),
        ("button", begun),
        ("app", ("browser-bound", "state-checked", "denied")),
    ):
        port = free_port()
        means = GradeMeans(browser=True)
        text = first_look(
            f"http://localhost:{port}/connect",
            command=(sys.executable, str(SERVER)),
            env={**CLIENT, "PORT": str(port), "TROUBLE": trouble},
            means=means,
        )
        settings = settings_from(tomllib.loads(text))
        assert settings.connected.text == "Connected to Datadog", trouble
        report = grade(settings, only=only, means=means)
        assert {result.verdict for result in report.results} == {Verdict.MET}, trouble


def test_without_playwright_the_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package ends in one line with the command that installs it."""
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(FrontError, match="pip install playwright") as caught:
        Chromium(proxy="http://127.0.0.1:9")
    assert caught.value.code == "no_playwright"
