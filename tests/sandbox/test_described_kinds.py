"""Datadog's own client takes a resource of each kind from its creation to its end."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from support.direct import ask
from support.kind_journeys import (
    PARENT,
    Journey,
    differences,
    plain,
    resource_of,
    shared,
    status_of,
    with_wrong_enum,
    without_required,
)
from support.official import by_token

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.described_schemas import described_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Partner
    from datadog_api_client import ApiClient

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using unstable operation:UserWarning"),
    pytest.mark.behaviour("described-kinds"),
]

OPERATIONS = {f"{entry.method} {entry.path}": entry for entry in catalogue().operations}
# What a body made of the models alone cannot say: a query, the id of an incident type, a renamed
# key, another address. Most of these kinds have services and tests of their own.
SPECIAL = re.compile(
    r"/api/v1/(slo|monitor|user|dashboard/public)$|/api/v1/integration/(webhooks|pagerduty|slack)/"
    r"|/api/v2/incidents(/config/types$|/\{|$)|/api/v2/(services/definitions|cases/projects)$"
    r"|/deployment_gates/\{|/cost/custom_costs$|/topic-discovery-configs$|/ai/memory$"
    r"|/member_teams$"
)
NUMBERS = count()
KINDS = [
    path
    for path, kind in described_kinds().items()
    if "delete" in kind.operations
    and "*" not in kind.given
    and not OPERATIONS[kind.operations["create"]].manages_keys
    and not OPERATIONS[kind.operations["create"]].needs_key
    and not SPECIAL.search(path)
]


@pytest.fixture(scope="module")
def client(shared_partner: Partner) -> Iterator[ApiClient]:
    """Log the official client in with a token that may do everything."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "HTTP_PROXY", "DD_API_KEY", "DD_APP_KEY", "DD_SITE"):
            patch.delenv(name, raising=False)
        token = shared_partner.tokens()["access_token"]
        yield by_token(shared_partner.urls["api_url"], token, stack=stack)


@pytest.fixture(scope="module")
def shared_partner(request: pytest.FixtureRequest) -> Partner:
    """Return the module's partner under a name that the helper `shared` does not use."""
    partner: Partner = request.getfixturevalue("shared")
    return partner


@pytest.fixture(scope="module")
def send(shared_partner: Partner) -> Callable[..., int]:
    """Send raw JSON and return the status; `without` names scopes that the token lacks."""
    tokens: dict[frozenset[str], str] = {}

    def call(method: str, path: str, body: Any, *, without: frozenset[str] = frozenset()) -> int:
        if without not in tokens:
            scopes = sorted(catalogue().descriptions.keys() - without - {"monitors_draft_write"})
            chosen = {"scope": " ".join(scopes)} if without else {}
            tokens[without] = shared_partner.tokens(**chosen)["access_token"]
        content = json.dumps(body).encode()
        return ask(shared_partner.sandbox, method, path, token=tokens[without], body=content).status

    return call


@pytest.fixture
def journey(client: ApiClient, path: str) -> Journey:
    """Set out with a kind whose parents exist."""
    made = Journey(client, path, described_kinds()[path].item)
    for parent, kind in described_kinds().items():
        if _bare(path).startswith(_bare(kind.item) + "/"):
            above = Journey(client, parent, kind.item, made.values)
            method = kind.operations["create"].partition(" ")[0]
            body = above.body(method, parent, mark=f"p{next(NUMBERS)}")
            above.learn(above.call(method, parent, body=body), template=path)
    return made


@cache
def _bare(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template)


def agrees(answer: Any, body: Any, *, least: int = 1) -> None:
    """Assert that a response repeats a body's values, at least this many.

    Some requests have their own JSON:API type, which no response repeats.
    """
    sent = resource_of(plain(body), wanted=None)
    told = resource_of(plain(answer), wanted=sent)
    looked_at = {name: sent[name] for name in sent if name != "type" or "attributes" not in sent}
    assert not list(differences(looked_at, told))
    assert shared(sent, told) >= least


def test_there_are_enough_kinds() -> None:
    """More than a hundred and fifty kinds are taken along."""
    assert len(KINDS) > 150


@pytest.mark.parametrize("path", KINDS)
def test_a_life(journey: Journey, path: str) -> None:
    """It is created, read with equal values, listed, changed, deleted, and then 404."""
    method = described_kinds()[path].operations["create"].partition(" ")[0]
    body = journey.body(method, path, mark="one")
    made = journey.call(method, path, body=body)
    journey.learn(made)
    agrees(made, body, least=0)
    reads = journey.has("GET")
    if reads:
        agrees(journey.call("GET", journey.item), body)
    if journey.has("GET", item=False):
        assert journey.identity in json.dumps(plain(journey.call("GET", path)))
    if journey.change_method:
        body = journey.body(journey.change_method, journey.item, mark="two")
        answer = journey.call(journey.change_method, journey.item, body=body)
        told = journey.call("GET", journey.item) if reads else answer
        if told is not None:
            agrees(told, body, least=int(reads))
    journey.call("DELETE", journey.item, mark="x")
    last = "GET" if reads else "DELETE"
    assert status_of(lambda: journey.call(last, journey.item, mark="x")) == 404


@pytest.mark.parametrize("path", KINDS)
def test_bad_bodies(journey: Journey, path: str, send: Callable[..., int]) -> None:
    """A missing required field and a value that is none of the enum's get 400."""
    method = described_kinds()[path].operations["create"].partition(" ")[0]
    body = journey.body(method, path, mark="bad")
    document = plain(body)
    bad = [without_required(document, body), with_wrong_enum(document, body)]
    for wrong in bad:
        if wrong is not None:
            assert send(method, journey.address(path), wrong) == 400


def test_scopes_come_first(send: Callable[..., int]) -> None:
    """Each step without its scope gets 403, whatever its ids and its body are."""
    names = {name for path in KINDS for name in described_kinds()[path].operations.values()}
    for name in sorted(names):
        without = frozenset().union(*OPERATIONS[name].scopes)
        if without:
            method, _, template = name.partition(" ")
            address = re.sub(r"\{\w+\}", PARENT, template)
            assert send(method, address, {}, without=without) == 403, name
