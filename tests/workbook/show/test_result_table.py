"""Result tables read the same everywhere and carry their rows with them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from ddoauth_kit.workbook import check_environment, sites_table
from ddoauth_kit.workbook.lessons.lesson_tables import check_environment as check
from ddoauth_kit.workbook.show.result_table import TABLE_MIME, ResultTable, collected_table


def test_text_html_and_rows() -> None:
    """A table shows aligned text and escaped HTML, and hands its rows on as JSON."""
    table = ResultTable("people", [{"name": "<Ann>", "age": 3}, {"name": "Bo", "age": 12}])
    assert repr(table) == "name   age\n<Ann>  3\nBo     12"
    bundle = table._repr_mimebundle_()
    assert "&lt;Ann&gt;" in bundle["text/html"]
    assert bundle[TABLE_MIME] == {
        "name": "people",
        "rows": [{"name": "<Ann>", "age": 3}, {"name": "Bo", "age": 12}],
    }


def test_environment_here_is_complete() -> None:
    """On a machine that runs the tests, nothing is missing."""
    assert set(check_environment().frame["found"]) == {"yes"}


def test_missing_package_has_a_next_step() -> None:
    """A package that does not exist comes with the command that installs it."""
    row = check(packages=["no_such_package"]).frame.iloc[-1]
    assert row["found"] == "no"
    assert "pip install" in row["next step"]


def test_sites_table_has_nine_rows() -> None:
    """All nine sites are listed with their API hosts."""
    frame = sites_table().frame
    assert len(frame) == 9
    assert set(frame["API"]) == {f"https://api.{domain}" for domain in frame["domain"]}


def test_volatile_columns_travel_in_the_metadata() -> None:
    """Volatile columns are in the frame, are shown on request, and are restored on collection."""
    rows = [{"a": 1, "seconds": 0.25, "b": None}, {"a": 2, "seconds": None, "b": "x"}]
    table = ResultTable("timed", rows, volatile=["seconds"])
    assert list(table.frame.columns) == ["a", "seconds", "b"]
    assert repr(table) == "a  b\n1\n2  x"
    assert "0.25" in table.text(everything=True)
    assert "0.25" in table.html(everything=True)
    bundle = table._repr_mimebundle_()
    assert isinstance(bundle, tuple)
    data, metadata = json.loads(json.dumps(bundle, allow_nan=False))
    assert "0.25" not in str(data)
    assert collected_table({"data": data, "metadata": metadata}) == ("timed", rows)
    assert [list(row) for row in collected_table({"data": data, "metadata": metadata})[1]] == [
        ["a", "seconds", "b"]
    ] * 2


def test_an_output_without_metadata_is_collected_as_it_is() -> None:
    """Tools may drop metadata or rows; what is left is taken, and no row gets another's value."""
    rows = [{"a": 1}, {"a": 2}]
    data = {TABLE_MIME: {"name": "plain", "rows": rows}}
    short = {TABLE_MIME: {"columns": ["a", "s"], "volatile": {"s": [1]}}}
    assert collected_table({"data": data}) == ("plain", rows)
    assert collected_table({"data": data, "metadata": short}) == ("plain", rows)
    assert collected_table({"data": {"text/plain": "a"}}) is None
    assert collected_table({"output_type": "stream"}) is None


def test_an_empty_table_says_so() -> None:
    """An empty result is a sentence, not an error."""
    table = ResultTable("nothing", [], volatile=["seconds"])
    assert repr(table) == "no rows"
    assert "no rows" in table._repr_html_()
    bundle = table._repr_mimebundle_()
    assert isinstance(bundle, tuple)
    assert bundle[0][TABLE_MIME] == {"name": "nothing", "rows": []}


def test_a_table_reads_as_its_frame_does() -> None:
    """Each cell shows what pandas would write, and a missing one shows nothing."""
    rows: list[dict[str, object]] = [
        {"text": "nan", "flag": True, "number": 3, "share": 0.1, "late": math.nan},
        {"text": None, "flag": False, "number": 12, "share": 1e-05, "late": 2.0, "more": "x"},
    ]
    table = ResultTable("odd", rows)
    frame = table.frame
    assert table.columns == list(frame.columns)
    cells = frame.astype(str).where(frame.notna(), "").to_numpy().tolist()
    assert [line.split() for line in table.text().split("\n")] == [
        [cell for cell in row if cell] for row in (table.columns, *cells)
    ]
    assert all(f">{cell}</td>" in table.html() for row in cells for cell in row)
    assert table["late"] == [None, 2.0]
    assert table["more"] == [None, "x"]
    assert [row["number"] for row in table] == [3, 12]
    with pytest.raises(KeyError, match="nowhere"):
        table["nowhere"]


def test_an_integer_beside_nothing_stays_one() -> None:
    """A missing status in one row does not turn another row's into 200.0."""
    table = ResultTable("statuses", [{"status": 200}, {"status": None}])
    assert repr(table) == "status\n200\n"


def test_a_given_frame_is_a_table() -> None:
    """A DataFrame has rows as well, and stays the table's frame."""
    frame = pd.DataFrame({"status": [200, None]}, dtype="Int64")
    table = ResultTable("given", frame)
    assert table.frame is frame
    assert repr(table) == "status\n200\n"
    assert table["status"] == [200, None]


def test_what_is_shown_needs_no_pandas() -> None:
    """Lessons show and count their tables even if pandas can't be imported."""
    code = """
    import sys
    sys.modules["pandas"] = None  # each import of it fails from now on
    from ddoauth_kit.workbook import open_lab, sites_table
    lab = open_lab()
    probes = lab.scopes.probe("monitors_read", "logs_read_data")
    tables = (sites_table(), probes.rows, probes.not_confirmed, probes.latency, probes.counts)
    for table in tables:
        table.text(), table.html(), table._repr_mimebundle_()
    probes._repr_mimebundle_()
    print(probes.rows["verdict"], len(sites_table()["domain"]))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "['confirmed', 'confirmed'] 9\n", done.stderr
