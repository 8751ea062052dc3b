"""A notebook of another language is refused before a kernel starts, and odd ones are read."""

from __future__ import annotations

import asyncio
import codecs
import json
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.execution import execute
from ddoauth_kit.workbook.runs.source_notebook import refuse_other_language, takes_parameter

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = ({}, {"kernelspec": {}}, {"kernelspec": None}, {"language_info": {"name": "python"}})
OTHER = (
    {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
    {"kernelspec": {"name": "ir", "display_name": "?"}},
    {"kernelspec": {"name": "julia-1.10", "display_name": "?"}},
    {"kernelspec": {"name": "bash", "display_name": "Bash"}},
    {"kernelspec": {"name": ".net-csharp", "display_name": "?"}},
    {"language_info": {"name": "scala"}},
    {"kernelspec": {"name": "xcpp17", "display_name": "?"}},
    {"kernelspec": {"name": "own", "display_name": "R [conda env:stats]"}},
    {"language_info": {"name": "", "file_extension": ".r"}},
)


def _notebook(path: Path, metadata: dict[str, Any], source: str = "1 + 1") -> Path:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source)], metadata=metadata
    )
    path.write_text(nbformat.writes(notebook), "utf-8")
    return path


@pytest.mark.parametrize("metadata", OTHER)
def test_a_notebook_of_another_kernel_never_runs(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """`ddoauth run` and papermill's engine don't execute it with Python."""
    path = _notebook(tmp_path / "own.ipynb", metadata)
    with pytest.raises(InputError):
        find_notebooks([str(path)])
    with pytest.raises(InputError):
        papermill.execute_notebook(
            str(path), str(tmp_path / "out.ipynb"), engine_name="ddoauth", progress_bar=False
        )


@pytest.mark.parametrize("metadata", PYTHON)
def test_a_missing_kernelspec_is_no_problem(metadata: dict[str, Any]) -> None:
    """A notebook without a language counts as Python, and so does each way to write Python."""
    refuse_other_language(metadata, name="x")
    for name in ("python", "Python", "python3", "ipython"):
        refuse_other_language({"kernelspec": {"language": name, "name": "ir"}}, name="x")
    own = ("xpython-raw", "python-r", "r-and-d", "go-team", "sql_tools", "conda-env-r-py", "c1a")
    for name in own:
        spec = {"name": name, "display_name": f"Python ({name})"}
        refuse_other_language({"kernelspec": spec}, name="x")


def test_a_marked_notebook_runs(tmp_path: Path) -> None:
    """A byte order mark is accepted, and no cell has its own limit."""
    path = _notebook(tmp_path / "own.ipynb", {}, "print('d\u00e9j\u00e0')")
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    output = tmp_path / "out.ipynb"
    found = asyncio.run(execute(path, output=output, parameters={}))
    assert found.error == ""
    cells = json.loads(output.read_text("utf-8"))["cells"]
    assert cells[-1]["outputs"][0]["text"] == ["d\u00e9j\u00e0\n"]


@pytest.mark.parametrize(
    ("source", "tags", "takes"),
    [
        ('SITE = "us1"\nSITES = ""', ["parameters"], True),
        ('SITES: str = ""', ["parameters"], True),
        ('SITES = ""', [], False),
        ('MY_SITES = ""\n# SITES = ""', ["parameters"], False),
        ('SITE = "us1"', ["injected-parameters", "parameters"], False),
    ],
)
def test_parameters_are_those_of_their_cell(
    tmp_path: Path, source: str, tags: list[str], *, takes: bool
) -> None:
    """A name counts only if the parameters cell sets it."""
    parameters = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
    other = nbformat.v4.new_code_cell('SITES = "later"')
    path = tmp_path / "own.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[parameters, other])), "utf-8")
    assert takes_parameter(path, "SITES") is takes


def test_a_file_that_is_not_a_notebook_takes_no_parameter(tmp_path: Path) -> None:
    """Its run says what is wrong."""
    (tmp_path / "own.ipynb").write_text("[]", "utf-8")
    assert not takes_parameter(tmp_path / "own.ipynb", "SITES")
    assert not takes_parameter(tmp_path / "none.ipynb", "SITES")
