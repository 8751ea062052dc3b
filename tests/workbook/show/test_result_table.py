"""Result tables read the same everywhere and carry their rows with them."""

from __future__ import annotations

import json

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
    """Where the tests run, nothing is missing."""
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
    """They are in the frame, are shown when asked for, and come back to whoever collects."""
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
    """Nothing found is a sentence, and no mistake."""
    table = ResultTable("nothing", [], volatile=["seconds"])
    assert repr(table) == "no rows"
    assert "no rows" in table._repr_html_()
    bundle = table._repr_mimebundle_()
    assert isinstance(bundle, tuple)
    assert bundle[0][TABLE_MIME] == {"name": "nothing", "rows": []}
