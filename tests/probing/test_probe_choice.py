"""A probe is the safest call there is, and never one with a risk."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import pytest
from support.builders import NOW
from support.places import DERIVED_PROBES, PARTNERS

from ddoauth_kit.probing import probe_choice
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import (
    Approach,
    CallProbe,
    Flow,
    NoProbe,
    Probe,
    TelemetryProbe,
    Writes,
)
from ddoauth_kit.probing.probe_choice import choose_probe
from ddoauth_kit.probing.round_trips import RoundTrip, Step

DERIVED = json.loads(DERIVED_PROBES.read_text("utf-8"))
ALL = frozenset(catalogue().scopes)
# Written down here again: what posts and changes nothing, by Datadog's API reference.
POSTS_THAT_READ = {
    "POST /api/v2/code-coverage/files",
    "POST /api/v2/error-tracking/issues/search",
    "POST /api/v2/logs/events/search",
    "POST /api/v2/security_monitoring/configuration/suppressions/validation",
    "POST /api/v2/security_monitoring/rules/validation",
}
ABSENT = {"0", "00000000-0000-0000-0000-000000000000", "ddoauth-probe-nonexistent"}

SETTINGS = "a change of settings that names no id, or of many things at once"
ACTS = "it would act, or cost, if its body were taken as it is"
AIMED = "aimed at an absent id of its own kind, where the other sends a body without an id"
ALIKE = "the same kind of call, of the scope's own product, shorter"
SHARED = "another granted scope would open the other, and explain its answer"
READS = "a GET that needs the scope, where the other writes"
SMALLER = "DELETE instead of PUT, which may create what is absent"
BETTER = {
    "apm_service_catalog_read": ("GET /api/v2/catalog/kind", ALIKE),
    "apm_service_catalog_write": ("DELETE /api/v2/catalog/kind/{kind_id}", ALIKE),
    "billing_edit": ("DELETE /api/v2/usage/quotas/{quota_namespace}/{id}", SHARED),
    "bits_investigations_write": ("", ACTS),
    "cases_write": ("DELETE /api/v2/cases/link/{link_id}", ALIKE),
    "ci_provider_settings_write": ("", SETTINGS),
    "cloud_cost_management_read": ("GET /api/v2/cost/tags", ALIKE),
    "dashboards_public_share": ("DELETE /api/v1/dashboard/public/{token}", AIMED),
    "incident_settings_write": ("DELETE /api/v2/incidents/config/rules/{rule_id}", ALIKE),
    "late_metrics_config_write": (
        "DELETE /api/v2/metrics/historical-metrics-configurations/{metric_name}",
        AIMED,
    ),
    "logs_modify_indexes": (
        (
            "DELETE /api/v2/security_monitoring/sample_log_generation"
            "/subscriptions/{content_pack_id}"
        ),
        AIMED,
    ),
    "metric_tags_write": ("DELETE /api/v2/metrics/tag-indexing-rules/{id}", SMALLER),
    "monitors_write": ("GET /api/v2/data-observability/monitors/runs/{run_id}/status", SHARED),
    "org_connections_write": ("GET /api/v2/org", READS),
    "status_pages_internal_page_publish": ("", ACTS),
    "status_pages_public_page_publish": ("", ACTS),
    "synthetics_global_variable_read": ("GET /api/v1/synthetics/variables/{variable_id}", SHARED),
    "synthetics_write": ("PATCH /api/v1/synthetics/tests/{public_id}", AIMED),
    "teams_manage": ("DELETE /api/v2/team/{team_id}", ACTS),
    "test_optimization_read": ("POST /api/v2/ci/test-optimization/settings/service", SHARED),
    "test_optimization_settings_write": ("", SETTINGS),
    "test_optimization_write": ("", SETTINGS),
    "user_access_read": ("GET /api/v1/user", ALIKE),
}


def _probe(scope: str, *granted: str, writes: Writes = Writes.HARMLESS) -> Probe:
    return choose_probe(scope, granted=frozenset(granted or {scope}), writes=writes, now=NOW)


@cache
def _grants() -> tuple[frozenset[str], ...]:
    """Return every set of scopes that a registration at hand asks for, all scopes, each alone."""
    asked = (json.loads(file.read_text("utf-8"))["integration"]["scopes"] for file in PARTNERS)
    return tuple({ALL, *map(frozenset, asked), *(frozenset({s}) for s in ALL), frozenset()})


@cache
def _probes(writes: Writes) -> tuple[Probe, ...]:
    """Return the probes of all scopes for all grants, each once."""
    found = {
        (_sent(probe), getattr(probe, "path", ""), str(getattr(probe, "body", ""))): probe
        for granted in _grants()
        for scope in ALL | granted
        for probe in [choose_probe(scope, granted=granted, writes=writes, now=NOW)]
    }
    return tuple(found.values())


def _sent(probe: Probe) -> str:
    return "" if isinstance(probe, NoProbe | TelemetryProbe) else probe.operation.address


def test_without_writes_nothing_is_written() -> None:
    """Whatever was granted, only GETs are sent, and the five POSTs that read or validate."""
    assert len({_sent(probe) for probe in _probes(Writes.NONE)}) > 50
    for probe in _probes(Writes.NONE):
        address = _sent(probe)
        assert address.startswith("GET ") or address in {"", *POSTS_THAT_READ}
        assert probe.flow is not Flow.EDIT or not address


def _ids(probe: CallProbe) -> dict[str, str]:
    """Read back what was filled into the path, by its template."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(probe.operation.path))
    return re.fullmatch(pattern, probe.path).groupdict()


def test_harmless_writes_can_change_nothing() -> None:
    """Each names a missing object, or its body lacks a required field."""
    writes = [
        probe
        for probe in _probes(Writes.HARMLESS)
        if isinstance(probe, CallProbe)
        and probe.operation.method != "GET"
        and _sent(probe) not in POSTS_THAT_READ
    ]
    assert len(writes) > 30
    for probe in writes:
        operation = probe.operation
        aimed = ABSENT.intersection(_ids(probe).values())
        lacks = operation.body not in {"", "any", "optional"} and probe.body == {}
        assert aimed or lacks, _sent(probe)
        assert probe.body in (None, {})
        if operation.method in {"DELETE", "PATCH", "PUT"}:
            assert aimed, _sent(probe)
        if operation.method == "DELETE":
            assert operation.path.endswith("}") or "assignee" in operation.path, _sent(probe)
            assert not operation.body, "a list of what to delete is no single thing"
        if operation.method == "PUT":
            assert lacks, "a PUT may create what is absent"
        if operation.method == "POST" and not operation.body:
            pytest.fail(f"{_sent(probe)} acts on an id alone")


def test_every_path_is_filled() -> None:
    """No template is left, and ids of missing objects are used, in the spec's format."""
    for probe in (*_probes(Writes.NONE), *_probes(Writes.HARMLESS)):
        assert "{" not in getattr(probe, "path", "")
        if isinstance(probe, CallProbe) and probe.operation.path_ids:
            kinds = probe.operation.path_ids
            for name, value in _ids(probe).items():
                chosen = kinds[name].removeprefix("one of ")
                assert value == chosen if kinds[name] != chosen else value in ABSENT
                assert kinds[name] != "uuid" or value.count("-") == 4
                assert kinds[name] != "int64" or value == "0"


def test_every_required_parameter_is_filled() -> None:
    """A call has all parameters that the spec requires, and no others."""
    for probe in (*_probes(Writes.NONE), *_probes(Writes.HARMLESS)):
        if isinstance(probe, CallProbe):
            assert [name for name, _ in probe.query] == list(probe.operation.query)
            assert all(value for _, value in probe.query)


def test_nothing_with_a_risk() -> None:
    """Operations that the other derivation marks as a risk are never called."""
    marked = set(DERIVED["risks"])
    assert marked
    assert not marked & {_sent(probe) for probe in _probes(Writes.HARMLESS)}


def test_the_same_as_recommended_or_better() -> None:
    """For 125 scopes, the other derivation recommends the same call, or a reason is given above."""
    other = {scope: entry["recommended"] for scope, entry in DERIVED["scopes"].items()}
    assert len(other) == 125
    chosen = {scope: _sent(_probe(scope, *ALL)) for scope in other}
    assert {scope: call for scope, call in chosen.items() if call != other[scope]} == {
        scope: call for scope, (call, _) in BETTER.items()
    }


def test_the_reasons_are_true() -> None:
    """A probe that is called better is better, as far as the catalogue can tell."""
    for scope, (call, reason) in BETTER.items():
        probe = _probe(scope, *ALL)
        if not call:
            assert probe.approach is Approach.NOTHING
        elif reason == SHARED:
            assert probe.explained_by(ALL) == ()
        elif reason in {AIMED, SMALLER}:
            assert probe.approach is Approach.ABSENT
        elif reason == READS:
            assert probe.operation.method == "GET"


def test_other_scopes_are_avoided_where_they_can_be() -> None:
    """With all scopes granted only these two have no call that they alone open."""
    calls = [p for p in (_probe(scope, *ALL) for scope in ALL) if isinstance(p, CallProbe)]
    shared = {probe.scope for probe in calls if probe.explained_by(ALL)}
    assert shared == {"dashboards_public_share", "monitors_draft_write"}


def test_the_choice_depends_on_what_is_granted() -> None:
    """The listing of variables decides, unless another granted scope also opens it."""
    scope = "synthetics_global_variable_read"
    assert _probe(scope).approach is Approach.READ
    assert _probe(scope, scope, "apm_api_catalog_read").approach is Approach.LISTED


def test_an_id_comes_from_a_listing_that_is_open() -> None:
    """An id is taken from a listing only if the token may call it, with nothing to fill in."""
    for granted in _grants():
        for scope in granted:
            probe = choose_probe(scope, granted=granted, writes=Writes.NONE, now=NOW)
            if isinstance(probe, CallProbe) and (listing := probe.listing):
                assert listing.method == "GET"
                assert listing.is_open_to(granted)
                assert not listing.path_ids
                assert not listing.query


def test_what_must_be_named_is_filled_from_now_alone() -> None:
    """Two choices at the same moment are equal; a later one differs."""
    here = datetime(2026, 3, 1, 1, tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(hours=-9)))
    for scope in ALL:
        first, second, third = (
            choose_probe(scope, granted=frozenset(catalogue().scopes), writes=Writes.NONE, now=now)
            for now in (here, here, there)
        )
        assert first == second == third
    query = _probe("timeseries_query").query
    assert dict(query)["to"] == str(int(NOW.timestamp()))
    later = choose_probe(
        "timeseries_query",
        granted=frozenset(),
        writes=Writes.NONE,
        now=NOW + timedelta(seconds=1),
    )
    assert later.query != query


def test_why_there_is_none() -> None:
    """A scope without a call says whether writes would help, or nothing would."""
    held = _probe("slos_write", writes=Writes.NONE)
    assert (held.approach, held.flow) == (Approach.HELD_BACK, Flow.EDIT)
    assert "did not ask for writes" in held.reason
    for scope, words in {
        "coterm_read": "names no operation",
        "logs_read_config": "permission of the same name",
        "no_such_scope": "is not a known scope",
        "slos_corrections": "called safely",
    }.items():
        probe = _probe(scope)
        assert probe.approach is Approach.NOTHING
        assert words in probe.reason
        assert probe.area


def test_the_key_is_tried_by_sending() -> None:
    """The one-shot call is never a probe: data is sent with the existing key."""
    for writes in Writes:
        probe = _probe("api_keys_write", *ALL, writes=writes)
        assert isinstance(probe, TelemetryProbe)
        assert (probe.approach, probe.flow) == (Approach.TELEMETRY, Flow.IN)
        assert "POST /api/v2/api_keys/marketplace" not in {
            _sent(_probe(scope, *ALL, writes=writes)) for scope in ALL
        }


def test_a_round_trip_is_taken_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scope's round trip is its probe if there is one and if it was requested."""
    step = Step("POST", "/api/v1/monitor")
    own = Step("GET", "/api/v1/monitor/{id}")
    trip = RoundTrip(create=step, id_at=("id",), read=own, change=own, delete=own)
    monkeypatch.setattr(probe_choice, "ROUND_TRIPS", {"monitors_write": trip})
    probe = _probe("monitors_write", *ALL, writes=Writes.ROUND_TRIP)
    assert (probe.approach, probe.flow) == (Approach.ROUND_TRIP, Flow.EDIT)
    assert _sent(probe) == "POST /api/v1/monitor"
    assert probe.explained_by(ALL) == ("monitors_draft_write",)
    for scope, writes in [
        ("slos_write", Writes.ROUND_TRIP),
        ("monitors_read", Writes.ROUND_TRIP),
        ("monitors_write", Writes.HARMLESS),
    ]:
        other = _probe(scope, writes=writes)
        assert other.approach not in {Approach.ROUND_TRIP, Approach.NOTHING}


def test_a_kind_of_things_is_not_an_absent_thing() -> None:
    """A path that names only a kind is never taken for one that aims at nothing."""
    bulk = catalogue().by_address["POST /api/v2/security_monitoring/terraform/{resource_type}/bulk"]
    assert probe_choice._harmless(bulk) is not Approach.ABSENT
