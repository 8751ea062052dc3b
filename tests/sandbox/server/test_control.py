"""Programs with the key share a sandbox, each with its own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.loopback import PLAIN

from ddoauth_kit.sandbox.server.control import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

KEY = "the key of these tests"
FILE = {"integration": {"name": "a", "redirect_uris": ["https://a.example/cb"], "scopes": ["s"]}}


@pytest.fixture
def shared(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Give a sandbox that can be joined."""
    return make_sandbox(control_key=KEY)


def ask(sandbox: Sandbox, *, key: str = KEY, **question: Any) -> httpx.Response:
    """Post one control request."""
    headers = {"x-sandbox-key": key}
    return httpx.post(f"{sandbox.base_url}/control", json=question, headers=headers, **PLAIN)


@pytest.mark.behaviour("control-key")
def test_only_the_key_opens(shared: Sandbox, sandbox: Sandbox) -> None:
    """Another key, none, another method and a sandbox without one all look like no such page."""
    assert ask(shared, do="join", scopes=["events_read"]).status_code == 200
    assert ask(shared, key="guess", do="join").status_code == 404
    assert ask(shared, key="", do="join").status_code == 404
    assert ask(sandbox, do="join").status_code == 404
    assert ask(sandbox, key="", do="join").status_code == 404
    assert not [entry for entry in shared.journal if KEY in repr(entry)]


def test_each_joins_with_its_own_client(
    shared: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """Two programs have different ids, secrets and names; both go through the flow."""
    one = ask(shared, do="join", scopes=["api_keys_write"]).json()["client"]
    two = ask(shared, do="join", client=FILE).json()["client"]
    assert one["client_id"] != two["client_id"]
    assert one["client_secret"] != two["client_secret"]
    assert (one["name"], two["name"]) == ("Sandbox Integration, kernel 1", "a, kernel 2")
    client = shared._twin.clients.registered(one["client_id"])
    partner = make_partner(shared, client=client)
    assert partner.tokens()["scope"] == "api_keys_write"


def test_only_the_owner_moves_a_client(shared: Sandbox) -> None:
    """Only a program with the client's secret can add an address; other clients are unchanged."""
    client = ask(shared, do="join").json()["client"]
    urls = {
        "redirect_uri": "https://hub.example/user/abc/proxy/2/cb",
        "onboarding_url": "https://hub.example/user/abc/proxy/2/on",
        "public_url": "https://hub.example/user/abc/proxy/1",
    }
    known = {"client_id": client["client_id"]}
    refused = ask(shared, do="address", **known, client_secret="guess", **urls)
    assert refused.status_code == 400
    assert "another program" in refused.text
    assert (
        ask(shared, do="address", **known, client_secret=client["client_secret"], **urls).json()
        == {}
    )
    found = shared._twin.clients.registered(client["client_id"])
    assert found.redirect_uris[-1] == urls["redirect_uri"]
    assert found.onboarding_url == urls["onboarding_url"]
    page = httpx.get(shared.base_url, headers={"host": "hub.example"}, **PLAIN)
    assert page.status_code == 200


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"do": "advance"},
        {"do": ["join"]},
        {"do": "address", "client_id": "nobody"},
        {"do": "join", "client": {}},
        {"do": "join", "client": 7},
    ],
)
def test_strange_questions(shared: Sandbox, question: dict[str, Any]) -> None:
    """Anything that is not a control request gets 400 with a sentence, and changes nothing."""
    answer = ask(shared, **question)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]


@pytest.mark.behaviour("control-proof")
@pytest.mark.checklist("S10")
def test_it_proves_that_it_knows_the_key(shared: Sandbox, sandbox: Sandbox) -> None:
    """Only the key gives the right reply to a nonce; a sandbox without a key has no reply."""
    found = set()
    for nonce in ("0" * 32, "f" * 64):
        answer = _challenge(shared, nonce)
        assert answer.json() == {"proof": made(KEY, f"sandbox {nonce}")}
        found.add(answer.text)
    assert len(found) == 2
    assert KEY not in "".join(found)
    assert _challenge(sandbox, "0" * 32).status_code == 404
    for nonce in ("", "0" * 31, "x" * 32, "0" * 129, "0" * 32 + "\t1"):
        assert _challenge(shared, nonce).status_code == 400


def _challenge(sandbox: Sandbox, nonce: str) -> httpx.Response:
    headers = {"x-sandbox-nonce": nonce}
    return httpx.post(f"{sandbox.base_url}/control", headers=headers, **PLAIN)


@pytest.mark.behaviour("control-proof")
@pytest.mark.checklist("S10")
def test_an_answer_opens_once(shared: Sandbox) -> None:
    """A proof made from the key works once, for a requested number, and is not the key itself."""
    nonce = "a" * 64
    answer = made(KEY, f"kernel {nonce}")

    def join(key: str, nonce: str) -> int:
        headers = {"x-sandbox-key": key, "x-sandbox-nonce": nonce}
        url = f"{shared.base_url}/control"
        return httpx.post(url, json={"do": "join"}, headers=headers, **PLAIN).status_code

    def refused(key: str, nonce: str) -> bool:
        """Check that nothing was joined: the number gets the same reply as any other."""
        before = shared._dispatcher._control._joined  # type: ignore[union-attr]
        join(key, nonce)
        return shared._dispatcher._control._joined == before  # type: ignore[union-attr]

    assert refused(answer, "b" * 64), "nobody asked for it"
    assert refused(made(KEY, f"sandbox {nonce}"), nonce), "the sandbox's own proof"
    _challenge(shared, nonce)
    assert join(answer, nonce) == 200
    assert not refused(KEY, "c" * 64), "the key itself opens"
    assert refused(answer, "d" * 64), "used up"
