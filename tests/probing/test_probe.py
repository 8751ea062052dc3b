"""A probe says what it would send, and what else may explain its response."""

from __future__ import annotations

from dataclasses import replace

from support.builders import ACCESS_TOKEN, NOW, readable, tokens

from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import (
    Approach,
    CallProbe,
    Probe,
    Writes,
    listing_request,
    probe_request,
)
from ddoauth_kit.probing.probe_choice import choose_probe

ALL = frozenset(catalogue().scopes)


def _probe(scope: str, *, writes: Writes = Writes.HARMLESS) -> Probe:
    return choose_probe(scope, granted=ALL, writes=writes, now=NOW)


def test_the_request_is_the_probe() -> None:
    """Method, host, path, query and body are the probe's; the token is a header, masked."""
    for scope in ALL:
        probe = _probe(scope)
        if isinstance(probe, CallProbe):
            request = probe_request(probe, tokens=tokens())
            assert (request.method, request.path) == (probe.operation.method, probe.path)
            assert (request.query, request.body) == (probe.query, probe.body)
            assert (request.host, request.site) == (probe.operation.host, tokens().site)
            assert request.headers == (("authorization", tokens().access_token),)
            assert request.repeatable
            assert scope in request.purpose
            assert not readable(ACCESS_TOKEN, f"{request!r}")


def test_a_listing_gives_the_path() -> None:
    """The listing is requested unchanged, and until then the path names a missing object."""
    probe = _probe("synthetics_global_variable_read")
    assert probe.approach is Approach.LISTED
    assert isinstance(probe, CallProbe)
    assert probe.listing is not None
    asked = listing_request(probe.scope, probe.listing, tokens=tokens())
    assert (asked.method, asked.path) == ("GET", "/api/v1/synthetics/variables")
    assert asked.repeatable
    absent = "/api/v1/synthetics/variables/ddoauth-probe-nonexistent"
    assert probe_request(probe, tokens=tokens()).path == absent


def test_only_whole_sets_explain() -> None:
    """An alternative explains a response if all of its scopes are granted."""
    either = (frozenset({"a", "b"}), frozenset({"c"}))
    probe = replace(_probe("monitors_read"), alternatives=either)
    assert probe.explained_by(frozenset({"a", "x"})) == ()
    assert probe.explained_by(frozenset({"a", "b"})) == ("a", "b")
    assert probe.explained_by(frozenset({"a", "b", "c"})) == ("a", "b", "c")
