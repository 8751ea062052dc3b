"""In a real browser, a page made from a hostile notebook does not navigate."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from ddoauth_kit.workbook.runs.notebook_pages import notebook_page

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.checklist("N8")
EVIL = "https://evil.example.com/"
LURES = (
    f'<meta http-equiv="refresh" content="0; url={EVIL}">',
    f'<a href="{EVIL}" style="position:fixed;inset:0;opacity:0;z-index:9">x</a>',
    f'<a href="{EVIL}" style="display:block;margin:-900px;padding:999px">x</a>',
    f'<form action="{EVIL}"><button style="position:fixed;inset:0">x</button></form>',
    f'<svg style="position:fixed"><a href="{EVIL}"><rect width="999"/></a></svg>',
    f'<iframe src="{EVIL}" style="position:fixed;inset:0;width:100vw;height:100vh"></iframe>',
)


def test_nothing_navigates_and_no_click_is_caught(browser: Any, tmp_path: Path) -> None:
    """After a second, and after clicks all over it, the page asked nobody for anything."""
    cells = []
    for lure in LURES:
        output = nbformat.v4.new_output("display_data", {"text/html": lure})
        cells.append(nbformat.v4.new_code_cell("show()", outputs=[output]))
        cells.append(nbformat.v4.new_markdown_cell(f"prose {lure}"))
    path = tmp_path / "page.html"
    path.write_text(notebook_page(nbformat.v4.new_notebook(cells=cells), title="t"), "utf-8")
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 400, "height": 300})
    page = context.new_page()
    page.route("**/*", lambda route: (asked.append(route.request.url), route.continue_()))
    page.goto(path.as_uri())
    page.wait_for_timeout(1000)
    links = [box for a in page.query_selector_all("a") if (box := a.bounding_box())]
    for x, y in product(range(5, 400, 35), range(60, 300, 35)):
        if not any(
            b["x"] <= x <= b["x"] + b["width"] and b["y"] <= y <= b["y"] + b["height"]
            for b in links
        ):
            page.mouse.click(x, y)
    assert page.url == path.as_uri()
    assert asked == [path.as_uri()]
    assert all(box["width"] < 200 and box["height"] < 60 for box in links)
    context.close()
