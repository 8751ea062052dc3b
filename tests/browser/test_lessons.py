"""A newcomer opens a lesson in JupyterLab, runs it and saves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders import readable
from support.jupyter_lab import CLOSE

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.jupyter_lab import LabServer, Notebook

# One with panels and one with what they leave behind; a test of minutes runs the others.
QUICK = ("01_the_whole_flow.ipynb", "09_your_own_app.ipynb")


@pytest.fixture
def run(
    serve_lab: Callable[..., LabServer], open_notebook: Callable[..., Notebook]
) -> Callable[[str], None]:
    """Run a lesson to its end, as a newcomer does, and look at what is saved."""
    server = serve_lab("widgets")
    server.save_widgets()

    def lesson(name: str) -> None:
        # Two lessons would go to every site here, which takes many seconds.
        copy = server.folder / name
        copy.write_text(
            copy.read_text("utf-8").replace('SITES = \\"\\"', 'SITES = \\"us1\\"'), "utf-8"
        )
        notebook = open_notebook(server, name)
        notebook.run_all()
        issued = notebook.issued()
        cells = [cell for cell in notebook.save().cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), name
        errors = [o for cell in cells for o in cell.outputs if o.output_type == "error"]
        assert errors == [], name
        assert len(issued) > 1, f"the lab of {name} has a sandbox"
        assert not [each for each in issued if readable(each, notebook.saved_text)], name
        notebook.page.evaluate(CLOSE)
        server.end_kernels()

    return lesson


@pytest.mark.parametrize("name", QUICK)
def test_a_lesson_runs_and_is_saved_without_a_secret(run: Callable[[str], None], name: str) -> None:
    """Every cell runs without an error, and the saved file contains no issued secret."""
    run(name)


@pytest.mark.long
def test_all_other_lessons_run_and_are_saved_without_a_secret(run: Callable[[str], None]) -> None:
    """The same holds for each of them, in one tab after the other."""
    for path in find_notebooks():
        if path.name not in QUICK:
            run(path.name)
