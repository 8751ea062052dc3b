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
    from pathlib import Path

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RUN = "() => axe.run({resultTypes: ['violations']})"
LOOKS = [
    (1280, "dark"),
    (390, "light"),
    pytest.param(1280, "light", marks=pytest.mark.long),
    pytest.param(390, "dark", marks=pytest.mark.long),
]
LESSONS = [path for path in find_notebooks() if path.name[:2] in {"02", "04", "05"}]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the report, pages of lessons, and the pages that end a consent."""
    folder = tmp_path_factory.mktemp("pages")
    written = finished_pages(folder)
    for path in LESSONS:
        lesson = nbformat.read(path, as_version=4)
        written[path.stem] = folder / f"{path.stem}.html"
        written[path.stem].write_text(notebook_page(lesson, title=path.stem), "utf-8")
    return written


def violations(page: Any) -> list[str]:
    """Return what axe finds, each with the first place."""
    page.evaluate(AXE)
    found = page.evaluate(RUN)["violations"]
    return [f"{each['id']}: {json.dumps(each['nodes'][0]['html'])[:200]}" for each in found]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_axe_finds_nothing(browser: Any, pages: dict[str, Path], width: int, theme: str) -> None:
    """Names, roles, order and contrast hold, and nothing is wider than the screen."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    for name, path in pages.items():
        page.goto(path.as_uri())
        found[name] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[name].append("wider than the screen")
    context.close()
    assert {name: each for name, each in found.items() if each} == {}
