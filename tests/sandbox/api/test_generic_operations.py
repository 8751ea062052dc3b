"""Operations without a store check the request and respond as the spec shows."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from support.described_bodies import smallest_body
from support.direct import NOBODY, Reply, ask

from ddoauth_kit.sandbox.api import operations as api
from ddoauth_kit.sandbox.api.canned_answers import documents
from ddoauth_kit.sandbox.api.existing_ids import ids_in, listed_ids, shape_of
from ddoauth_kit.sandbox.facts.catalogue import MARKETPLACE_KEY, Operation, catalogue
from ddoauth_kit.sandbox.resources.all_kinds import RESOURCE_HANDLERS
from ddoauth_kit.sandbox.resources.described_handlers import described_services
from ddoauth_kit.sandbox.resources.described_ids import NOBODYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Partner

STORED = {*api.HANDLERS, *RESOURCE_HANDLERS}
GENERIC = [
    operation
    for operation in catalogue().operations
    if (operation.method, operation.path) not in STORED
    and not operation.manages_keys
    and operation.id != MARKETPLACE_KEY
]
WITH_STORES = (*api._described(), *api._settings(), *api._members())
KEPT = {address for address in WITH_STORES if address[0] != "GET"}
ERASERS = {name for service in described_services().values() for name in service.kind.erasers}
# A deletion that finds its resource would take it from the other tests.
LASTING = [
    operation
    for operation in GENERIC
    if f"{operation.method} {operation.path}" not in ERASERS
    and (operation.method != "DELETE" or (operation.method, operation.path) not in KEPT)
]
JSON_TYPES = {"application/json", "text/json", "application/vnd.api+json"}


@pytest.fixture(scope="module")
def send(shared: Partner, path_of: Callable[[Operation], str]) -> Callable[..., Reply]:
    """Call an operation with its credentials, and with valid values unless others are given."""
    token, key = shared.tokens()["access_token"], shared.key()
    people = {"member_teams": "any"}
    for kind in ("permissions", "roles", "users"):
        listed = ask(shared.sandbox, "GET", f"/api/v2/{kind}", token=token).body
        people[kind] = listed["data"][0]["id"]

    def call(operation: Operation, **changes: Any) -> Reply:
        opens = {"key": key} if operation.needs_key else {"token": token}
        options = {"query": "&".join(f"{name}=1" for name in operation.query), **opens, **changes}
        path = options.pop("path", None) or path_of(operation)
        if "body" not in options:
            fields = [] if operation.body in {"any", "optional"} else operation.body.split()
            body = smallest_body(f"{operation.method} {operation.path}")
            body = dict.fromkeys(fields, 1) if body == {} else body
            data = body.get("data") if isinstance(body, dict) else None
            if isinstance(data, dict) and data.get("id") == "x":
                is_member = (operation.method, operation.path) in api._members()
                data["id"] = people[data["type"]] if is_member else path.rpartition("/")[2]
            options["body"] = json.dumps(body).encode()
        return ask(shared.sandbox, operation.method, path, role=operation.role, **options)

    return call


@pytest.fixture(scope="module")
def path_of(shared: Partner) -> Callable[[Operation], str]:
    """Fill a path with ids that the sandbox shows itself."""
    token = shared.tokens()["access_token"]

    def get(path: str) -> Reply:
        return ask(shared.sandbox, "GET", path, token=token)

    def candidates(item: str, listing: str, name: str) -> Iterator[str]:
        if shape_of(item) not in api._readers():
            found = sorted(i for i in listed_ids(item) if i and "/" not in i and i not in NOBODYS)
            is_read = ("GET", item) in api._members()
            yield from (i for i in found if not is_read or get(f"{listing}/{i}").status == 200)
            yield "some-value"
        else:
            found = [*ids_in(get(listing).body, name), *sorted(listed_ids(item))]
            yield from (value for value in found if get(f"{listing}/{value}").status == 200)
            service = described_services().get(item.rpartition("/")[0])
            if service is not None and any(path == item for _, path in KEPT):
                yield from map(service._key, service._samples())

    @cache
    def fill(template: str) -> str:
        listing, slash, name = template.rpartition("/{")
        if not slash:
            return template
        name, _, rest = name.partition("}")
        filled = fill(listing)
        value = next(candidates(f"{listing}/{{{name}}}", filled, name))
        return f"{filled}/{value}{rest}"

    return lambda operation: fill(operation.path)


def lists(value: Any, depth: int = 0) -> Iterator[list[Any]]:
    """Yield the lists at the top of a response: itself, its fields and its data's fields."""
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict) and depth < 2:
        for name, part in value.items():
            if name not in {"errors", "included", "meta"}:
                yield from lists(part, depth + 1)


@pytest.mark.behaviour("spec-answers")
def test_every_operation_answers(send: Callable[..., Reply]) -> None:
    """With a token or key, valid parameters and body, and known ids, the response is a 2xx."""
    assert len(LASTING) > 1400
    for operation in LASTING:
        answer = send(operation)
        assert 200 <= answer.status < 300, (operation, answer)
        if answer.content_type in JSON_TYPES:
            assert answer.body is not None


@pytest.mark.behaviour("listings-filled")
def test_no_listing_is_empty(send: Callable[..., Reply]) -> None:
    """A GET returns something in each top-level list, but lists of members start empty."""
    reads = [
        o
        for o in GENERIC
        if o.method == "GET"
        and not o.path.endswith("}")
        and (o.method, o.path) not in api._members()
    ]
    for operation in reads:
        answer = send(operation)
        if not answer.text:
            assert "body" not in documents()[f"GET {operation.path}"], operation
        elif answer.content_type in JSON_TYPES:
            assert answer.body, operation
            assert all(lists(answer.body)), (operation, answer.body)


@pytest.mark.behaviour("nothing-kept")
def test_writes_change_nothing(send: Callable[..., Reply]) -> None:
    """After every write without a store, each GET returns the same bytes."""
    reads = [o for o in GENERIC if o.method == "GET"]
    before = [send(operation).text for operation in reads]
    for operation in GENERIC:
        if operation.method != "GET" and (operation.method, operation.path) not in KEPT:
            send(operation)
    assert [send(operation).text for operation in reads] == before


@pytest.mark.behaviour("query-required")
def test_required_parameters(send: Callable[..., Reply]) -> None:
    """Each operation with required query parameters names the one that is missing."""
    needy = [operation for operation in GENERIC if operation.query]
    assert needy
    for operation in needy:
        answer = send(operation, query="")
        assert answer.status == 400, operation
        assert f'missing parameter \\"{operation.query[0]}\\"' in answer.text


@pytest.mark.behaviour("body-required")
def test_required_bodies(send: Callable[..., Reply]) -> None:
    """A missing body, invalid JSON, another type of JSON and a missing field get 400."""
    needy = [o for o in GENERIC if o.body not in {"", "optional"}]
    assert len(needy) > 500
    for operation in needy:
        bodies = [b"", b"{", b"\xff", b"NaN", b"[" * 100_000]
        bodies += [b"[]", b"{}", b"1", b"null"] * (operation.body != "any")
        for body in bodies:
            answer = send(operation, body=body)
            assert answer.status == 400, (operation, body, answer)
            assert answer.body["errors"]


def test_optional_bodies(send: Callable[..., Reply]) -> None:
    """A body that may be left out must be JSON when it is there."""
    optional = [operation for operation in GENERIC if operation.body == "optional"]
    assert optional
    for operation in optional:
        assert send(operation, body=b"").status < 300
        assert send(operation, body=b"{").status == 400


def test_files_are_taken(send: Callable[..., Reply]) -> None:
    """An operation that takes a form with a file accepts one, but not an empty one."""
    upload = next(o for o in GENERIC if o.path == "/api/v2/apicatalog/openapi")
    form = {"content_type": "multipart/form-data; boundary=x"}
    assert send(upload, body=b"--x\r\n", **form).status == 201
    assert send(upload, body=b"", **form).status == 400


@pytest.mark.behaviour("unknown-id")
def test_nobodys_ids(send: Callable[..., Reply], path_of: Callable[[Operation], str]) -> None:
    """The ids that probes aim at when they want to hit nothing are known nowhere."""
    with_ids = [operation for operation in GENERIC if operation.path_ids]
    assert len(with_ids) > 700
    for operation in with_ids:
        for nobody in NOBODYS:
            for name in operation.path_ids:
                path = path_of(operation).split("/")
                path[operation.path.split("/").index(f"{{{name}}}")] = nobody
                answer = send(operation, path="/".join(path))
                assert answer.status == 404, (operation, nobody, answer)


@pytest.mark.behaviour("unknown-id")
def test_ids_come_from_the_listing(shared: Partner) -> None:
    """A listed id leads to an item with that id, another one to a 404 in the version's format."""
    token = shared.tokens()["access_token"]
    roles = shared.call("/api/v2/roles", token=token).json()["data"]
    role = shared.call(f"/api/v2/roles/{roles[0]['id']}", token=token)
    assert role.json()["data"]["id"] == roles[0]["id"]
    unknown = shared.call(f"/api/v2/roles/{uuid4()}", token=token)
    assert (unknown.status_code, unknown.json()) == (404, {"errors": ["Not found"]})
    unknown = shared.call("/api/v1/notebooks/7", token=token)
    assert (unknown.status_code, unknown.json()) == (404, {"errors": ["Not found"]})


def test_ids_of_a_store_count(shared: Partner) -> None:
    """If a store can read an item, only its id is known in the paths below it."""
    token = shared.tokens()["access_token"]
    monitor = shared.call("/api/v1/monitor", token=token).json()[0]
    for number, status in ((monitor["id"], 200), (7, 404)):
        answer = shared.call(f"/api/v1/monitor/{number}/downtimes", token=token)
        assert answer.status_code == status


def test_names_are_free(shared: Partner) -> None:
    """A metric's name is the caller's choice."""
    token = shared.tokens()["access_token"]
    for name, status in (("shop.orders", 200), ("ddoauth-probe-nonexistent", 404)):
        assert shared.call(f"/api/v1/metrics/{name}", token=token).status_code == status


def test_hostile_ids(send: Callable[..., Reply]) -> None:
    """Any value in a path is either refused or answered, and breaks nothing."""
    operation = next(o for o in GENERIC if o.path == "/api/v2/roles/{role_id}")
    for value in ("%00", "..", "\u2028", "9" * 5000, "'\"<>", NOBODY.upper(), "\udcff"):
        assert send(operation, path=f"/api/v2/roles/{value}").status in {400, 404}


def test_the_order_of_checks(send: Callable[..., Reply]) -> None:
    """A bad body is reported before an unknown id."""
    operation = next(o for o in GENERIC if o.id == "UpdateRole")
    path = f"/api/v2/roles/{NOBODY}"
    assert send(operation, path=path, body=b"{}").status == 400
    assert send(operation, path=path).status == 404
