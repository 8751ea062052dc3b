"""A report contains the results, and says whether they need attention."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddoauth_kit.probing.probe import Flow
from ddoauth_kit.probing.probe_report import Baseline, ProbeReport, merged
from ddoauth_kit.probing.verdict import ProbeResult, Verdict

ALIVE = Baseline("us1", alive=True, status=200)
ROW = ProbeResult("us1", "monitors_read", "Monitors", Flow.OUT, Verdict.CONFIRMED)
OTHER = replace(ROW, site="eu1", scope="events_read")


@pytest.mark.parametrize("verdict", Verdict)
def test_what_somebody_must_look_at(verdict: Verdict) -> None:
    """Refused and failed are problems; all other verdicts are results."""
    report = ProbeReport(results=(ROW, replace(ROW, verdict=verdict)), baselines=(ALIVE,))
    bad = verdict in {Verdict.REFUSED, Verdict.FAILED}
    assert (len(report.problems), report.is_good) == (int(bad), not bad)


def test_a_dead_token_is_a_problem() -> None:
    """This also holds if no row says so."""
    dead = replace(ALIVE, alive=False)
    assert not ProbeReport(results=(), baselines=(ALIVE, dead)).is_good


def test_sites_are_put_together() -> None:
    """Results in order, complete if all are, and as long as the longest took."""
    first = ProbeReport(results=(ROW,), baselines=(ALIVE,), seconds=1.0)
    second = ProbeReport(
        results=(OTHER, replace(OTHER, scope="monitors_read")),
        baselines=(replace(ALIVE, site="eu1"),),
        complete=False,
        seconds=3.0,
    )
    whole = merged([first, second])
    assert (whole.sites, whole.scopes) == (("us1", "eu1"), ("monitors_read", "events_read"))
    assert (len(whole.results), whole.complete, whole.seconds) == (3, False, 3.0)
    assert merged([]) == ProbeReport(results=(), baselines=())
