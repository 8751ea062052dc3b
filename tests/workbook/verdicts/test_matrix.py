"""The matrix arranges scopes by site, and can be filtered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.reports import SITES, full_report, report_on

from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.verdict import PROBLEMS, Verdict
from ddoauth_kit.workbook.verdicts import VerdictMatrix, verdict_matrix

MATRIX = verdict_matrix(full_report())


def test_every_verdict_stands_where_it_belongs() -> None:
    """Each scope has one row, with the sites' verdicts in the order of the sites."""
    expected = {(r.scope, r.site): r.verdict for r in full_report().results}
    found = {
        (row.scope, site): verdict
        for row in MATRIX.rows
        for site, verdict in zip(SITES, row.verdicts, strict=True)
    }
    assert found == expected
    assert set(found.values()) == set(Verdict)


def test_areas_with_problems_stand_first() -> None:
    """Then the alphabet decides, whatever the case; no scope is lost."""
    keys = [(not area.has_problem, area.name.lower()) for area in MATRIX.areas]
    assert keys == sorted(keys)
    assert {True, False} == {area.has_problem for area in MATRIX.areas}
    assert sorted(row.scope for area in MATRIX.areas for row in area.rows) == [
        row.scope for row in MATRIX.rows
    ]


def test_counts_add_up() -> None:
    """On each site the counts of all verdicts make the number of scopes."""
    assert [sum(column) for column in zip(*MATRIX.counts.values(), strict=True)] == [131] * 9


def test_a_scope_has_one_area_even_where_sites_differ() -> None:
    """Another grant may mean another operation, of another area; the row stays one."""
    first, *others = report_on(["us1", "eu1"], every=40).results
    report = replace(report_on(["us1", "eu1"]), results=(replace(first, area="Other"), *others))
    rows = verdict_matrix(report).rows
    assert len(rows) == len({row.scope for row in rows})


def test_where_text() -> None:
    """Each word must be in the scope or in its area, in any case."""
    scopes = {row.scope for row in MATRIX.where(text="MONITORING read").rows}
    assert "security_monitoring_rules_read" in scopes
    assert "network_connections_read" in scopes
    assert all("read" in scope for scope in scopes)


@pytest.mark.parametrize("verdict", Verdict)
def test_where_verdict(verdict: Verdict) -> None:
    """Each remaining scope matches on at least one site, and keeps its other sites."""
    expected = {r.scope for r in full_report().results if r.verdict is verdict}
    found = MATRIX.where(verdict=verdict)
    assert {row.scope for row in found.rows} == expected
    assert all(None not in row.verdicts for row in found.rows)


def test_where_several_things() -> None:
    """All conditions apply together, a matrix can be filtered twice, and no filter means all."""
    once = MATRIX.where(area="security monitoring", problems=True)
    assert once.rows
    assert once == MATRIX.where(problems=True).where(area="Security Monitoring")
    assert all(not PROBLEMS.isdisjoint(row.verdicts) for row in once.rows)
    assert MATRIX.where(verdict=["refused", "failed"]).rows == MATRIX.where(problems=True).rows
    assert MATRIX.where() == MATRIX


@pytest.mark.parametrize("asked", [{"verdict": "perhaps"}, {"area": "Gardening"}])
def test_what_does_not_exist_is_refused(asked: dict[str, str]) -> None:
    """A misspelt verdict or area is no empty table; the message lists what there is."""
    with pytest.raises(InputError, match=r"Security Monitoring|not_on_site") as caught:
        MATRIX.where(**asked)  # type: ignore[arg-type]
    assert caught.value.code == "unknown_filter"


def test_the_headline_says_how_much_and_how_bad() -> None:
    """Whole, filtered, a single site or cancelled: one sentence says which."""
    bad = len(full_report().problems)
    said = f"131 scopes on 9 sites: {bad} verdicts refused or failed."
    assert MATRIX.headline == said
    assert MATRIX.where(text="teams_read").headline.startswith(
        "1 of 131 scopes on 9 sites: no problems"
    )
    cut = replace(full_report(), results=full_report().results[:-5], complete=False)
    assert "cancelled, 5 missing" in verdict_matrix(cut).headline
    early = replace(full_report(), results=full_report().results[:13], complete=False, asked=1179)
    assert verdict_matrix(early).missing == 1179 - 13
    assert "so far" in verdict_matrix(replace(early, results=())).headline
    odd = replace(full_report().results[0], scope="metric_read", verdict=Verdict.NO_OPERATION)
    told = verdict_matrix(replace(full_report(), results=(odd,))).headline
    assert "1 scope not known" in told
    assert VerdictMatrix((), ("us1",), 0).headline.startswith("0 scopes on 1 site: no problems")
