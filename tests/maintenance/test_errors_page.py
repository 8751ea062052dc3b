"""The page on errors is generated, and explains each code as the explainer does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from support.places import KIT

from ddoauth_kit.errors.explainer import by_code, explain
from ddoauth_kit.maintenance import errors_page
from ddoauth_kit.maintenance.errors_page import main, page, page_path, sentences

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GROUPS = json.loads((KIT / "errors" / "explanations.json").read_text("utf-8"))["groups"]
ENTRIES = {code: entry for group in GROUPS.values() for code, entry in group.items()}


def test_check_finds_nothing_stale() -> None:
    """`--check` passes on the committed page."""
    assert main(["--check"]) == 0


def test_check_names_a_stale_page_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stale page is named; only without `--check` is it written, and then it is fresh."""
    path = tmp_path / "ERRORS.md"
    path.write_text("old\n", "utf-8")
    monkeypatch.setattr(errors_page, "page_path", lambda: path)
    assert main(["--check"]) == 1
    assert path.read_text("utf-8") == "old\n"
    assert main([]) == 0
    assert path.read_text("utf-8") == page()
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == "ERRORS.md\nERRORS.md\n"


def test_each_code_has_one_heading() -> None:
    """The second-level headings are the codes, in the order of the advice."""
    headings = re.findall(r"^## (.*)$", page_path().read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(by_code())
    assert headings == list(ENTRIES)


def test_each_link_within_the_page_has_its_heading() -> None:
    """The list at the top leads to each group and each code."""
    text = page()
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {title.lower().replace(" ", "-").replace(",", "") for title in titles}
    assert set(re.findall(r"\(#([^)]+)\)", text)) == anchors - {"errors-explained"}


def test_each_sentence_has_a_line() -> None:
    """The page has a sentence a line, as the explanations are written."""
    lines = page().splitlines()
    for code, entry in ENTRIES.items():
        explanation = explain(code)
        assert sentences(explanation.cause) == entry["cause"]
        assert sentences(explanation.evidence) == entry["evidence"]
        section = lines[lines.index(f"## {code}") :]
        assert all(sentence in section for sentence in entry["evidence"])
