"""A run executes every notebook for every site, and one failure stops nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import nbformat
import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.notebooks import find_notebooks
from ddoauth_kit.workbook.results import write_results
from ddoauth_kit.workbook.runs import RunSettings, run_notebooks


def _notebook(folder: Path, name: str, *code: str) -> Path:
    """Write a small notebook with a parameters cell."""
    parameters = nbformat.v4.new_code_cell(
        'SITE = "us1"\nMODE = "sandbox"\nCLIENT = ""\nWRITES = False'
    )
    parameters.metadata["tags"] = ["parameters"]
    cells = [parameters, *(nbformat.v4.new_code_cell(text) for text in code)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def test_failures_tables_and_summary(tmp_path: Path) -> None:
    """A failing notebook is told in one paragraph, the others run, and all of it is on disk."""
    works = _notebook(
        tmp_path,
        "works",
        "from ddoauth_kit.workbook.tables import ResultTable\n"
        'ResultTable("found", [{"site is": SITE}])',
    )
    fails = _notebook(
        tmp_path, "fails", "from ddoauth_kit import DATADOG_SITES", 'DATADOG_SITES.named("mars")'
    )
    out = tmp_path / "out"
    settings = RunSettings()
    runs = list(run_notebooks([fails, works], sites=["us1", "eu1"], settings=settings, out=out))
    write_results(runs, settings=settings, out=out)

    assert [run.status for run in runs] == ["failed", "failed", "passed", "passed"]
    assert runs[0].error.startswith("InputError: [unknown_site] 'mars' is no Datadog site.")
    assert "\n" not in runs[0].error
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert (summary["passed"], summary["failed"]) == (2, 2)
    assert all((out / run["output"]).is_file() for run in summary["runs"])
    with (out / "tables" / "found.csv").open(encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [
            {"notebook": "works", "site": "us1", "site is": "us1"},
            {"notebook": "works", "site": "eu1", "site is": "eu1"},
        ]


@pytest.mark.parametrize("site", ["us3", "us1-fed"])
def test_lessons_run_on_other_sites(site: str, tmp_path: Path) -> None:
    """Every lesson runs under papermill for sites other than the stored one."""
    lessons = find_notebooks()
    runs = list(run_notebooks(lessons, sites=[site], settings=RunSettings(), out=tmp_path))
    assert {run.notebook: run.error for run in runs} == {path.stem: "" for path in lessons}


def test_lessons_run_for_a_client_file(tmp_path: Path) -> None:
    """Every lesson runs for a partner's own registration."""
    client = Path(__file__).parents[1] / "data" / "reader_client.json"
    settings = RunSettings(client=str(client))
    runs = list(run_notebooks(find_notebooks(), sites=["eu1"], settings=settings, out=tmp_path))
    assert not [run.error for run in runs if run.error]


def test_notebooks_are_found_by_number_name_and_path(tmp_path: Path) -> None:
    """A lesson can be named in every way that a person would try."""
    first = find_notebooks()[0]
    own = _notebook(tmp_path, "own")
    assert find_notebooks(["00", first.stem, first.name, str(own)]) == [first, own]
    with pytest.raises(InputError, match="01_the_whole_flow"):
        find_notebooks(["99"])


def test_bad_notebooks_are_refused(tmp_path: Path) -> None:
    """What is no notebook, and a second notebook of the same name, end before any kernel."""
    for text in ("[]", "plain", "{}"):
        path = tmp_path / "strange.ipynb"
        path.write_text(text, "utf-8")
        with pytest.raises(InputError) as caught:
            find_notebooks([str(path)])
        assert caught.value.code == "not_a_notebook"
    (tmp_path / "there").mkdir()
    one, other = (_notebook(folder, "own") for folder in (tmp_path, tmp_path / "there"))
    with pytest.raises(InputError, match="Two notebooks are called 'own'"):
        find_notebooks([str(one), str(other)])
