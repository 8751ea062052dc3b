"""Files contain exactly the results, are not executable anywhere, and show no secret."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest
from support.builders import API_KEY
from support.reports import full_report, report_on

from ddoauth_kit.workbook.verdicts import ProbeTables, as_csv, as_json, verdict_frame
from ddoauth_kit.workbook.verdicts.csv_and_json import masked
from ddoauth_kit.workbook.verdicts.probe_table import COLUMNS
from ddoauth_kit.workbook.verdicts.verdict_page import as_page

SECRETS = (API_KEY, "sandbox-access-0123456789abcdef", "Bearer abcdefghijklmnop")


def test_json_is_exact() -> None:
    """One object for each result, with numbers as numbers and what is missing as null."""
    rows = json.loads(as_json(full_report()))
    assert rows == [result.as_dict() for result in full_report().results]
    assert {"site", "scope", "verdict", "method", "path", "status", "seconds", "evidence"} <= set(
        rows[0]
    )
    assert {type(row["status"]) for row in rows} == {int, type(None)}


def test_csv_has_the_columns_of_the_frame() -> None:
    """Cell by cell, the file has the same content as the frame."""
    rows = list(csv.DictReader(StringIO(as_csv(full_report()), newline="")))
    frame = verdict_frame(full_report())
    assert tuple(rows[0]) == COLUMNS
    for name in set(COLUMNS) - {"status", "seconds"}:
        assert [row[name] for row in rows] == frame[name].tolist()
    statuses = [int(row["status"]) if row["status"] else None for row in rows]
    assert statuses == [r.status for r in full_report().results]
    assert [float(row["seconds"]) for row in rows] == frame["seconds"].tolist()


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "'=1"])
def test_a_spreadsheet_runs_no_cell(formula: str) -> None:
    """Outside text that begins like a formula stays text, in any column."""
    first, *others = report_on(["us1"], every=50).results
    bad = replace(first, scope=formula, area=formula, path=formula, evidence=formula)
    report = replace(report_on(["us1"]), results=(bad, *others))
    cells = [cell for row in csv.reader(StringIO(as_csv(report), newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n") and cell]
    assert any(cell.startswith("'") for cell in cells)


def test_what_has_the_shape_of_a_secret_is_masked() -> None:
    """Should a server echo a credential that nobody masked, no file and no output shows it."""
    report = report_on(["us1"], every=50)
    words = f"you sent {' and '.join(SECRETS)}"
    results = tuple(replace(r, evidence=words, path=f"/x/{API_KEY}") for r in report.results)
    baselines = tuple(replace(b, alive=False, evidence=words) for b in report.baselines)
    leaky = replace(report, results=results, baselines=baselines)
    tables = ProbeTables(leaky)
    shown = [as_json(leaky), as_csv(leaky), as_page(leaky), str(tables._repr_mimebundle_())]
    shown += [tables.not_confirmed.text(), repr(tables.rows), tables.picture.svg]
    assert all("you sent" in text for text in shown[:5])
    for secret in (API_KEY, "0123456789abcdef", "abcdefghijklmnop"):
        assert not [text for text in shown if secret in text]


def test_evidence_is_one_printable_line() -> None:
    """A server cannot move the cursor of whoever reads the table in a terminal."""
    report = report_on(["us1"], every=50)
    bad = tuple(replace(r, evidence="a\x1b[2J\nb\u202e") for r in report.results)
    assert {r.evidence for r in masked(replace(report, results=bad)).results} == {"a?[2J b?"}
