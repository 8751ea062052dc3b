"""The tables of the sandbox's README are generated, and its prose is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.maintenance import sandbox_page
from ddoauth_kit.maintenance.sandbox_page import README, main, page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_check_finds_nothing_stale() -> None:
    """`--check` passes on the committed page."""
    assert main(["--check"]) == 0


def test_a_stale_table_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extra rows are removed, missing ones are added, and nothing else changes."""
    text = README.read_text("utf-8")
    first = "| `datadog` | Responds with Datadog's bodies and status codes. |\n"
    path = tmp_path / "README.md"
    path.write_text(text.replace(first, "| `made-up` | Nothing. |\n"), "utf-8")
    monkeypatch.setattr(sandbox_page, "README", path)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert path.read_text("utf-8") == text == page(text)
