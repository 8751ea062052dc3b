"""One scope is tried with one call, compared if necessary, and results in a row."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import ACCESS_TOKEN, API_KEY, NOW, kept_grant, tokens
from support.loopback import Answer, RecordingServer, refused_site

from ddoauth_kit import Secret
from ddoauth_kit.api.api_keys import ApiKey
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import Flow, Writes
from ddoauth_kit.probing.probe_choice import choose_probe
from ddoauth_kit.probing.probe_report import Baseline
from ddoauth_kit.probing.prober import Prober, ProbeTarget, failed
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.scopes import GrantedScopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import Arrived

    from ddoauth_kit import Site, TokenSet
    from ddoauth_kit.probing.verdict import ProbeResult

    Serve = Callable[..., RecordingServer]

LISTED = "synthetics_global_variable_read"
BESIDE = "apm_api_catalog_read"
VARIABLES = "/api/v1/synthetics/variables"
FORBIDDEN = Answer('{"errors": ["Forbidden"]}', 403)
MISSING = Answer('{"errors": ["Not found"]}', 404)


def _grant(site: Site, *scopes: str, token: str = ACCESS_TOKEN) -> TokenSet:
    secret = Secret(token, label="access_token")
    held = GrantedScopes(requested=scopes, granted=scopes)
    return tokens(site=site, scopes=held, access_token=secret)


def _try(
    site: Site,
    scope: str,
    *,
    granted: tuple[str, ...] = (),
    writes: Writes = Writes.HARMLESS,
    dead: str = "",
    **target: Any,
) -> ProbeResult:
    """Try a scope with a token that has it, or with the given scopes."""

    async def run() -> ProbeResult:
        grant = kept_grant(_grant(site, *(granted or (scope,))))
        async with AsyncHttp() as http:
            aim = ProbeTarget(site=site, scopes=(scope,), grant=grant, **target)
            baseline = Baseline(site.name, alive=not dead, status=None, evidence=dead)
            prober = Prober(http, aim, grant=grant, baseline=baseline, writes=writes, now=NOW)
            return await prober.try_scope(scope)

    return asyncio.run(run())


def test_a_read_is_confirmed_by_what_it_returns(serve: Serve) -> None:
    """The row names operation, status and counts; the token was the header."""
    server = serve(Answer('[{"id": 1, "name": "canary"}]'))
    row = _try(server.site, "monitors_read")
    assert (row.site, row.scope, row.area) == ("lab1", "monitors_read", "Monitors")
    assert (row.method, row.path, row.status) == ("GET", "/api/v1/monitor", 200)
    assert (row.verdict, row.evidence) == (Verdict.CONFIRMED, "items (id, name)")
    assert row.seconds > 0
    assert server.arrived[0].headers["authorization"] == f"Bearer {ACCESS_TOKEN}"


def _by_token(answers: dict[str, Answer]) -> Callable[[Arrived], Answer]:
    return lambda arrived: answers[arrived.headers["authorization"].removeprefix("Bearer ")]


def _compared(serve: Serve, other: Answer) -> tuple[ProbeResult, list[Arrived]]:
    """Try a harmless write that gets 404, and compare with a token that gets another response."""
    server = serve(respond=_by_token({ACCESS_TOKEN: MISSING, "less": other}))
    contrast = _grant(server.site, "events_read", token="less")
    return _try(server.site, "slos_write", contrasts=(contrast,)), server.arrived


def test_a_write_is_compared_with_the_same_call_without_the_scope(serve: Serve) -> None:
    """Refused there and accepted here: the scope made the difference."""
    row, (first, second) = _compared(serve, FORBIDDEN)
    assert (row.verdict, row.status) == (Verdict.LET_THROUGH, 404)
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    assert (row.method, row.path) == ("DELETE", "/api/v1/slo/{slo_id}")
    assert "without the scope: 403" in row.evidence


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (MISSING, "before it checks scopes"),
        (Answer(), "before it checks scopes"),
        (Answer("", 401), "nothing to compare with"),
        (Answer("", 500), "nothing to compare with"),
    ],
)
def test_any_other_comparison_leaves_it_open(serve: Serve, other: Answer, words: str) -> None:
    """Only a refusal for lack of the scope shows that the scope is checked."""
    row, _ = _compared(serve, other)
    assert row.verdict is Verdict.INCONCLUSIVE
    assert words in row.evidence


def test_a_comparison_that_breaks_off_leaves_it_open(serve: Serve) -> None:
    """The probe's own response counts, even if the other call got none."""
    server = serve(MISSING)
    contrast = _grant(refused_site(), "events_read")
    row = _try(server.site, "slos_write", contrasts=(contrast,))
    assert (row.verdict, row.status) == (Verdict.INCONCLUSIVE, 404)
    assert "without the scope failed: " in row.evidence


def test_without_a_token_to_compare_it_is_open(serve: Serve) -> None:
    """No contrast is used if it is missing or has the scope or an alternative."""
    server = serve(MISSING)
    scope = "synthetics_global_variable_read"
    for held in ((), (scope,), (BESIDE,)):
        contrasts = (_grant(server.site, *held),) if held else ()
        row = _try(server.site, scope, contrasts=contrasts)
        assert row.verdict in {Verdict.INCONCLUSIVE, Verdict.NOT_ON_SITE}
    row = _try(server.site, "slos_write", contrasts=(_grant(server.site, "slos_write"),))
    assert "no token without the scope" in row.evidence
    assert len(server.arrived) == 4


@pytest.mark.parametrize(
    ("status", "text", "verdict"),
    [
        (403, '{"errors": ["Forbidden"]}', Verdict.REFUSED),
        (404, '{"errors": ["Not found"]}', Verdict.NOT_ON_SITE),
        (429, "", Verdict.RATE_LIMITED),
        (500, "", Verdict.FAILED),
        (302, "", Verdict.FAILED),
    ],
)
def test_answers_that_need_no_comparison(
    serve: Serve, status: int, text: str, verdict: Verdict
) -> None:
    """If the response is clear, nothing more is sent."""
    headers = (("x-ratelimit-reset", "99"),)
    server = serve(Answer(text, status, headers))
    contrast = _grant(server.site, "events_read")
    assert _try(server.site, "monitors_read", contrasts=(contrast,)).verdict is verdict
    assert len(server.arrived) == 1


def _listing(serve: Serve, listed: object, *, status: int = 200) -> tuple[ProbeResult, list[str]]:
    """Try a scope whose id comes from a listing, and return the requests."""

    def respond(arrived: Arrived) -> Answer:
        if arrived.target == VARIABLES:
            return Answer(listed if isinstance(listed, str) else json.dumps(listed), status)
        return Answer() if arrived.target == f"{VARIABLES}/good-1" else MISSING

    server = serve(respond=respond)
    row = _try(server.site, LISTED, granted=(LISTED, BESIDE))
    return row, [arrived.target for arrived in server.arrived]


@pytest.mark.parametrize(
    "listed",
    [
        {"variables": [{"id": "good-1"}]},
        {"data": [{"id": "good-1", "type": "v"}], "included": [{"id": "other"}]},
        {"included": [], "meta": {}, "items": [{"variable_id": "good-1"}]},
        [{"variable": "good-1"}, {"variable": "other"}],
    ],
)
def test_an_id_is_taken_from_a_listing(serve: Serve, listed: object) -> None:
    """The first item's id is in the path, but the row shows only the template."""
    row, asked = _listing(serve, listed)
    assert asked == [VARIABLES, f"{VARIABLES}/good-1"]
    assert (row.verdict, row.path) == (Verdict.CONFIRMED, f"{VARIABLES}/{{variable_id}}")
    assert "good-1" not in repr(row)


@pytest.mark.parametrize(
    "value",
    [
        *["../../v2/team", "a/b", "a?b", "a#b", "a%2Fb", "..", ".", "", "a b", "é", "a\n"],
        *["x" * 201, True, None, 1.5, ["a"], {"id": "a"}],
    ],
)
def test_an_id_that_is_none_is_not_used(serve: Serve, value: object) -> None:
    """Anything that could lead elsewhere is left out: the call names a missing object."""
    row, asked = _listing(serve, {"data": [{"id": value}]})
    assert asked == [VARIABLES, f"{VARIABLES}/ddoauth-probe-nonexistent"]
    assert row.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        ({"data": []}, 200),
        ({"data": [], "included": [{"id": "good-1"}]}, 200),
        ({"data": {"id": "good-1"}}, 200),
        ({"data": [["good-1"]]}, 200),
        ("[" * 100_000, 200),
        ("no JSON", 200),
        ('"text"', 200),
        ({"data": [{"id": "good-1"}]}, 403),
    ],
)
def test_a_listing_of_nothing(serve: Serve, listed: object, status: int) -> None:
    """Without an item the call aims at what does not exist, and a 404 is then no missing site."""
    row, asked = _listing(serve, listed, status=status)
    assert asked[1:] == [f"{VARIABLES}/ddoauth-probe-nonexistent"]
    assert (row.verdict, row.status) == (Verdict.INCONCLUSIVE, 404)


def test_an_item_that_is_gone_is_no_missing_site(serve: Serve) -> None:
    """A listed thing may be deleted meanwhile, or its id be another kind: 404 leaves it open."""
    row, _ = _listing(serve, {"data": [{"id": "gone"}]})
    assert row.verdict is Verdict.INCONCLUSIVE


def test_no_answer_is_a_row() -> None:
    """An unreachable site gets a row that says so."""
    row = _try(refused_site(), "monitors_read")
    assert (row.verdict, row.status) == (Verdict.FAILED, None)
    assert "did not reach" in row.evidence
    assert row.path == "/api/v1/monitor"


def test_a_dead_token_sends_nothing(serve: Serve) -> None:
    """Not even with the API key, which would be another credential's verdict."""
    server = serve()
    key = ApiKey(Secret(API_KEY, label="api_key"), "k", "key", server.site)
    for scope in ("monitors_read", "api_keys_write", "slos_write"):
        row = _try(server.site, scope, dead="It is dead.", api_key=key)
        assert (row.verdict, row.evidence) == (Verdict.FAILED, "It is dead.")
    for scope in ("coterm_read", "slos_write"):
        row = _try(server.site, scope, dead="It is dead.", writes=Writes.NONE)
        assert row.verdict in {Verdict.NO_OPERATION, Verdict.NOT_TRIED}
    assert server.arrived == []


def test_what_is_not_sent_says_why(serve: Serve) -> None:
    """The scope has no operation, or only writes, which were not requested."""
    server = serve()
    none = _try(server.site, "coterm_read")
    assert (none.verdict, none.status, none.method) == (Verdict.NO_OPERATION, None, "")
    held = _try(server.site, "slos_write", writes=Writes.NONE)
    assert (held.verdict, held.evidence) == (
        Verdict.NOT_TRIED,
        "Only a write can test this scope, and you did not ask for writes.",
    )
    keyless = _try(server.site, "api_keys_write")
    assert keyless.verdict is Verdict.NOT_TRIED
    assert "Lesson 04" in keyless.evidence
    assert server.arrived == []


def test_another_scope_that_explains_it_is_in_the_row(serve: Serve) -> None:
    """The row names which other granted scope would open the same call."""
    server = serve(Answer('{"data": []}'))
    row = _try(
        server.site, "monitors_draft_write", granted=("monitors_draft_write", "monitors_write")
    )
    assert row.explained_by == ("monitors_write",)
    assert row.verdict is Verdict.INCONCLUSIVE


def test_a_scope_that_could_not_be_tried(serve: Serve) -> None:
    """Every scope has an area and a flow, even if nothing was sent."""
    site = serve().site
    for scope in (*catalogue().scopes, "no_such_scope"):
        row = failed(scope, site=site, evidence="no token")
        assert (row.verdict, row.evidence, row.site) == (Verdict.FAILED, "no token", "lab1")
        assert row.area
        assert row.flow in Flow


def test_a_contrast_has_nothing_of_the_call() -> None:
    """It lacks the scope, and no alternative of it is granted whole."""
    site = tokens().site
    probe = choose_probe(LISTED, granted=frozenset({LISTED}), writes=Writes.NONE, now=NOW)
    holds, other, plain = (_grant(site, scope) for scope in (LISTED, BESIDE, "events_read"))
    target = ProbeTarget(site=site, scopes=(), grant=None, contrasts=(holds, other, plain))
    assert target.contrast_for(probe) is plain
    assert replace(target, contrasts=(holds, other)).contrast_for(probe) is None
