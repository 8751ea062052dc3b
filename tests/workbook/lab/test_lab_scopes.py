"""A lab looks up, probes and advises on scopes, on its own site and on the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook import open_lab, open_sandbox_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.workbook import Lab
    from ddoauth_kit.workbook.verdicts import ProbeTables

NOT_TOLD = {Verdict.NO_OPERATION, Verdict.NOT_TRIED}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open a lab whose client asks for every scope."""
    with open_lab(every_scope=True) as opened:
        yield opened


def _verdicts(tables: ProbeTables) -> list[Verdict]:
    return [result.verdict for result in tables.report.results]


@pytest.fixture(scope="module")
def report() -> ProbeReport:
    """Probe every scope on every site."""
    with open_lab(every_scope=True) as opened:
        return opened.scopes.probe(sites="all").report


def test_every_scope_on_every_site(report: ProbeReport) -> None:
    """One call gives a row for each scope and site, alike on all sites, each with evidence."""
    assert report.sites == DATADOG_SITES.names
    assert report.complete
    assert report.is_good
    assert [(r.site, r.scope) for r in report.results] == [
        (site, scope) for site in DATADOG_SITES.names for scope in catalogue().scopes
    ]
    assert all(result.evidence for result in report.results)
    us1 = {r.scope: (r.verdict, r.evidence) for r in report.results if r.site == "us1"}
    assert all(us1[r.scope] == (r.verdict, r.evidence) for r in report.results)


def test_sites_in_one_text(lab: Lab) -> None:
    """Names with blanks between them are as good as a list, in the order given."""
    assert lab.scopes.probe("metrics_read", sites="eu1  us1").report.sites == ("eu1", "us1")
    assert lab.scopes.probe("metrics_read", sites=" ").report.sites == (lab.site.name,)


def test_what_was_called_is_in_the_row(report: ProbeReport) -> None:
    """Every verdict but those without a call names method, path and status."""
    for result in report.results:
        if result.verdict in NOT_TOLD:
            assert (result.method, result.status) == ("", None) or not result.status
        else:
            assert result.method
            assert result.path.startswith("/api/")
            assert result.status


@pytest.mark.parametrize(
    ("profile", "read", "edit"),
    [
        ("datadog", Verdict.CONFIRMED, Verdict.LET_THROUGH),
        ("rfc", Verdict.CONFIRMED, Verdict.LET_THROUGH),
        ("validate-first", Verdict.CONFIRMED, Verdict.INCONCLUSIVE),
        ("no-oauth", Verdict.NOT_OAUTH, Verdict.NOT_OAUTH),
        ("error-shapes", Verdict.CONFIRMED, Verdict.LET_THROUGH),
    ],
)
def test_profiles_change_verdicts(profile: str, read: Verdict, edit: Verdict) -> None:
    """A difference in a server's behaviour leads to a different verdict, not to a wrong one."""
    with open_sandbox_lab(profile=profile, every_scope=True) as opened:
        assert _verdicts(opened.scopes.probe("metrics_read", "slos_write")) == [read, edit]


def test_a_missing_product_is_not_a_missing_scope() -> None:
    """On a site without a product, the verdict says so; elsewhere the scope is confirmed."""
    with open_sandbox_lab(profile="products-missing", every_scope=True) as opened:
        report = opened.scopes.probe(sites=("us1", "us1-fed")).report
    by_site = {site: {r.verdict for r in report.results if r.site == site} for site in report.sites}
    assert Verdict.NOT_ON_SITE not in by_site["us1"]
    assert Verdict.NOT_ON_SITE in by_site["us1-fed"]
    assert not report.problems


def test_limits_that_bite_are_waited_for() -> None:
    """With three calls in ten seconds the same scopes are confirmed all the same."""
    with open_sandbox_lab(profile="rate-limits", every_scope=True) as opened:
        scopes = ("metrics_read", "monitors_read", "events_read", "slos_write")
        for _ in range(3):
            verdicts = _verdicts(opened.scopes.probe(*scopes))
            assert verdicts == [Verdict.CONFIRMED] * 3 + [Verdict.LET_THROUGH]


def test_a_narrowed_grant_shows() -> None:
    """A scope that an administrator removed is refused, and the row says it was not granted."""
    with open_sandbox_lab(faults=("narrowed-scopes",)) as opened:
        tokens = opened.connect()
        (withheld, *_) = tokens.scopes.withheld
        report = opened.scopes.probe().report
    refused = {r.scope: r.evidence for r in report.problems}
    assert withheld in refused
    assert "not granted" in refused[withheld]


def test_probing_in_a_coroutine(lab: Lab) -> None:
    """Async code awaits the same probing, and may cancel it."""
    probing = lab.scopes.probing("metrics_read", "monitors_read")
    report = asyncio.run(probing.run())
    assert [r.verdict for r in report.results] == [Verdict.CONFIRMED] * 2


def test_live_probes_do_not_write(lab: Lab) -> None:
    """Without `writes`, a live lab only reads, whatever is requested."""
    assert str(lab.scopes._writes("")) == "harmless"
    assert str(lab.scopes._writes("round-trip")) == "round-trip"


def test_probing_never_creates_a_key_twice(lab: Lab) -> None:
    """An organization's only key is created once and used by every later run."""
    for _ in range(2):
        assert _verdicts(lab.scopes.probe("api_keys_write")) == [Verdict.CONFIRMED]
    created = [e for e in lab.transcript if e.url.endswith("/api_keys/marketplace")]
    assert [exchange.status for exchange in created] == [201]


def test_what_a_scope_opens(lab: Lab) -> None:
    """The table has a row for each operation, and companions and alternatives beside it."""
    frame = lab.scopes.opened_by("monitors_write").frame
    row = frame.set_index("request").loc["DELETE /api/v1/monitor/{monitor_id}"]
    assert row["or instead"] == "monitors_draft_write"
    assert len(frame) == len(catalogue().opened_by("monitors_write"))


def test_what_calls_need(lab: Lab) -> None:
    """Typed or taken from the transcript, calls lead to the smallest set of scopes."""
    typed = lab.scopes.smallest("GET /api/v1/monitor/42", "POST /api/v1/events").frame
    assert typed["scopes"].to_list()[-1] == "api_keys_write monitors_read"
    lab.scopes.probe("metrics_read")
    called = lab.scopes.smallest().frame
    assert "metrics_read" in called["scopes"].to_list()[-1].split()


def test_what_was_used(lab: Lab) -> None:
    """Requested, granted and used scopes are shown side by side."""
    tokens = lab.connect()
    lab.scopes.probe("metrics_read")
    frame = lab.scopes.use(tokens).frame.set_index("scope")
    assert frame.loc["metrics_read"].to_list() == ["yes", "yes", "yes"]
    assert frame.loc["usage_read"].to_list() == ["yes", "yes", "no"]


def test_what_a_refused_call_lacked(lab: Lab) -> None:
    """Missing scopes are listed, each alternative separately, or none if none is missing."""
    assert lab.scopes.missing("DELETE /api/v1/monitor/1", granted=["monitors_read"]) == (
        ("monitors_write",),
        ("monitors_draft_write",),
    )
    assert lab.scopes.missing("GET /api/v1/monitor") == ()


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"sites": ["mars"]}, "unknown_site"),
        ({"writes": "everything"}, "unknown_writes"),
    ],
)
def test_bad_choices_are_refused(lab: Lab, choice: dict[str, str], code: str) -> None:
    """An impossible request is refused before anything is sent."""
    with pytest.raises(InputError) as refused:
        lab.scopes.probe("metrics_read", **choice)
    assert refused.value.code == code


def test_unknown_scopes_are_refused_where_they_are_looked_up(lab: Lab) -> None:
    """A name that the catalogue lacks opens nothing that could be shown."""
    with pytest.raises(InputError, match="unknown_scope"):
        lab.scopes.opened_by("monitor_read")


def test_a_probe_is_no_use_of_a_scope() -> None:
    """Scopes that the lab read with count as used; scopes that were only probed do not."""
    with open_lab() as lab:
        tokens = lab.connect()
        lab.scopes.probe("dashboards_read", "metrics_read")
        lab.send_data(lab.api_key(tokens))
        lab.read_data(tokens)
        unused = set(lab.scopes.unused())
    assert {"dashboards_read", "metrics_read"} <= unused
    assert not unused & {"api_keys_write", "timeseries_query", "events_read", "logs_read_data"}
