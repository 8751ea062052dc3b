"""The text of the matrix fits a terminal, and has the matrix's whole content."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from support.reports import SITES, full_report, report_on

from ddoauth_kit.workbook.verdicts import verdict_matrix
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

MATRIX = verdict_matrix(full_report())
LINES = MATRIX.text().splitlines()


def test_it_fits() -> None:
    """With nine sites and the longest scope there is, no line has more than 100 characters."""
    assert max(map(len, LINES)) <= 100
    assert max(map(len, MATRIX.text(brief=True).splitlines())) <= 100
    assert not [line for line in LINES if line != line.rstrip()]


def test_a_narrow_terminal_gets_the_sites_below_each_other() -> None:
    """No line exceeds the given width, and every scope has one verdict for every site."""
    lines = MATRIX.text(width=60).splitlines()
    assert max(map(len, lines)) <= 60
    for row in MATRIX.rows:
        found = [line.split()[1:] for line in lines if line.split()[:1] == [row.scope]]
        assert len(found) > 1
        assert list(chain(*found)) == [MARKS[verdict].short for verdict in row.verdicts if verdict]
    assert MATRIX.text(width=100) == MATRIX.text()


def test_every_scope_has_its_line_with_nine_words() -> None:
    """The words are below the sites' names, in columns of fixed width."""
    head = next(line for line in LINES if line.split() == list(SITES))
    places = [head.index(site) for site in SITES]
    for row in MATRIX.rows:
        (line,) = [each for each in LINES if each.split()[:1] == [row.scope]]
        words = [line[place:].split()[0] for place in places]
        assert words == [MARKS[verdict].short for verdict in row.verdicts if verdict]


def test_the_counts_are_the_legend() -> None:
    """Each short word that occurs is explained by the name of its verdict."""
    for verdict, numbers in MATRIX.counts.items():
        words = [MARKS[verdict].short, *MARKS[verdict].name.split(), *map(str, numbers)]
        assert words in [line.split() for line in LINES]


def test_the_sites_are_never_far_away() -> None:
    """Their names are repeated, so that a reader who scrolls knows the columns."""
    heads = [i for i, line in enumerate(LINES) if line.split()[-9:] == list(SITES)]
    assert max(b - a for a, b in zip(heads, [*heads[1:], len(LINES)], strict=True)) <= 45


def test_brief_folds_what_is_the_same_everywhere() -> None:
    """Every scope is still named once, with one word for all sites or with nine."""
    brief = MATRIX.text(brief=True)
    assert len(brief.splitlines()) < len(LINES)
    for row in MATRIX.rows:
        (line,) = [each for each in brief.splitlines() if row.scope in each.split()]
        assert (line.split()[0] == row.scope and len(line.split()) == 10) != row.is_uniform


def test_one_site_and_missing_results() -> None:
    """One column is enough, and a cancelled run leaves blanks."""
    report = report_on(["us1"], every=13)
    cut = replace(report, results=report.results[1:], complete=False)
    text = verdict_matrix(cut).text()
    assert "cancelled" in text
    assert report.results[0].scope not in text
    two = report_on(["us1", "eu1"], every=13)
    cut = replace(two, results=two.results[:-1], complete=False)
    assert "1 missing" in verdict_matrix(cut).text()
    assert f"  {two.results[-1].scope}" in verdict_matrix(cut).text()


def test_nothing_to_show_is_said() -> None:
    """A filter that nothing fits leaves a sentence."""
    assert MATRIX.where(text="no such scope").text() == MATRIX.where(text="no such scope").headline
