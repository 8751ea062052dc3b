"""Build the same probe reports every time, as a run over the whole catalogue would."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import Flow
from ddoauth_kit.probing.probe_report import Baseline, ProbeReport
from ddoauth_kit.probing.verdict import ProbeResult, Verdict
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Sequence

SITES = DATADOG_SITES.names
_ANSWERS = {
    Verdict.CONFIRMED: (200, "data: items (attributes, id, type)"),
    Verdict.LET_THROUGH: (404, "Not found; without the scope: 403"),
    Verdict.INCONCLUSIVE: (
        400,
        "Bad request; there was no token without the scope to compare with",
    ),
    Verdict.REFUSED: (403, "Forbidden"),
    Verdict.NOT_OAUTH: (401, "Unauthorized; the same token is accepted elsewhere"),
    Verdict.NOT_ON_SITE: (404, "Not found"),
    Verdict.RATE_LIMITED: (429, "Too many requests"),
    Verdict.FAILED: (None, "no complete answer arrived"),
    Verdict.NO_OPERATION: (None, "The API description names no operation for this scope."),
}
_TROUBLES = {
    7: Verdict.REFUSED,
    23: Verdict.FAILED,
    31: Verdict.RATE_LIMITED,
    37: Verdict.NOT_TRIED,
}


@cache
def full_report() -> ProbeReport:
    """Return a report with every scope in the catalogue on all nine sites; every verdict occurs."""
    return report_on(SITES)


def report_on(sites: Sequence[str], *, every: int = 1) -> ProbeReport:
    """Return a report with every nth scope in the catalogue on some sites."""
    scopes = sorted(catalogue().scopes)[::every]
    results = tuple(
        _result(scope, site=site, number=number, place=SITES.index(site))
        for site in sites
        for number, scope in enumerate(scopes)
    )
    baselines = tuple(Baseline(site=site, alive=True, status=200) for site in sites)
    return ProbeReport(results=results, baselines=baselines, seconds=7.25)


def with_verdict(report: ProbeReport, verdict: Verdict, *, site: str, scope: str) -> ProbeReport:
    """Return the report with one verdict changed."""
    changed = tuple(
        replace(result, verdict=verdict, evidence="changed on purpose")
        if (result.site, result.scope) == (site, scope)
        else result
        for result in report.results
    )
    assert changed != report.results
    return replace(report, results=changed)


def _result(scope: str, *, site: str, number: int, place: int) -> ProbeResult:
    opened = catalogue().opened_by(scope)
    operation = opened[0] if opened else None
    verdict = _verdict(scope, site=site, number=number, place=place)
    status, evidence = _ANSWERS.get(verdict, (None, "Nothing was sent."))
    return ProbeResult(
        site=site,
        scope=scope,
        area=operation.area if operation else "No public operation",
        flow=Flow.EDIT if catalogue().scopes[scope].kind == "write" else Flow.OUT,
        verdict=verdict,
        method=operation.method if operation else "",
        path=operation.path if operation else "",
        status=status,
        seconds=(20 + number % 13 + 7 * place) / 1000 if status else 0.0,
        evidence=evidence,
        explained_by=("dashboards_read",) if verdict is Verdict.INCONCLUSIVE else (),
    )


def _verdict(scope: str, *, site: str, number: int, place: int) -> Verdict:
    """Return mostly good results, with each kind of problem somewhere."""
    if not catalogue().opened_by(scope):
        return Verdict.NO_OPERATION
    if site.endswith("-fed") and number % 11 == 3:
        return Verdict.NOT_ON_SITE
    trouble = _TROUBLES.get((number + place) % 41)
    if trouble and place % 4 == 1:
        return trouble
    if number % 29 == 5:
        return Verdict.NOT_OAUTH
    if catalogue().scopes[scope].kind == "write":
        return Verdict.INCONCLUSIVE if number % 5 == 0 else Verdict.LET_THROUGH
    return Verdict.CONFIRMED
