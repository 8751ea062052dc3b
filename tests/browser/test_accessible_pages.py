"""axe-core finds no barrier on the pages that people read, wide and narrow, light and dark."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from support.pages import finished_pages

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.notebook_pages import notebook_page

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RUN = "() => axe.run({resultTypes: ['violations']})"


def pages(folder: Path, *, lessons: Iterable[str], every: int) -> dict[str, Path]:
    """Write the report, pages of lessons, and the pages that end a consent."""
    folder.mkdir(exist_ok=True)
    written = finished_pages(folder, every=every)
    for path in find_notebooks():
        if path.name[:2] in lessons:
            lesson = nbformat.read(path, as_version=4)
            written[path.stem] = folder / f"{path.stem}.html"
            written[path.stem].write_text(notebook_page(lesson, title=path.stem), "utf-8")
    return written


def violations(page: Any) -> list[str]:
    """Return what axe finds, each with the first place."""
    page.evaluate(AXE)
    found = page.evaluate(RUN)["violations"]
    return [f"{each['id']}: {json.dumps(each['nodes'][0]['html'])[:200]}" for each in found]


def looked_at(
    browser: Any, written: dict[str, Path], *, width: int, theme: str, barriers: bool = True
) -> dict[str, Any]:
    """Return what is wrong, by page, or only which pages are too wide."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    for name, path in written.items():
        page.goto(path.as_uri())
        found[name] = violations(page) if barriers else []
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[name].append("wider than the screen")
    context.close()
    return {name: each for name, each in found.items() if each}


def test_short_pages_on_a_phone(browser: Any, tmp_path: Path) -> None:
    """Names, roles, order and contrast hold in the dark, and nothing is wider than the screen."""
    written = pages(tmp_path, lessons=["04"], every=12)
    assert looked_at(browser, written, width=390, theme="dark") == {}


@pytest.mark.long
def test_whole_pages(browser: Any, tmp_path: Path) -> None:
    """The same holds for all verdicts and longer lessons, at both widths and in both themes.

    With all scopes, too, nothing is wider than the screen.
    """
    written = pages(tmp_path / "whole", lessons=["02", "05"], every=3)
    assert looked_at(browser, written, width=1280, theme="light") == {}
    written = pages(tmp_path / "short", lessons=["04"], every=12)
    for width, theme in ((1280, "dark"), (390, "light")):
        assert looked_at(browser, written, width=width, theme=theme) == {}, (width, theme)
    written = pages(tmp_path / "all", lessons=[], every=1)
    for width in (1280, 390):
        assert looked_at(browser, written, width=width, theme="dark", barriers=False) == {}, width
