"""The advice names the fewest sufficient scopes, and those that are not needed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from support.probed import Probed

from ddoauth_kit import Http
from ddoauth_kit.errors import InputError
from ddoauth_kit.exchange import Exchange, Facts
from ddoauth_kit.oauth.tokens import monitor_list_request
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.scopes import GrantedScopes
from ddoauth_kit.workbook.lab.queries import event_list_request
from ddoauth_kit.workbook.lab.scope_advice import (
    Call,
    calls_of,
    missing_scopes,
    read_call,
    scope_use,
    smallest_scopes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EITHER = "GET /api/v2/domain_allowlist"  # org_management, or monitors_write
DRAFTS = "DELETE /api/v1/monitor/{monitor_id}"  # monitors_write, or monitors_draft_write
COSTS = "GET /api/v2/usage/estimated_cost"  # billing_read and usage_read
VARIABLES = "GET /api/v1/synthetics/variables"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve all nine sites."""
    with Sandbox() as serving:
        yield serving


def _exchange(call: str, status: int = 200) -> Exchange:
    method, path = call.split()
    url = f"https://api.datadoghq.com{path}?a=b"
    facts = Facts(path=path)
    return Exchange(purpose="call", method=method, url=url, status=status, facts=facts)


def _scopes(*calls: str) -> tuple[str, ...]:
    return smallest_scopes(calls).scopes


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("GET /api/v1/monitor", Call("GET", "/api/v1/monitor")),
        ("  get\t/api/v1/monitor?x=1#y \n", Call("GET", "/api/v1/monitor")),
        ("Post https://api.datadoghq.eu/api/v1/monitor", Call("POST", "/api/v1/monitor")),
        ("GET /api/v1/monitor HTTP/1.1", Call("GET", "/api/v1/monitor")),
    ],
)
def test_a_call_is_read_as_it_is_typed(text: str, call: Call) -> None:
    """Method and path, in any case, with a host, a query or a protocol."""
    assert read_call(text) == call
    assert str(call) == f"{call.method} {call.path}"


@pytest.mark.parametrize(
    "text",
    ["", " ", "GET", "/api/v1/monitor", "GET api/v1/monitor", "G3T /a", "GET https://[x", "É /a"],
)
def test_what_is_no_call(text: str) -> None:
    """It is refused with an example of one."""
    with pytest.raises(InputError) as caught:
        read_call(text)
    assert caught.value.code == "unknown_call"
    assert "such as GET /api/v1/monitor" in caught.value.what


def test_each_call_says_what_it_needs() -> None:
    """Scopes, the API key, nothing, a permission, or that nobody knows."""
    needs = smallest_scopes(
        [
            "GET /api/v1/monitor/1",
            "POST /api/v2/series",
            "GET /api/v2/current_user",
            "GET /api/v2/logs/config/archives",
            "GET /api/v9/nothing",
        ]
    )
    assert needs.scopes == ("api_keys_write", "monitors_read")
    monitor, series, user, archives, nothing = needs.calls
    assert (monitor.scopes, monitor.note) == (frozenset({"monitors_read"}), "")
    assert series.note == "needs the API key, and creating it needs api_keys_write"
    assert (user.scopes, user.note) == (frozenset(), "needs no scope")
    assert archives.note == "names no scope; permissions: logs_read_archives"
    assert (nothing.operation, nothing.note) == (None, "not in the catalogue")


def test_no_calls_need_no_scopes() -> None:
    """An empty list is not an error."""
    assert smallest_scopes([]).scopes == ()
    assert smallest_scopes([]).calls == ()


def test_alternatives_are_shared() -> None:
    """A scope that one call needs anyway opens the others that it can."""
    assert _scopes(DRAFTS, EITHER) == ("monitors_write",)
    assert _scopes(EITHER, VARIABLES, "GET /api/v2/apicatalog/api") == (
        "apm_api_catalog_read",
        "org_management",
    )
    assert _scopes(COSTS, "GET /api/v1/monitor") == ("billing_read", "monitors_read", "usage_read")


def test_ties_go_by_the_order_of_the_spec() -> None:
    """Of two scopes that would do the one is taken that the spec names first."""
    operation = catalogue().find(*EITHER.split())
    assert operation
    assert _scopes(EITHER) == tuple(operation.scope_sets[0])


def test_the_order_of_calls_makes_no_difference() -> None:
    """Nor does what they are called with twice."""
    calls = [EITHER, DRAFTS, VARIABLES, COSTS, "GET /api/v1/dashboard/public/x"]
    shuffled = random.Random(1)
    expected = _scopes(*calls)
    for _ in range(20):
        shuffled.shuffle(calls)
        assert _scopes(*calls, calls[0]) == expected


def test_the_order_of_a_hash_makes_no_difference() -> None:
    """Two processes with other seeds for their hashes give the same advice."""
    code = (
        "from ddoauth_kit.workbook.lab.scope_advice import *\n"
        "from ddoauth_kit.probing.catalogue import *\n"
        "many = [Call(o.method, o.path) for o in catalogue().operations if len(o.scope_sets) > 1]\n"
        "needs = smallest_scopes(many)\n"
        "print(needs.scopes, [sorted(call.scopes) for call in needs.calls])"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1


def test_no_smaller_set_would_do() -> None:
    """Trying every smaller set by hand finds none, for a hundred lists of calls."""
    among = random.Random(2)
    many = [o for o in catalogue().operations if len(o.scope_sets) > 1]
    one = [o for o in catalogue().operations if len(o.scope_sets) == 1]
    for _ in range(100):
        calls = among.sample(many, 4) + among.sample(one, 2)
        found = smallest_scopes([Call(o.method, o.path) for o in calls]).scopes
        named = sorted(set().union(*(names for o in calls for names in o.scope_sets)))
        for size in range(len(found)):
            for chosen in map(frozenset, combinations(named, size)):
                assert not all(o.is_open_to(chosen) for o in calls if o.scope_sets)
        held = frozenset(found)
        assert all(o.is_open_to(held) for o in calls if o.scope_sets)


def test_all_operations_at_once() -> None:
    """The whole spec takes less than a second of the processor, and every call gets a way in."""
    calls = [Call(o.method, o.path) for o in catalogue().operations]
    started = time.thread_time()
    needs = smallest_scopes(calls)
    assert time.thread_time() - started < 1.0
    assert len(needs.calls) == len(calls) == 1891
    held = frozenset(needs.scopes)
    assert all(
        need.operation.is_open_to(need.scopes)
        for need in needs.calls
        if need.scopes - {"api_keys_write"}
    )
    assert held == frozenset().union(*(need.scopes for need in needs.calls))


def test_the_calls_of_a_transcript() -> None:
    """Each success once, in order; refusals and OAuth's own requests are left out."""
    calls = calls_of(
        [
            _exchange("POST /api/v2/oauth2/token"),
            _exchange("GET /api/v1/monitor"),
            _exchange("GET /api/v1/dashboard", 403),
            _exchange("GET /api/v1/monitor"),
            _exchange("POST /api/v2/series", 202),
        ]
    )
    assert calls == (Call("GET", "/api/v1/monitor"), Call("POST", "/api/v2/series"))


def test_what_was_granted_and_not_used() -> None:
    """Requested, granted, used: what is missing and what is in vain, in the order they came."""
    scopes = GrantedScopes(
        requested=("events_read", "monitors_read", "teams_read"),
        granted=("monitors_read", "events_read", "api_keys_write"),
    )
    use = scope_use(
        scopes, exchanges=[_exchange("GET /api/v1/monitor"), _exchange("GET /api/v9/x")]
    )
    assert use.not_granted == ("teams_read",)
    assert use.used == ("monitors_read",)
    assert use.not_used == ("events_read", "api_keys_write")


def test_of_two_scopes_that_would_do_the_needed_one_is_used() -> None:
    """A scope counts as unused if another required scope opens all its calls."""
    held = ("org_management", "monitors_write")
    scopes = GrantedScopes(requested=held, granted=held)
    use = scope_use(scopes, exchanges=[_exchange(EITHER), _exchange("POST /api/v1/monitor")])
    assert use.used == ("monitors_write",)
    assert use.not_used == ("org_management",)


def test_a_scope_that_is_not_granted_was_not_used() -> None:
    """A call that succeeded without any granted way in used none."""
    scopes = GrantedScopes(requested=(), granted=("events_read",))
    assert scope_use(scopes, exchanges=[_exchange("GET /api/v1/monitor")]).used == ()


def test_a_real_session(sandbox: Sandbox) -> None:
    """Of all scopes that a demo is granted, a session used what its calls need."""
    with Http(keep_answers=True) as http:
        scene = Probed(sandbox, http)
        tokens = scene.grant()
        scene.whoami(tokens)
        scene.key(tokens)
        http.send(monitor_list_request(tokens))
        http.send(event_list_request(tokens, tags=(), start=0, end=1))
        use = scope_use(tokens.scopes, exchanges=http.transcript)
        needs = smallest_scopes(calls_of(http.transcript))
    assert set(use.used) == {"api_keys_write", "events_read", "monitors_read"}
    assert needs.scopes == ("api_keys_write", "events_read", "monitors_read")
    assert use.not_granted == ()
    assert len(use.not_used) == len(tokens.scopes.granted) - 3


def test_which_scope_a_refused_call_was_missing() -> None:
    """One set for each way in, smallest first, without what is granted."""
    assert missing_scopes(COSTS, granted=["usage_read"]) == (frozenset({"billing_read"}),)
    assert missing_scopes(EITHER, granted=[]) == (
        frozenset({"org_management"}),
        frozenset({"monitors_write"}),
    )
    assert missing_scopes(Call("POST", "/api/v2/series"), granted=[]) == (
        frozenset({"api_keys_write"}),
    )


@pytest.mark.parametrize(
    ("call", "granted"),
    [
        (EITHER, ["monitors_write"]),
        ("GET /api/v2/current_user", []),
        ("GET /api/v9/nothing", []),
        ("POST /api/v2/series", ["api_keys_write"]),
    ],
)
def test_where_it_is_not_the_scopes(call: str, granted: list[str]) -> None:
    """If the granted scopes are enough, or the call is unknown, no scope is reported missing."""
    assert missing_scopes(call, granted=granted) == ()
