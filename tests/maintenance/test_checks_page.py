"""The page on the rules is generated, and shows each rule of the code in its row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddoauth_kit.maintenance import checks_page
from ddoauth_kit.maintenance.checks_page import PATH, main, page
from ddoauth_kit.publishing.rules import RULES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_check_finds_nothing_stale() -> None:
    """`--check` passes on the committed page."""
    assert main(["--check"]) == 0


def test_each_rule_has_one_row() -> None:
    """A row is id, severity, what and source, as the code has them, in the code's order."""
    rows = re.findall(
        r"^\| `(.+?)` \| (\w+) \| (.+) \| (.+) \|$", PATH.read_text("utf-8"), re.MULTILINE
    )
    rules = [(rule.id, str(rule.severity), rule.what, rule.source) for rule in RULES.values()]
    assert rows == rules


def test_rules_are_sentences() -> None:
    """Each rule is a sentence in ASCII, and names a source."""
    for rule in RULES.values():
        assert re.fullmatch(r"(readme|manifest|oauth)(-[a-z]+)+", rule.id)
        assert rule.what.endswith(".")
        assert rule.what.isascii()
        assert rule.source


def test_stale_page_is_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only without `--check` is a stale page written, and then it is fresh."""
    monkeypatch.setattr(checks_page, "PATH", tmp_path / "CHECKS.md")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert (tmp_path / "CHECKS.md").read_text("utf-8") == page()
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == "CHECKS.md\nCHECKS.md\n"
