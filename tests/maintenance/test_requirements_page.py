"""The page on grading is generated, and its example settings are valid."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.settings import settings_from
from ddoauth_kit.maintenance import requirements_page
from ddoauth_kit.maintenance.requirements_page import PATH, main, page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_check_finds_nothing_stale() -> None:
    """`--check` passes on the committed page."""
    assert main(["--check"]) == 0


def test_each_requirement_has_one_row() -> None:
    """A row names id, sentence, source and worst verdict, in the catalogue's order."""
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.+?) \| (.+?) \| (broken|risk) \| .+ \| .*\|$",
        PATH.read_text("utf-8"),
        re.MULTILINE,
    )
    assert rows == [
        (each.id, each.sentence, each.source, str(each.worst)) for each in REQUIREMENTS.values()
    ]


def test_the_settings_that_it_shows_are_valid() -> None:
    """The examples on the page are valid settings."""
    (text,) = re.findall(r"```toml\n(.+?)```", page(), re.DOTALL)
    settings = settings_from(tomllib.loads(text))
    assert settings.start.url.endswith("/connect/datadog")
    assert settings.skip == {"login-required": "our gateway asks for the login"}


def test_stale_page_is_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only without `--check` is a stale page written, and then it is fresh."""
    monkeypatch.setattr(requirements_page, "PATH", tmp_path / "GRADE.md")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert (tmp_path / "GRADE.md").read_text("utf-8") == page()
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == "GRADE.md\nGRADE.md\n"
