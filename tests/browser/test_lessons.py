"""A newcomer opens a lesson in JupyterLab, runs it and saves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders import readable

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.jupyter_lab import LabServer, Notebook

# One with panels and one with what they leave behind; a test of minutes runs the others.
QUICK = ("01", "09")
LESSONS = [
    pytest.param(path.name, marks=[] if path.name[:2] in QUICK else [pytest.mark.long])
    for path in find_notebooks()
]


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_is_saved_without_a_secret(
    serve_lab: Callable[..., LabServer], open_notebook: Callable[..., Notebook], name: str
) -> None:
    """Every cell runs without an error, and the saved file contains no issued secret."""
    server = serve_lab("widgets")
    server.save_widgets()
    notebook = open_notebook(server, name)
    notebook.run_all()
    issued = notebook.issued()
    cells = [cell for cell in notebook.save().cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    errors = [o for cell in cells for o in cell.outputs if o.output_type == "error"]
    assert errors == []
    assert len(issued) > 1, "the lab of the lesson has a sandbox"
    assert not [secret for secret in issued if readable(secret, notebook.saved_text)]
