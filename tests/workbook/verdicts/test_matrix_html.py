"""The HTML of the matrix says everything in words, without style and without script."""

from __future__ import annotations

import re
from dataclasses import replace

from support.markup import read_html
from support.reports import SITES, full_report, report_on

from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.workbook.verdicts import verdict_matrix
from ddoauth_kit.workbook.verdicts.unconfirmed import findings
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

MATRIX = verdict_matrix(full_report())
HTML = MATRIX.html()
PAGE = read_html(HTML)
AREAS = [d for d in PAGE.all("details") if d.all("colgroup")]


def test_a_word_in_every_cell() -> None:
    """The tables and text that GitHub keeps still have each verdict of each scope."""
    words = {
        row.all("th")[0].text: [cell.text for cell in row.all("td")]
        for area in AREAS
        for row in area.all("tbody")[0].all("tr")
    }
    assert words == {
        row.scope: [MARKS[verdict].short for verdict in row.verdicts if verdict]
        for row in MATRIX.rows
    }


def test_areas_fold_and_those_with_problems_are_open() -> None:
    """Each area says how many scopes and which verdicts it has, even when it is folded."""
    assert len(AREAS) == len(MATRIX.areas)
    for area, element in zip(MATRIX.areas, AREAS, strict=True):
        assert ("open" in element.attributes) == area.has_problem
        summary = element.all("summary")[0].text
        assert summary.startswith(area.name)
        for verdict in {verdict for row in area.rows for verdict in row.verdicts if verdict}:
            assert MARKS[verdict].name in summary


def test_a_narrowed_matrix_is_open() -> None:
    """A few requested scopes are visible at once."""
    narrowed = read_html(MATRIX.where(text="teams").html())
    areas = [d for d in narrowed.all("details") if d.all("colgroup")]
    assert areas
    assert all("open" in area.attributes for area in areas)


def test_heads_name_rows_and_columns() -> None:
    """Every table has a head over its columns and beside its rows, for those who listen."""
    for table in PAGE.all("table"):
        assert {th.attributes["scope"] for th in table.all("thead")[0].all("th")} == {"col"}
        for row in table.all("tbody")[0].all("tr"):
            assert [th.attributes["scope"] for th in row.all("th")] == ["row"]
    regions = [e for e in PAGE.all("div") if e.attributes.get("role") == "group"]
    assert len(regions) == 2
    assert all(r.attributes["tabindex"] == "0" and r.attributes["aria-label"] for r in regions)


def test_what_is_not_confirmed_comes_with_its_evidence() -> None:
    """Each finding has a line with its sites, its call and the server's words."""
    found = findings(full_report().results)
    rows = PAGE.all("table")[-1].all("tbody")[0].all("tr")
    assert len(rows) == len(found)
    for finding, row in zip(found, rows, strict=True):
        scope, (_, sites, call, said) = row.all("th")[0].text, [c.text for c in row.all("td")]
        assert (scope, call, said) == (finding.scope, finding.call, finding.said)
        assert sites == ("all sites" if finding.sites == SITES else " ".join(finding.sites))


def test_nothing_runs_and_nothing_is_fetched() -> None:
    """No script, no handler, no address; colours are variables of the theme with a fallback."""
    assert not PAGE.all("script")
    assert not re.search(r"\son\w+=|https?:|url\(|@import", HTML)
    assert all(use.count(",") for use in re.findall(r"var\(--jp-[^)]*\)", HTML))


def test_dark_is_where_the_notebook_is_dark() -> None:
    """JupyterLab's own mark decides, not the reader's system, which may be another."""
    dark = MARKS[Verdict.REFUSED].dark
    colours = f"color:{dark.text};background:{dark.ground}"
    assert f'body[data-jp-theme-light="false"] .ddoauth-verdicts .refused{{{colours}}}' in HTML
    assert "prefers-color-scheme" not in HTML


def test_texts_are_escaped() -> None:
    """A name or a server's words that look like markup stay text."""
    hostile = '<img src=x onerror="a()">&'
    first, *others = report_on(["us1"], every=60).results
    bad = replace(first, scope=hostile, area=hostile, evidence=hostile, path=hostile)
    report = replace(report_on(["us1"]), results=(bad, *others))
    page = read_html(verdict_matrix(report).html())
    assert not page.all("img")
    assert page.text.count("onerror") >= 4


def test_a_missing_result_has_a_word_as_well() -> None:
    """What a cancelled run left out is not mistaken for a verdict."""
    report = report_on(["us1", "eu1"], every=40)
    cut = replace(report, results=report.results[:-1], complete=False)
    assert "<td>missing</td>" in verdict_matrix(cut).html()


def test_all_confirmed_has_no_list_of_evidence() -> None:
    """If there is nothing to add, nothing is added."""
    results = [replace(r, verdict=Verdict.CONFIRMED) for r in report_on(["us1"]).results]
    matrix = verdict_matrix(replace(report_on(["us1"]), results=tuple(results)))
    assert "evidence" not in matrix.html()
    assert matrix.where(text="no such").html().count("<table") == 0
