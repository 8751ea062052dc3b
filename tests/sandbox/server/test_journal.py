"""The journal shows what a client did, with names and fingerprints, but never a secret."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.sandbox.server.journal import ENTRIES_KEPT, Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import JournalEntry, Sandbox


@pytest.fixture(params=[False, True], ids=["sockets", "in process"])
def in_process(request: pytest.FixtureRequest) -> bool:
    """Run every test of this module over sockets and in process."""
    return bool(request.param)


def entries(sandbox: Sandbox, path: str) -> list[JournalEntry]:
    """Return the entries of a path."""
    return [entry for entry in sandbox.journal if entry.path == path]


def test_the_whole_flow_is_told(partner: Partner, sandbox: Sandbox) -> None:
    """Public values are shown; state, challenge, verifier, code and secret are fingerprints."""
    before = time.time()
    tokens = partner.tokens(scope="api_keys_write")
    partner.refresh(tokens["refresh_token"])
    asked, agreed = entries(sandbox, "/oauth2/v1/authorize")
    exchanged, refreshed = entries(sandbox, "/oauth2/v1/token")
    assert before <= asked.at <= refreshed.at <= time.time()
    assert asked.values == {
        "response_type": "code",
        "client_id": sandbox.client.client_id,
        "code_challenge_method": "S256",
        "scope": "api_keys_write",
        "redirect_uri": partner.redirect_uri,
    }
    assert asked.lengths == {"state": len("the-state"), "code_challenge": 43}
    assert set(asked.query_fields) == set(partner.parameters(scope="x"))
    assert set(exchanged.fingerprints) == {"code", "code_verifier", "client_secret"}
    assert exchanged.lengths["code_verifier"] > 43
    assert exchanged.authentication == "body"
    assert exchanged.content_type == "application/x-www-form-urlencoded"
    assert exchanged.values["grant_type"] == "authorization_code"
    assert exchanged.fingerprints["client_secret"] == refreshed.fingerprints["client_secret"]
    assert asked.attempt == agreed.attempt == exchanged.attempt == refreshed.attempt
    assert exchanged.grant == refreshed.grant is not None
    assert {e.org for e in sandbox.journal} == {sandbox.orgs["us1"][0].id}
    assert {e.reason for e in sandbox.journal} == {""}
    text = json.dumps([entry.document() for entry in sandbox.journal]) + repr(sandbox.journal)
    assert not [secret for secret in sandbox.issued_secrets() if secret in text]
    assert "the-state" not in text


def test_the_same_again_shows(
    partner: Partner, make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """A value that comes twice has one mark; in another sandbox it has another one."""
    for state in ("one", "one", "two"):
        partner.ask(state=state)
    marks = [entry.fingerprints["state"] for entry in partner.sandbox.journal]
    assert marks[0] == marks[1] != marks[2]
    other = make_partner(make_sandbox())
    other.ask(state="one")
    assert other.sandbox.journal[0].fingerprints["state"] != marks[0]


def test_refusals_have_reasons(partner: Partner, sandbox: Sandbox) -> None:
    """The rule behind a refusal is named and explained in words."""
    url = f"{partner.urls['api_url']}/api/v2/oauth2/token"
    client = sandbox.client
    partner.http.post(url, data={"code": "x"}, auth=(client.client_id, client.client_secret))
    partner.exchange("made-up")
    partner.call("/api/v2/current_user", token="made-up")
    partner.ask(redirect_uri="https://evil.example/")
    partner.http.post(f"{partner.urls['app_url']}/api/v2/oauth2/token")
    partner.call("/nowhere")
    told = [(e.behaviour, e.authentication, e.reason) for e in sandbox.journal]
    assert told == [
        (
            "token-basic",
            "basic",
            "The secret was sent with HTTP Basic; Datadog's pages show it in the body.",
        ),
        ("token-code-unknown", "body", "The authorization code is unknown or has expired."),
        ("bearer-invalid", "bearer", "The access token is unknown, expired or revoked."),
        (
            "authorize-redirect-uri",
            "none",
            "The redirect_uri does not match a registered one byte for byte.",
        ),
        (
            "token-app-host",
            "none",
            "The app host has no token endpoint. Post to the API host.",
        ),
        ("unknown-path", "none", "This host serves nothing at this address."),
    ]
    basic, body = sandbox.journal[:2]
    assert basic.fingerprints["client_secret"] == body.fingerprints["client_secret"]


def test_bodies_are_named_by_their_fields(partner: Partner, sandbox: Sandbox) -> None:
    """JSON and query show names; values of the API, and names that are none, stay out."""
    token = partner.tokens()["access_token"]
    body = {"name": "secret-name", "query": "x", token: 1}
    partner.call("/api/v1/monitor?api_key=secret&page[size]=2", token=token, json=body)
    entry = sandbox.journal[-1]
    assert entry.json_fields == ("name", "query")
    assert entry.query_fields == ("api_key", "page[size]")
    assert entry.values == {}
    assert entry.authentication == "bearer"
    assert "secret" not in repr(entry)


def test_the_front_names_the_host(partner: Partner, sandbox: Sandbox) -> None:
    """The host is Datadog's if a front says so; without one, and for nonsense, it is loopback."""
    for name in ("globex-us1.datadoghq.com", "a b", ""):
        headers = {"ddoauth-front-host": name} if name else {}
        partner.call("/api/v2/current_user", headers=headers)
    local = sandbox.base_url.removeprefix("http://")
    assert [e.host for e in sandbox.journal] == ["globex-us1.datadoghq.com", "", local]


def test_secrets_in_open_fields_are_masked(partner: Partner, sandbox: Sandbox) -> None:
    """A client that mixes its fields up does not put a secret into the journal."""
    secret = sandbox.client.client_secret
    partner.ask(client_id=secret, scope=secret)
    partner.ask(scope=secret)
    text = repr(sandbox.journal)
    assert secret not in text
    assert "<masked>" in text


def test_what_looks_real_is_masked_too(partner: Partner, sandbox: Sandbox) -> None:
    """A real secret in an open field, a name or a path of a request stays out, cut or not."""
    digits = "0123456789abcdefABCDEF01"
    secrets = [
        *(f"{prefix}_{digits}" for prefix in ("ddpat", "ddsat", "ddapp")),
        *(f"a{digits}{digits}"[:size] for size in (32, 40)),
        f"pubA{digits}{digits}"[:35],
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
    ]
    for secret in secrets:
        for text in (secret, f"events_read {secret}", f"{'x ' * 990}{secret}"):
            partner.ask(client_id=text, scope=text, redirect_uri=f"https://a.example/?k={text}")
            partner.ask(scope=text)
            partner.call(f"/api/v1/monitor?{secret}=1", json={secret: 1})
        partner.call(f"/api/v2/api_keys/{secret}")
    text = repr(sandbox.journal)
    assert not [s for s in secrets if s in text or s[:31] in text]
    assert text.count("<masked>") >= 20


def test_the_newest_stay() -> None:
    """Ten thousand entries are kept, numbered without a gap, and found by number."""
    journal = Journal()
    seen: list[int] = []
    stop = journal.listen(lambda entry: seen.append(entry.number))
    for _ in range(ENTRIES_KEPT + 5):
        journal.write(at=0.0, site=None, role=None, host="", method="GET", path="/", status=200)
    stop()
    found = journal.entries()
    assert (found[0].number, found[-1].number) == (6, ENTRIES_KEPT + 5)
    assert [e.number for e in journal.entries(after=ENTRIES_KEPT + 3)] == seen[-2:]
    assert journal.entries(after=ENTRIES_KEPT + 5) == []
    journal.clear()
    journal.write(at=0.0, site=None, role=None, host="", method="GET", path="/", status=200)
    assert [e.number for e in journal.entries()] == [ENTRIES_KEPT + 6]
    assert len(seen) == ENTRIES_KEPT + 5


TOLERATED = {
    "no-pkce": {"code_challenge": None, "code_challenge_method": None},
    "plain-pkce": {"code_challenge": "p" * 50, "code_challenge_method": None},
    "any-redirect-uri": {"redirect_uri": "https://other.example/cb"},
    "comma-scopes": {"scope": "monitors_read,events_read"},
}


@pytest.mark.parametrize("name", TOLERATED)
def test_tolerance(partner: Partner, sandbox: Sandbox, name: str) -> None:
    """The switch accepts what is otherwise refused, and the journal says so."""
    changes = TOLERATED[name]
    assert partner.ask(**changes).status_code in {303, 400}, "refused, by redirect or page"
    sandbox.actions.switch(tolerate=[name])
    more = {"redirect_uri": changes["redirect_uri"]} if "redirect_uri" in changes else {}
    if name == "plain-pkce":
        more["code_verifier"] = "p" * 50
    answer = partner.exchange(partner.callback(**changes)["code"], **more)
    assert answer.status_code == 200, answer.text
    entry = next(e for e in sandbox.journal if e.tolerated)
    assert entry.tolerated == (name,)
    assert entry.reason == f"The switch {name} allows something that Datadog refuses."
    if name == "plain-pkce":
        wrong = partner.exchange(partner.callback(**changes)["code"], code_verifier="q" * 50)
        assert wrong.status_code == 400


def test_tolerance_of_tokens_at_the_app_host(partner: Partner, sandbox: Sandbox) -> None:
    """The app host answers token requests, faults included, while the switch is on."""
    sandbox.actions.switch(tolerate=["token-at-app"])
    fields = {
        "grant_type": "authorization_code",
        "client_id": sandbox.client.client_id,
        "client_secret": sandbox.client.client_secret,
        "redirect_uri": partner.redirect_uri,
        "code": partner.callback()["code"],
        "code_verifier": "a-verifier-of-the-tests-with-more-than-43-characters",
    }
    url = f"{partner.urls['app_url']}/api/v2/oauth2/token"
    sandbox.inject("server-error:1")
    assert partner.http.post(url, data=fields).status_code == 500
    assert partner.http.post(url, data=fields).status_code == 200
    assert sandbox.journal[-1].tolerated == ("token-at-app",)
    assert sandbox.journal[-1].role == "app"
