"""Each unconfirmed verdict is listed once, with all sites that responded the same."""

from __future__ import annotations

from support.reports import SITES, full_report

from ddoauth_kit.probing.verdict import PROBLEMS, Verdict
from ddoauth_kit.workbook.verdicts.unconfirmed import COLUMNS, findings, findings_frame

FOUND = findings(full_report().results)


def test_nothing_is_lost_and_nothing_is_there_twice() -> None:
    """Sites and scopes of all findings are exactly those that are not confirmed."""
    listed = sorted((finding.scope, site) for finding in FOUND for site in finding.sites)
    assert listed == sorted(
        (r.scope, r.site) for r in full_report().results if r.verdict is not Verdict.CONFIRMED
    )
    assert len(FOUND) < len(listed) / 3


def test_the_gravest_stand_first() -> None:
    """The first lines contain every refusal."""
    grave = [finding.verdict in PROBLEMS for finding in FOUND]
    assert grave == sorted(grave, reverse=True)
    assert any(grave)


def test_said_holds_status_and_words() -> None:
    """A status comes before the words, and is omitted if there was no response."""
    assert {f.said for f in FOUND if f.verdict is Verdict.REFUSED} == {"403: Forbidden"}
    assert {f.said for f in FOUND if f.verdict is Verdict.FAILED} == {"no complete answer arrived"}


def test_the_frame_has_whole_numbers() -> None:
    """A missing status does not turn the others into fractions."""
    frame = findings_frame(FOUND)
    assert tuple(frame.columns) == COLUMNS
    assert frame["status"].dtype == "Int64"
    assert set(frame["sites"]) >= {" ".join(SITES)}
    assert tuple(findings_frame(()).columns) == COLUMNS
