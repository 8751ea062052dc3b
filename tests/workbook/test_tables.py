"""Result tables read the same everywhere and carry their rows with them."""

from __future__ import annotations

from ddoauth_kit.workbook import check_environment, sites_table
from ddoauth_kit.workbook.environment import check_environment as check
from ddoauth_kit.workbook.tables import TABLE_MIME, ResultTable


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
    """A package that is not there comes with the command that installs it."""
    row = check(packages=["no_such_package"]).frame.iloc[-1]
    assert row["found"] == "no"
    assert "pip install" in row["next step"]


def test_sites_table_has_nine_rows() -> None:
    """All nine sites are listed with their API hosts."""
    frame = sites_table().frame
    assert len(frame) == 9
    assert set(frame["API"]) == {f"https://api.{domain}" for domain in frame["domain"]}
