"""A page of an executed notebook reads like the lesson: drawn, coloured, without repetition."""

from __future__ import annotations

import time
from typing import Any

import nbformat
import pytest

from ddoauth_kit.workbook.runs.notebook_pages import notebook_page


def _code(source: str, *tags: str, outputs: list[Any] | None = None) -> Any:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=outputs or [])


def _page(*cells: Any) -> str:
    return notebook_page(nbformat.v4.new_notebook(cells=list(cells)), title="t")


def test_parameters_are_shown_once() -> None:
    """If papermill has injected values, the defaults are omitted; otherwise they are shown."""
    default = _code('SITE = "us1"', "parameters")
    assert "us1" in _page(default)
    both = _page(default, _code('SITE = "eu1"', "injected-parameters"))
    assert "eu1" in both
    assert "us1" not in both


def test_a_solution_is_folded() -> None:
    """Readers open it, as they do in the lesson; its output is also inside."""
    output = nbformat.v4.new_output("stream", text="fortytwo")
    page = _page(_code("answer()", "solution", outputs=[output]))
    folded = page.split("<details>")[1].split("</details>")[0]
    assert "Show a solution" in folded
    assert "fortytwo" in folded


def test_a_failure_has_the_pages_own_words() -> None:
    """Papermill's banner is omitted; a link leads to the cell if its error is unexpected."""
    error = nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["Traceback", "E: v"])
    banner = nbformat.v4.new_markdown_cell(
        '<span style="color:red">An Exception was encountered at In [2]</span>',
        metadata={"tags": ["papermill-error-cell-tag"]},
    )
    page = _page(banner, _code("boom()", outputs=[error]))
    assert "An Exception was encountered" not in page
    assert '<a href="#failed">' in page
    assert "The cells after it did not run." in page
    assert page.count('id="failed"') == 1
    assert 'id="failed"' not in _page(_code("boom()", "raises-exception", outputs=[error]))


def test_code_is_coloured_and_stays_text() -> None:
    """Keywords and strings have classes, and markup in code is shown and not obeyed."""
    page = _page(_code('for x in "<script>alert(1)</script>":\n    pass'))
    assert '<span class="k">for</span>' in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_diagram_is_a_picture() -> None:
    """Its source is what a screen reader hears; a diagram of another kind stays text."""
    drawn = "```mermaid\nsequenceDiagram\n    actor C as Customer\n    C->>C: waits\n```"
    fence = f"words\n\n{drawn}\n\nmore"
    page = _page(nbformat.v4.new_markdown_cell(fence))
    assert 'src="data:image/svg+xml;base64,' in page
    assert "Customer" in page.split('alt="')[1].split('"')[0]
    assert page.index("words") < page.index("<img") < page.index("more")
    assert '<div class="wide" tabindex="0"><img class="diagram"' in page
    assert ".diagram { width: 100%; min-width: 40rem" in page
    other = _page(nbformat.v4.new_markdown_cell("```mermaid\ngraph TD\nA-->B\n```"))
    assert "graph TD" in other
    assert "<img" not in other


@pytest.mark.checklist("N9")
@pytest.mark.parametrize(
    "text",
    [
        "```mermaid\n",
        "```mermaid\nsequenceDiagram\n",
        "```mermaid\nsequenceDiagram\nparticipant A\nA->>A: x\n",
        "```mermaid\nsequenceDiagram\nactor A\n```\n",
        "```\n",
        "Note over A: x\n",
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_diagrams_take_a_time_in_line(text: str, times: int) -> None:
    """400 kB of started diagrams, finished or not, take less than a second of processor time."""
    source = text * (400_000 // len(text) // times)
    cells = [nbformat.v4.new_markdown_cell(source) for _ in range(times)]
    begun = time.thread_time()
    _page(*cells)
    assert time.thread_time() - begun < 1.0
