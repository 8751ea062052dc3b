"""The skill for coding assistants says what the package says, and its commands work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddoauth_kit.cli import main
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def written(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the skill as the command prints it."""
    assert main(["skill"]) == 0
    return capsys.readouterr().out


def test_it_has_the_usual_form(capsys: pytest.CaptureFixture[str]) -> None:
    """Front matter with a name and a description of use comes first."""
    head = re.match(r"---\nname: ([a-z-]+)\ndescription: (.+)\n---\n", written(capsys))
    assert head is not None
    assert head[1] == "datadog-oauth"
    assert len(head[2]) < 1024


def test_it_names_what_the_package_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """All nine domains, the endpoints and the verdicts are those of the code."""
    from ddoauth_kit.grading.results import Verdict

    text = written(capsys)
    for name in DATADOG_SITES.names:
        assert f"`{DATADOG_SITES.named(name).domain}`" in text
    for word in (*Verdict, "/api/v2/oauth2/token", "/api/v2/api_keys/marketplace"):
        assert word in text


def test_it_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` writes the file; writing it again is fine, another text is not overwritten."""
    path = tmp_path / "datadog-oauth" / "SKILL.md"
    for _ in "ab":
        assert main(["skill", "--out", str(tmp_path)]) == 0
    assert path.read_text("utf-8") == written(capsys)
    path.write_text("mine", "utf-8")
    assert main(["skill", "--out", str(tmp_path)]) == 2
    assert path.read_text("utf-8") == "mine"
    (tmp_path / "file").write_text("")
    assert main(["skill", "--out", str(tmp_path / "file")]) == 1
