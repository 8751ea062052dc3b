"""All kinds of resources alike: samples, bad bodies, hostile ids, orgs, limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from support.direct import ask
from support.round_trips import TRIPS

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.resources import all_kinds as resources
from ddoauth_kit.sandbox.state import created_resources as kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

ADDRESSES = sorted(resources.RESOURCE_HANDLERS)
LISTINGS = [path for method, path in ADDRESSES if method == "GET" and "{" not in path]
CREATED = {
    "/api/v1/monitor": {"type": "query alert", "query": "avg(last_5m):avg:a.b{*} > 1"},
    "/api/v1/dashboard": {"title": "a", "layout_type": "free", "widgets": []},
    "/api/v1/integration/webhooks/configuration/webhooks": {
        "name": "w",
        "url": "https://a.example",
    },
}
ZERO = "00000000-0000-0000-0000-000000000000"
HOSTILE_IDS = (
    "0",
    "-1",
    "9" * 400,
    ZERO,
    "%2e%2e%2fmonitor",
    "%00",
    "%0d%0aX-Bad:1",
    "%ff%fe",
    "{0.__class__}",
    "%7B1%7D",
    "ddoauth-probe-nonexistent",
    quote("Überwachung \N{SNOWMAN}"),
    "a" * 3000,
)
BAD_BODIES: tuple[bytes, ...] = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{}",
    b'{"data": null}',
    b'{"data": []}',
    b'{"data": {}}',
    b'{"data": {"type": "\xc3\xbc", "attributes": {}}}',
    b'{"data": {"type": 1, "attributes": []}}',
    b'{"data": {"type": "case", "attributes": null, "relationships": 3}}',
    b'{"name": NaN}',
    b'{"name": 1e999}',
    b'{"name": "\\ud800"}',
    b"\xff\xfe",
    b'{"public_ids": [{}], "new_status": [], "type": {}, "query": [], "title": {}}',
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 200 + b"1" + b"}" * 200,
)
HARMLESS = (
    *(body for body in BAD_BODIES if body[:7] == b'{"data"'),
    b"{}",
    b'{"name": "\\ud800"}',
)


@pytest.fixture
def token(partner: Partner) -> str:
    """Give a token that may do everything."""
    value: str = partner.tokens()["access_token"]
    return value


def snapshot(partner: Partner, token: str) -> dict[str, Any]:
    """Return what each listing shows."""
    return {path: partner.call(path, token=token).json() for path in LISTINGS}


def test_every_address_is_in_the_catalogue() -> None:
    """Every handler serves an operation in the spec."""
    assert set(ADDRESSES) <= {(o.method, o.path) for o in catalogue().operations}


@pytest.mark.behaviour("resource-samples")
def test_listings_have_samples(
    partner: Partner,
    token: str,
    make_sandbox: Callable[..., Sandbox],
    make_partner: Callable[..., Partner],
) -> None:
    """Each listing has an item in a fresh org, and the same in every sandbox of a seed."""
    here = snapshot(partner, token)
    there = make_partner(make_sandbox())
    assert snapshot(there, there.tokens()["access_token"]) == here
    for path, body in here.items():
        shown = body if isinstance(body, list) else next(v for v in body.values() if v)
        assert shown, path


@pytest.mark.behaviour("resource-invalid")
def test_bad_bodies_are_refused(partner: Partner, token: str) -> None:
    """A body without sense gets 400 or 404, or an action that needs none; nothing breaks."""
    for method, path in ADDRESSES:
        if method not in {"POST", "PUT", "PATCH"}:
            continue
        concrete = path.replace("{public_id}", "a").replace("{", "").replace("}", "")
        for body in BAD_BODIES:
            answer = ask(partner.sandbox, method, concrete, token=token, body=body)
            assert answer.status in {400, 404}, (method, path, body, answer.text)
            assert answer.body["errors"], (method, path, body)


def test_bad_changes_leave_everything(partner: Partner, token: str) -> None:
    """Sent to samples that exist, a body without sense changes none of their fields."""
    before = snapshot(partner, token)
    found = {
        "/api/v1/monitor": str(before["/api/v1/monitor"][0]["id"]),
        "/api/v1/dashboard": before["/api/v1/dashboard"]["dashboards"][0]["id"],
        "/api/v2/incidents": before["/api/v2/incidents"]["data"][0]["id"],
        "/api/v2/downtime": before["/api/v2/downtime"]["data"][0]["id"],
    }
    for path, wanted in found.items():
        method = "PUT" if path.startswith("/api/v1") else "PATCH"
        for body in BAD_BODIES:
            answer = partner.call(f"{path}/{wanted}", token=token, method=method, content=body)
            # A monitor may be changed in nothing, and named in any script.
            harmless = path == "/api/v1/monitor" and body in HARMLESS
            assert answer.status_code == (200 if harmless else 400), (path, body)
    after = snapshot(partner, token)
    assert after.pop("/api/v1/monitor")[1:] == before.pop("/api/v1/monitor")[1:]
    assert after == before


@pytest.fixture(scope="module")
def untouched(shared: Partner) -> tuple[str, dict[str, Any]]:
    """Give a token of the module's partner, and what each listing showed first."""
    token = shared.tokens()["access_token"]
    return token, snapshot(shared, token)


@pytest.mark.parametrize("wanted", HOSTILE_IDS, ids=lambda text: text[:20])
def test_hostile_ids_are_unknown(
    shared: Partner, untouched: tuple[str, dict[str, Any]], wanted: str
) -> None:
    """An id of any spelling that was never given out gets 404, on every address."""
    token, before = untouched
    for method, path in ADDRESSES:
        if "{" not in path:
            continue
        concrete = path[: path.index("{")] + wanted + path[path.index("}") + 1 :]
        options = {} if method in {"GET", "DELETE"} else {"json": {}}
        answer = shared.call(concrete, token=token, method=method, **options)
        assert answer.status_code == 404, (method, concrete, answer.text)
        assert "bug" not in answer.text
    assert snapshot(shared, token) == before


def test_text_of_any_script_comes_back(partner: Partner, token: str) -> None:
    """Names are kept as they were sent."""
    title = "Überwachung \N{SNOWMAN} \N{ROCKET}"
    body = {"type": "query alert", "query": "avg(last_5m):avg:a.b{*} > 1", "name": title}
    made = partner.call("/api/v1/monitor", token=token, json=body).json()
    read = partner.call(f"/api/v1/monitor/{made['id']}", token=token).json()
    assert read["name"] == title


def test_large_bodies_are_refused(partner: Partner, token: str) -> None:
    """The API's size limit also applies to resources, compressed or not."""
    body = json.dumps({**CREATED["/api/v1/monitor"], "message": "a" * (5 * 1024 * 1024)}).encode()
    answer = partner.call("/api/v1/monitor", token=token, content=body)
    assert answer.status_code == 413


@pytest.mark.behaviour("resource-kept")
def test_orgs_and_sites_stand_apart(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner], token: str
) -> None:
    """An org's objects are not found by another org or on another site."""
    others = [
        (partner, partner.tokens(dd_oid=sandbox.orgs["us1"][1].id)["access_token"]),
        (make_partner(sandbox, "eu1"),),
    ]
    others[1] = (others[1][0], others[1][0].tokens()["access_token"])
    for path, body in CREATED.items():
        made = partner.call(path, token=token, json=body).json()
        wanted = made.get("id", made["name"] if "url" in made and "id" not in made else None)
        assert partner.call(f"{path}/{wanted}", token=token).status_code == 200
        for stranger, strange in others:
            assert stranger.call(f"{path}/{wanted}", token=strange).status_code == 404
            gone = stranger.call(f"{path}/{wanted}", token=strange, method="DELETE")
            assert gone.status_code == 404
        assert partner.call(f"{path}/{wanted}", token=token).status_code == 200


def test_uninstalling_keeps_resources(partner: Partner, sandbox: Sandbox, token: str) -> None:
    """The customer keeps an app's objects after the app is uninstalled."""
    made = partner.call("/api/v1/monitor", token=token, json=CREATED["/api/v1/monitor"]).json()
    sandbox.uninstall(partner.client, site="us1")
    assert partner.call(f"/api/v1/monitor/{made['id']}", token=token).status_code == 401
    again = partner.tokens()["access_token"]
    assert partner.call(f"/api/v1/monitor/{made['id']}", token=again).json() == made


@pytest.mark.behaviour("resource-guard")
@pytest.mark.parametrize("profile", ["datadog", "validate-first"])
def test_refused_writes_change_nothing(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner], profile: str
) -> None:
    """Whether scopes or content are checked first, a good body without the scope does nothing."""
    partner = make_partner(make_sandbox(profile=profile))
    token = partner.tokens()["access_token"]
    reads = " ".join(s for s in partner.client.scopes if s not in {t.scope for t in TRIPS})
    narrow = partner.tokens(scope=reads.replace("monitors_draft_write", ""))["access_token"]
    before = snapshot(partner, token)
    unlisted = {"/api/v1/dashboard": before["/api/v1/dashboard"]["dashboards"][0]["id"]}
    for path, body in CREATED.items():
        answer = partner.call(path, token=narrow, json=body)
        assert answer.status_code == 403, path
    listed = "/api/v1/dashboard", unlisted["/api/v1/dashboard"]
    ways: list[dict[str, Any]] = [
        {"method": "DELETE"},
        {"method": "PUT", "json": CREATED["/api/v1/dashboard"]},
    ]
    for way in ways:
        assert partner.call("/".join(listed), token=narrow, **way).status_code == 403
    both = {"data": [{"id": listed[1], "type": "dashboard"}]}
    bulk = partner.call(listed[0], token=narrow, method="DELETE", json=both)
    assert bulk.status_code == 403
    tests = before["/api/v1/synthetics/tests"]["tests"]
    ids = {"public_ids": [tests[0]["public_id"]]}
    assert (
        partner.call("/api/v1/synthetics/tests/delete", token=narrow, json=ids).status_code == 403
    )
    project = before["/api/v2/cases/projects"]["data"][0]["id"]
    answer = partner.call(f"/api/v2/cases/projects/{project}", token=narrow, method="DELETE")
    assert answer.status_code == 403
    bad = partner.call("/api/v1/monitor", token=narrow, json={"type": "query alert"})
    assert bad.status_code == (400 if profile == "validate-first" else 403)
    assert snapshot(partner, token) == before


@pytest.mark.behaviour("resource-bound")
def test_the_newest_thousand_stay(
    partner: Partner, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than fits pushes the oldest out."""
    monkeypatch.setattr(kept, "ITEMS_KEPT", 3)
    made = [
        partner.call("/api/v1/monitor", token=token, json=CREATED["/api/v1/monitor"]).json()
        for _ in range(4)
    ]
    listed = partner.call("/api/v1/monitor", token=token).json()
    assert listed == made[1:]


def test_pages_follow_each_other(partner: Partner, token: str) -> None:
    """A listing is cut where the query says, and a size that is not a number is refused."""
    for _ in range(3):
        partner.call("/api/v1/monitor", token=token, json=CREATED["/api/v1/monitor"])
    everything = partner.call("/api/v1/monitor", token=token).json()
    pages = [
        partner.call("/api/v1/monitor", token=token, params={"page": n, "page_size": 2}).json()
        for n in range(4)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [monitor for page in pages for monitor in page] == everything
    for query in ({"page_size": "0"}, {"page_size": "x"}, {"page": "-1"}, {"page": "9" * 30}):
        assert partner.call("/api/v1/monitor", token=token, params=query).status_code == 400


@pytest.mark.parametrize("fault", ["cut-off", "malformed-json", "empty-body"])
def test_faults_wait_for_an_answer_with_content(
    partner: Partner, sandbox: Sandbox, token: str, fault: str
) -> None:
    """A response without content has nothing to damage, so the fault affects the next one."""
    wanted = partner.call("/api/v2/team", token=token).json()["data"][0]["id"]
    sandbox.inject(f"{fault}:1")
    gone = partner.call(f"/api/v2/team/{wanted}", token=token, method="DELETE")
    assert (gone.status_code, gone.content) == (204, b"")
    assert "content-length" not in gone.headers
    assert sandbox._twin.faults.strikes(fault)
