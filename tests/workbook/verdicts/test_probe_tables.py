"""One value gives all tables and pictures of a report, and a notebook may store it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient
from support.reports import full_report, report_on, with_verdict

from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.workbook.show.result_table import collected_table
from ddoauth_kit.workbook.verdicts import ProbeTables, as_json, report_from_rows
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

if TYPE_CHECKING:
    from pathlib import Path

TABLES = ProbeTables(full_report())
FIRST = """
from ddoauth_kit.workbook.panels import FilterableMatrix
from ddoauth_kit.workbook.verdicts import ProbeTables, report_of
tables = ProbeTables(report_of("results.json"))
tables
"""
CELLS = (
    FIRST,
    "FilterableMatrix(tables.matrix)",
    "tables.picture",
    "tables.by_verdict",
    "tables.counts",
    "tables.latency",
    "tables.not_confirmed",
    "tables.where(problems=True)",
)


def test_it_shows_the_matrix_and_carries_the_rows() -> None:
    """Text and HTML show the matrix; a run of the notebook finds all rows, including times."""
    data, metadata = TABLES._repr_mimebundle_()
    assert data["text/plain"] == repr(TABLES) == TABLES.matrix.text()
    assert data["text/html"] == TABLES.matrix.html()
    assert "seconds" not in json.dumps(data)
    found = collected_table({"data": data, "metadata": metadata})
    assert found is not None
    name, rows = found
    assert name == "verdicts"
    assert report_from_rows(rows).results == full_report().results
    assert [row["seconds"] for row in rows] == [r.seconds for r in full_report().results]


def test_tables_agree_with_each_other() -> None:
    """Rows, counts, matrix and what is not confirmed tell of the same verdicts."""
    assert len(TABLES) == len(TABLES.rows) == len(full_report().results)
    counts = TABLES.counts.frame.set_index("verdict")
    confirmed = TABLES.rows.frame.query("verdict == 'confirmed'")
    assert counts.loc["confirmed"].to_dict() == confirmed["site"].value_counts().to_dict()
    assert set(TABLES.not_confirmed.frame["verdict"]) == set(counts.index) - {"confirmed"}
    assert TABLES.where(problems=True) == TABLES.matrix.where(problems=True)
    assert list(TABLES.latency.frame["site"]) == list(full_report().sites)


def test_each_verdict_is_explained_once() -> None:
    """Each verdict that occurs has a row with its meaning, its scopes and one that has it."""
    frame = TABLES.by_verdict.frame
    assert list(frame["verdict"]) == [MARKS[verdict].name for verdict in TABLES.matrix.counts]
    for row in frame.to_dict("records"):
        verdict = Verdict(row["verdict"].replace(" ", "_"))
        found = TABLES.rows.frame.query("verdict == @verdict.value")
        assert row["scopes"] == found["scope"].nunique()
        assert row["for example"] in set(found["scope"])
        assert row["what it proves"] == MARKS[verdict].meaning


def test_save_writes_every_form(tmp_path: Path) -> None:
    """Four files come back by path, and the saved one compares with a later run."""
    folder = tmp_path / "new" / "folder"
    report = report_on(["us1", "eu1"])
    paths = ProbeTables(report).save(folder)
    assert [path.name for path in paths] == [
        f"verdicts.{e}" for e in ("csv", "json", "svg", "html")
    ]
    assert all(path.parent == folder and path.stat().st_size for path in paths)
    later = ProbeTables(with_verdict(report, Verdict.FAILED, site="eu1", scope="apm_read"))
    assert len(later.difference(paths[0])) == len(later.difference(paths[1])) == 1
    later.save(folder, earlier=paths[1])
    assert "1 worse" in paths[3].read_text("utf-8")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file in the way is reported in words."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        ProbeTables(report_on(["us1"], every=60)).save(tmp_path / "file")
    assert caught.value.code == "bad_output_folder"


def test_heavy_packages_load_when_first_used() -> None:
    """The matrix and the picture load no heavy package, and tables load pandas alone."""
    code = (
        "import sys; from ddoauth_kit.workbook.verdicts import ProbeTables, report_from_rows\n"
        "heavy = 'ipywidgets pandas papermill'.split()\n"
        "row = {'site': 'us1', 'scope': 'a', 'verdict': 'refused'}\n"
        "tables = ProbeTables(report_from_rows([row]))\n"
        "repr(tables); tables._repr_html_(); tables.difference(tables); tables.picture\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "tables.rows.frame; tables.not_confirmed.text()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "['pandas']"]


def test_stored_outputs_pass_strict_nbval(tmp_path: Path) -> None:
    """A notebook stored from one run passes against another one with other times."""
    stored = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    _write_results(tmp_path, slower=1.0)
    NotebookClient(stored, kernel_name="python3").execute(cwd=str(tmp_path))
    nbformat.write(stored, tmp_path / "stored.ipynb")
    assert not [o for c in stored.cells for o in c.outputs if o.output_type == "error"]
    name, rows = collected_table(stored.cells[0].outputs[0]) or ("", [])
    assert name == "verdicts"
    assert [row["seconds"] for row in rows] == [
        r.seconds for r in report_on(["us1", "eu1"]).results
    ]
    assert {"text/plain", "text/html"} < set(stored.cells[1].outputs[0].data)

    _write_results(tmp_path, slower=3.5)
    options = ["-q", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "stored.ipynb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _write_results(folder: Path, *, slower: float) -> None:
    """Write the results of a run on two sites whose calls took so many times as long."""
    rows = json.loads(as_json(report_on(["us1", "eu1"])))
    slow = [{**row, "seconds": round(row["seconds"] * slower, 3)} for row in rows]
    (folder / "results.json").write_text(json.dumps(slow), "utf-8")
