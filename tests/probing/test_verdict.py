"""A verdict never claims more than the response proves."""

from __future__ import annotations

import json
from itertools import product

import pytest
from support.builders import NOW, response

from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import Approach, CallProbe, Flow, Writes
from ddoauth_kit.probing.probe_choice import choose_probe
from ddoauth_kit.probing.verdict import (
    MEANINGS,
    NO_CONTRAST,
    PROBLEMS,
    ProbeResult,
    Verdict,
    judge,
    needs_contrast,
    outline_of,
)

SCOPE = "monitors_read"
GRANTED = frozenset({SCOPE})
AIMED = [Approach.ABSENT, Approach.UNACCEPTABLE, Approach.LISTED]
CALLED = [Approach.READ, Approach.SEARCH, *AIMED]
STATUSES = [200, 201, 202, 204, 301, 400, 401, 403, 404, 405, 408, 409, 410, 422, 429, 500, 503]


def _probe(approach: Approach = Approach.READ, **changes: object) -> CallProbe:
    operation = catalogue().by_address["GET /api/v1/monitor"]
    values = {
        "scope": SCOPE,
        "flow": Flow.OUT,
        "approach": approach,
        "operation": operation,
        "path": operation.path,
    }
    return CallProbe(**{**values, **changes})


def _expected(status: int, approach: Approach, contrast: int | None) -> Verdict:
    """Say it again as a table of statuses, in the words of the issue and of the facts."""
    clear = {
        401: Verdict.NOT_OAUTH,
        403: Verdict.REFUSED,
        408: Verdict.FAILED,
        429: Verdict.RATE_LIMITED,
    }
    if status in clear:
        return clear[status]
    if status // 100 != 4:
        return Verdict.CONFIRMED if status // 100 == 2 else Verdict.FAILED
    if status == 404 and approach in {Approach.READ, Approach.SEARCH}:
        return Verdict.NOT_ON_SITE
    return Verdict.LET_THROUGH if contrast == 403 else Verdict.INCONCLUSIVE


@pytest.mark.parametrize("approach", CALLED)
def test_each_status_with_each_contrast(approach: Approach) -> None:
    """Status, way of probing and the comparison decide, in all their combinations."""
    for status, contrast in product(STATUSES, [None, *STATUSES]):
        compared = None if contrast is None else response(contrast)
        probe = _probe(approach)
        verdict, evidence = judge(probe, response(status), granted=GRANTED, contrast=compared)
        assert verdict is _expected(status, approach, contrast), (status, contrast)
        assert evidence
        if verdict in {Verdict.LET_THROUGH, Verdict.INCONCLUSIVE}:
            assert needs_contrast(probe, response(status))
            assert (str(contrast) if contrast else NO_CONTRAST) in evidence


@pytest.mark.parametrize("approach", CALLED)
def test_let_through_only_beside_a_refusal(approach: Approach) -> None:
    """Without a call that was refused for want of the scope, nothing counts as let through."""
    for status, contrast in product(STATUSES, [None, *STATUSES]):
        compared = None if contrast is None else response(contrast)
        verdict, _ = judge(_probe(approach), response(status), granted=GRANTED, contrast=compared)
        assert verdict is not Verdict.LET_THROUGH or contrast == 403


@pytest.mark.parametrize("approach", CALLED)
@pytest.mark.parametrize(
    ("changes", "granted", "words"),
    [
        ({"alternatives": (frozenset({"b"}),)}, {SCOPE, "b"}, "b would also allow the call"),
        ({"alternatives": (frozenset({"b", "c"}),)}, {SCOPE, "b", "c"}, "b and c would also allow"),
        ({"companions": frozenset({"d"})}, {SCOPE}, "without d"),
        ({}, {"x"}, "not granted this scope"),
        ({}, set(), "not granted this scope"),
    ],
)
def test_never_confirmed_where_something_else_explains_it(
    approach: Approach, changes: dict[str, object], granted: set[str], words: str
) -> None:
    """Another granted scope, a missing companion or a scope not granted: nothing is proved."""
    probe = _probe(approach, **changes)
    for status in STATUSES:
        verdict, evidence = judge(
            probe, response(status), granted=frozenset(granted), contrast=response(403)
        )
        assert verdict not in {Verdict.CONFIRMED, Verdict.LET_THROUGH}, status
        if status == 200:
            assert words in evidence


def test_a_half_granted_alternative_explains_nothing() -> None:
    """A set of which one scope is missing opens nothing."""
    probe = _probe(alternatives=(frozenset({"b", "c"}),))
    verdict, _ = judge(probe, response(200), granted=GRANTED | {"b"})
    assert verdict is Verdict.CONFIRMED


def test_a_refusal_names_what_may_be_missing() -> None:
    """A refusal is due to the scope only if everything else that the call needs was granted."""
    beside = _probe(companions=frozenset({"d"}))
    verdict, evidence = judge(beside, response(403), granted=GRANTED)
    assert (verdict, "also needs d" in evidence) == (Verdict.INCONCLUSIVE, True)
    verdict, evidence = judge(beside, response(403), granted=GRANTED | {"d"})
    assert verdict is Verdict.REFUSED
    verdict, evidence = judge(beside, response(403), granted=frozenset())
    assert (verdict, "not granted" in evidence) == (Verdict.REFUSED, True)


def test_a_401_says_whether_the_scope_was_granted() -> None:
    """The token is valid; some services return 401 for a missing scope, so the row says so."""
    assert "not granted" not in judge(_probe(), response(401), granted=GRANTED)[1]
    assert "was not granted" in judge(_probe(), response(401), granted=frozenset())[1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"errors": ["Forbidden", "Failed permission"]}', "Forbidden; Failed permission"),
        (
            '{"errors": [{"status": "403", "title": "Forbidden", "detail": "no scope"}]}',
            "Forbidden: no scope",
        ),
        ('{"errors": ["Forbidden"], "error_details": [{}]}', "Forbidden"),
        ('{"error": {"code": "denied", "message": "No.", "details": []}}', "denied: No."),
        ('{"error": "insufficient_scope", "error_description": "more"}', "insufficient_scope"),
        ("Forbidden by a proxy", "Forbidden by a proxy"),
        ("<html>a page</html>", "a response without a message (403)"),
        ("", "a response without a message (403)"),
        ("{}", "a response without a message (403)"),
    ],
)
def test_the_words_of_a_refusal(body: str, words: str) -> None:
    """Each format of Datadog's errors gives its words; missing words are reported as missing."""
    verdict, evidence = judge(_probe(), response(403, body), granted=GRANTED)
    assert verdict is Verdict.REFUSED
    assert words in evidence


def test_a_web_page_is_no_success() -> None:
    """A sign-in page with status 200 is what a proxy sends, and proves nothing."""
    for page in ("<!DOCTYPE html><p>", "\n <html>", "<HTML>"):
        assert judge(_probe(), response(200, page), granted=GRANTED)[0] is Verdict.FAILED


VALUES = [
    "canary",
    "canary-host.example.com",
    "canary@example.com",
    "env:canary",
    4711,
    47.11,
    True,
    None,
    "canary " * 40,
    "カナリア",
]


def _bodies() -> list[object]:
    """Put each value wherever a response can have one, even as a key in a map of hosts or tags."""
    found: list[object] = []
    for value in VALUES:
        key = str(value) if isinstance(value, str) and value != "canary" else "env:canary"
        item = {"id": value, "attributes": {"name": value, "tags": [value]}, key: value}
        found += [value, [value], [item], item, {"data": item}, {"data": [item, item]}]
        found += [{"data": value}, {"tags": {key: [value]}}, {key: [value]}, {key: {key: value}}]
        found += [{key: [value], "data": []}, {"a": [[value]], "b": {}}, [[item]], [key, item]]
    return found


@pytest.mark.parametrize("approach", CALLED)
def test_a_success_shows_none_of_its_values(approach: Approach) -> None:
    """Counts and names of fields are shown, and nothing that is a customer's."""
    for body in _bodies():
        verdict, evidence = judge(
            _probe(approach), response(200, json.dumps(body)), granted=GRANTED
        )
        assert verdict is Verdict.CONFIRMED
        shown = evidence.replace("canary_", "")
        assert not any(s in shown for s in ("canary", "4711", "47.11", "True", "カナリア"))
        assert len(evidence) < 400


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("[]", "no items"),
        ('{"data": []}', "data: no items"),
        ('{"data": [{"id": 1, "type": "x"}]}', "data: items (id, type)"),
        ('{"monitors": [{}, {}], "x": []}', "monitors: items"),
        ('{"data": {"id": "a"}}', "one item (id)"),
        ('{"h1.example.com": 1, "up": 2}', "one item (up, …)"),
        ('{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}', "one item (a, b, c, d, e, f, …)"),
        ('"x"', "one value"),
        ("a,b\n1,2", "7 characters"),
        ("", "an empty answer"),
        ("[" * 100_000, "100000 characters"),
    ],
)
def test_the_outline_of_an_answer(body: str, shown: str) -> None:
    """Lists are counted, fields are named, and for all other values only the length is shown."""
    assert outline_of(response(200, body)) == shown


def test_every_verdict_has_a_meaning() -> None:
    """Each is explained, and only what somebody must look at is a problem."""
    assert set(MEANINGS) == set(Verdict)
    assert {v for v in Verdict if v in PROBLEMS} == {Verdict.REFUSED, Verdict.FAILED}


def test_a_row_as_json() -> None:
    """A row is plain JSON; its time is in milliseconds and does not make rows differ."""
    row = ProbeResult("us1", SCOPE, "Monitors", Flow.OUT, Verdict.CONFIRMED, seconds=0.12345)
    shown = json.loads(json.dumps(row.as_dict()))
    assert (shown["seconds"], shown["verdict"], shown["status"]) == (0.123, "confirmed", None)
    assert list(shown)[:2] == ["site", "scope"]
    assert row == ProbeResult("us1", SCOPE, "Monitors", Flow.OUT, Verdict.CONFIRMED, seconds=9.0)


def test_what_is_absent_is_not_a_missing_product() -> None:
    """A search for what does not exist may get 404 on every site."""
    probe = choose_probe("code_coverage_read", granted=GRANTED, writes=Writes.NONE, now=NOW)
    assert (probe.approach, probe.flow) == (Approach.ABSENT, Flow.OUT)
    verdict, _ = judge(probe, response(404), granted=frozenset({"code_coverage_read"}))
    assert verdict is Verdict.INCONCLUSIVE
