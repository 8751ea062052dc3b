"""A frame has the documented columns, and saved rows become the report they came from."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from support.reports import full_report, report_on

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.verdicts import report_from_rows, verdict_frame
from ddoauth_kit.workbook.verdicts.probe_table import COLUMNS

ROW = {"site": "us1", "scope": "events_read", "verdict": "confirmed"}


def test_one_row_for_each_site_and_scope() -> None:
    """The columns and their types match the docstring, whatever the rows contain."""
    frame = verdict_frame(full_report())
    assert len(frame) == 131 * 9
    assert tuple(frame.columns) == COLUMNS
    assert all(f"`{name}`" in str(verdict_frame.__doc__) for name in COLUMNS)
    assert frame["status"].dtype == "Int64"
    assert frame["seconds"].dtype == "float64"
    assert {frame[name].dtype.name for name in set(COLUMNS) - {"status", "seconds"}} == {"str"}
    assert not frame.drop(columns="status").isna().any(axis=None)


def test_an_empty_report_has_the_same_columns() -> None:
    """A run that found nothing can be handled like any other."""
    frame = verdict_frame(report_from_rows([]))
    assert tuple(frame.columns) == COLUMNS
    assert frame.dtypes.equals(verdict_frame(full_report()).dtypes)


def test_rows_come_back_whole() -> None:
    """A frame and rows from JSON both give the same results again."""
    report = full_report()
    from_frame = report_from_rows(verdict_frame(report))
    from_json = report_from_rows([result.as_dict() for result in report.results])
    assert from_frame.results == from_json.results == report.results
    assert [r.seconds for r in from_frame.results] == [r.seconds for r in report.results]
    assert from_frame.sites == report.sites


def test_few_columns_are_enough_and_others_are_left_aside() -> None:
    """Results that somebody saved are still comparable; a run's additional columns do no harm."""
    (result,) = report_from_rows([{**ROW, "notebook": "05", "status": float("nan")}]).results
    assert (result.site, result.scope, result.verdict) == ("us1", "events_read", "confirmed")
    assert result.status is None


def test_a_site_without_any_answer_counts_as_dead() -> None:
    """Rows have no baseline, so only responses show that a token was valid."""
    rows = [ROW, {**ROW, "site": "eu1", "verdict": "failed"}]
    assert [baseline.alive for baseline in report_from_rows(rows).baselines] == [True, False]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "perhaps"}, "'perhaps' is not a valid Verdict"),
        ({"verdict": ""}, "it has no verdict"),
        ({"scope": None}, "it has no scope"),
        ({"site": pd.NA}, "it has no site"),
        ({"status": "many"}, "could not convert"),
        ({"status": "inf"}, "cannot convert"),
        ({"flow": "sideways"}, "not a valid Flow"),
    ],
)
def test_bad_rows_are_refused_by_number(change: dict[str, Any], said: str) -> None:
    """The message names the row and what is wrong with it."""
    with pytest.raises(InputError, match=f"Row 2 .*{said}") as caught:
        report_from_rows([ROW, {**ROW, "scope": "other", **change}])
    assert caught.value.code == "bad_probe_rows"


@pytest.mark.parametrize("rows", [[ROW, ROW], [ROW, "text"], [ROW, None]])
def test_a_second_verdict_and_no_row_at_all_are_refused(rows: list[Any]) -> None:
    """One scope has one verdict on a site, and a row is an object."""
    with pytest.raises(InputError, match="Row 2"):
        report_from_rows(rows)


def test_a_part_of_a_frame_is_a_report_as_well() -> None:
    """Rows filtered with pandas can still be used."""
    frame = verdict_frame(report_on(["us1", "eu1"]))
    assert report_from_rows(frame[frame["site"] == "eu1"]).sites == ("eu1",)
