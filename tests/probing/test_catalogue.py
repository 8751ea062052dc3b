"""The catalogue can be searched both ways: what a scope opens, and what a request needs."""

from __future__ import annotations

import json
import time

import pytest
from support.places import DERIVED_PROBES, KIT

from ddoauth_kit.probing.catalogue import catalogue

PROBES = json.loads(DERIVED_PROBES.read_text("utf-8"))["scopes"]
BEYOND_THE_SPEC = {
    "api_keys_write",
    "llm_observability_read",
    "logs_read_archives",
    "logs_read_config",
    "logs_read_workspaces",
    "mcp_read",
}


def _found(method: str, path: str) -> str | None:
    operation = catalogue().find(method, path)
    return operation and operation.path


def test_every_scope_is_there() -> None:
    """The spec has 125 scopes, partners have six more, and each has a description."""
    scopes = catalogue().scopes
    assert len(scopes) == 131
    assert {name for name, scope in scopes.items() if scope.source == "partners"} == BEYOND_THE_SPEC
    assert {scope.source for scope in scopes.values()} == {"spec", "partners"}
    assert {scope.kind for scope in scopes.values()} == {"read", "write", "run"}
    assert all(scope.name == name for name, scope in scopes.items())


def test_every_scope_of_the_other_derivation_is_known() -> None:
    """An independent derivation of the best probes found the same 125 scopes and kinds."""
    derived = {scope: entry["kind"] for scope, entry in PROBES.items()}
    spec = {n: s.kind for n, s in catalogue().scopes.items() if s.source == "spec"}
    assert len(derived) == 125
    assert spec == derived


def test_as_many_operations_as_the_other_derivation_has() -> None:
    """Each scope opens as many operations as were counted for it elsewhere."""
    for scope, entry in PROBES.items():
        assert len(catalogue().opened_by(scope)) == entry["operations"], scope


def test_both_ways_agree() -> None:
    """A scope opens an operation if and only if the operation names the scope."""
    for operation in catalogue().operations:
        named = set().union(*operation.scope_sets)
        assert named <= set(catalogue().scopes)
        assert all(operation in catalogue().opened_by(scope) for scope in named)
    for scope, operations in catalogue().opened.items():
        assert all(scope in set().union(*o.scope_sets) for o in operations)


def test_every_operation_is_found_by_its_address() -> None:
    """Its own template, or its path with ids filled in, finds each operation."""
    for operation in catalogue().operations:
        assert catalogue().find(operation.method, operation.path) == operation
        assert operation.area
        assert operation.id
        filled = operation.path.replace("{", "x").replace("}", "x")
        assert catalogue().find(operation.method.lower(), filled) == operation


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/monitor/12",
        "/api/v1/monitor/12/",
        "/api/v1/monitor/12?group_states=all&x=/api/v2/team",
        "/api/v1/monitor/12#top",
        "https://api.us3.datadoghq.com/api/v1/monitor/12?with_downtimes=true",
        "https://api.us3.datadoghq.com:443/api/v1/monitor/a%2Fb",
    ],
)
def test_urls_queries_and_slashes_at_the_end(address: str) -> None:
    """A path is found as it appears in a log: with a host, query, fragment or final slash."""
    assert _found("GET", address) == "/api/v1/monitor/{monitor_id}"
    found = catalogue().find("get", address)
    assert found
    assert found.scope_sets == (frozenset({"monitors_read"}),)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/monitor/search", "/api/v1/monitor/search"),
        ("/api/v1/monitor/1", "/api/v1/monitor/{monitor_id}"),
        ("/api/v1/slo/correction/history", "/api/v1/slo/correction/{slo_correction_id}"),
        ("/api/v1/slo/abc/history", "/api/v1/slo/{slo_id}/history"),
        (
            "/api/v2/llm-obs/v1/annotation-queues/datasets/annotated-interactions/export",
            (
                "/api/v2/llm-obs/v1/annotation-queues/{queue_id}"
                "/annotated-interactions/{interaction_id}"
            ),
        ),
    ],
)
def test_fixed_segments_win(path: str, template: str) -> None:
    """A fixed segment wins over a template, and the first one over a later one."""
    assert _found("GET", path) == template


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/no/such/thing"),
        ("GET", "/api/v1/monitor//"),
        ("GET", "api/v1/monitor"),
        ("GET", ""),
        ("GET", "/"),
        ("GET", "https://[broken"),
        ("BREW", "/api/v1/monitor"),
        ("", "/api/v1/monitor"),
        ("POST", "/api/v1/monitor/search"),
    ],
)
def test_what_is_unknown_is_none(method: str, path: str) -> None:
    """An address that the spec does not have is None, not an error and not a neighbour."""
    assert catalogue().find(method, path) is None


def test_companions_and_alternatives() -> None:
    """Scopes that are needed together are distinguished from alternatives."""
    both = catalogue().by_address["GET /api/v2/usage/estimated_cost"]
    assert both.companions("billing_read") == (frozenset({"usage_read"}),)
    assert both.alternatives("billing_read") == ()
    either = catalogue().by_address["GET /api/v2/domain_allowlist"]
    assert either.companions("monitors_write") == (frozenset(),)
    assert either.alternatives("monitors_write") == (frozenset({"org_management"}),)
    assert either.is_open_to(frozenset({"org_management", "events_read"}))
    assert not either.is_open_to(frozenset({"events_read"}))
    assert either.companions("events_read") == ()
    assert either.alternatives("events_read") == either.scope_sets
    needs_two = catalogue().by_address["PUT /api/v2/error-tracking/issues/{issue_id}/state"]
    assert needs_two.companions("error_tracking_write") == (frozenset({"error_tracking_read"}),)
    assert not needs_two.is_open_to(frozenset({"error_tracking_write"}))


def test_a_key_opens_what_no_scope_opens() -> None:
    """An operation for API keys only is not open to any token, whatever its scopes."""
    series = catalogue().by_address["POST /api/v2/series"]
    assert series.needs_key
    assert not series.is_open_to(frozenset(catalogue().scopes))


def test_an_operation_without_scopes_is_open_to_every_token() -> None:
    """Any scope, or none, is enough to ask whose token it is."""
    assert catalogue().by_address["GET /api/v2/current_user"].is_open_to(frozenset())


def test_a_permission_is_no_scope() -> None:
    """Operations that name only a permission are listed apart, and open nothing for a scope."""
    permitted = catalogue().permitted_by("logs_read_config")
    assert permitted
    assert catalogue().opened_by("logs_read_config") == ()
    assert catalogue().opened_by("no_such_scope") == ()
    assert catalogue().permitted_by("no_such_scope") == ()


def test_nothing_can_be_changed() -> None:
    """The one catalogue of the process is read-only."""
    assert catalogue() is catalogue()
    with pytest.raises(TypeError):
        catalogue().scopes["mine"] = catalogue().scopes["events_read"]
    with pytest.raises(TypeError):
        catalogue().by_address["GET /api/v1/monitor"].query["q"] = "string"


def test_it_reads_the_file_that_it_ships() -> None:
    """The version is the file's, which names the spec it was derived from."""
    document = json.loads((KIT / "catalogue.json").read_text("utf-8"))
    assert catalogue().spec == document["spec"]
    assert len(catalogue().operations) == len(document["operations"])


def test_all_lookups_take_less_than_a_second() -> None:
    """Each of the operations is found in well under a millisecond."""
    operations = catalogue().operations
    started = time.thread_time()
    for operation in operations:
        catalogue().find(operation.method, operation.path)
    assert time.thread_time() - started < 1.0
