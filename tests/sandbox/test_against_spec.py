"""The sandbox serves and requires what Datadog's spec says, according to independent code."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from support.direct import NOBODY, ask
from support.places import ROOT

from ddoauth_kit.maintenance.sandbox_page import README
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.unserved import UNSERVED

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

METHODS = {"get", "post", "put", "patch", "delete"}
INTAKE = "http-intake.logs"
LACKING = ["Forbidden", "Failed permission authorization checks"]
# Datadog's own CLI registers key management as closed to OAuth, whatever the spec says.
CLOSED = ("/api_key/", "/api_keys/{", "/application_key/", "/application_keys/{")
OPEN = "/api/v2/api_keys/marketplace"

Operation = tuple[str, str, str, list[frozenset[str]]]


@pytest.fixture(scope="module")
def operations(spec_documents: tuple[dict[str, Any], ...]) -> list[Operation]:
    """Read method, path, host and scope sets of each operation that takes a bearer token."""
    found = []
    for document in spec_documents:
        for path, item in document["paths"].items():
            for method in METHODS & item.keys():
                details = item[method]
                security = details.get("security", document["security"])
                sets = [frozenset(entry["AuthZ"]) for entry in security if "AuthZ" in entry]
                role = "logs" if INTAKE in str(details.get("servers")) else "api"
                if sets:
                    found.append((method.upper(), path, role, sets))
    return found


@pytest.fixture(scope="module")
def token_with(shared: Partner) -> Callable[[frozenset[str]], str]:
    """Go through the flow for exactly these scopes, once for each set of them."""
    tokens: dict[frozenset[str], str] = {}

    def make(scopes: frozenset[str]) -> str:
        if scopes not in tokens:
            answer = shared.tokens(scope=" ".join(sorted(scopes)) or "mcp_read")
            tokens[scopes] = answer["access_token"]
        return tokens[scopes]

    return make


@pytest.fixture(scope="module")
def is_refused(shared: Partner) -> Callable[..., bool]:
    """Return whether a token lacks what an operation needs; any other response is accepted."""

    def refused(method: str, path: str, role: str, *, token: str) -> bool:
        address = "/".join(NOBODY if s.startswith("{") else s for s in path.split("/"))
        answer = ask(shared.sandbox, method, address, role=role, token=token)
        assert answer.status in {200, 201, 202, 204, 400, 403, 404}, (method, path, answer)
        return answer.status == 403 and answer.body == {"errors": LACKING}

    return refused


def is_closed(method: str, path: str) -> bool:
    """Return whether bearer tokens get 401, whatever their scopes."""
    keys = [part for part in CLOSED if part in f"{path}/" and "{" in path]
    changes = method != "GET" and f"{path}/".endswith(("_key/", "_keys/"))
    return bool(keys) or changes or "/service_accounts/{service_account_id}/app" in path


@pytest.mark.long
def test_the_sandbox_is_as_the_spec_says(
    shared: Partner,
    spec_documents: tuple[dict[str, Any], ...],
    operations: list[Operation],
    token_with: Callable[[frozenset[str]], str],
    is_refused: Callable[..., bool],
) -> None:
    """All that is described and not served stands in the list, and both READMEs count it.

    A token with exactly one of an operation's sets of scopes passes its check, whichever set; one
    that lacks one scope of each set is refused, whichever scopes. Every scope of the spec is one of
    the demo client's. Key management alone is closed to tokens: the one deliberate difference.
    """
    _check_what_is_left_out(spec_documents)
    assert len(operations) > 1850
    _check_complete_sets(operations, token_with, is_refused)
    every = frozenset(shared.client.scopes)
    _check_sets_one_scope_short(operations, token_with, is_refused, every=every)
    named = {scope for *_, sets in operations for scopes in sets for scope in scopes}
    assert len(named) > 100
    assert named <= every
    _check_closed(shared, operations)


def _check_what_is_left_out(documents: tuple[dict[str, Any], ...]) -> None:
    """Compare the list and both READMEs with what is described."""
    described = [
        (method.upper(), path)
        for document in documents
        for path, item in document["paths"].items()
        for method in METHODS & item.keys()
    ]
    served = {(operation.method, operation.path) for operation in catalogue().operations}
    assert set(described) - served == {(each.method, each.path) for each in UNSERVED}
    count = len(described)
    text = f"{count - len(UNSERVED):,} of the {count:,} operations"
    assert text in README.read_text("utf-8")
    assert text in (ROOT / "README.md").read_text("utf-8")


def _check_complete_sets(
    operations: list[Operation],
    token_with: Callable[[frozenset[str]], str],
    is_refused: Callable[..., bool],
) -> None:
    """Call each open operation once with each of its sets."""
    wrong = [
        (method, path, sorted(scopes))
        for method, path, role, sets in operations
        if not is_closed(method, path)
        for scopes in sets
        if is_refused(method, path, role, token=token_with(scopes))
    ]
    assert not wrong


def _check_sets_one_scope_short(
    operations: list[Operation],
    token_with: Callable[[frozenset[str]], str],
    is_refused: Callable[..., bool],
    *,
    every: frozenset[str],
) -> None:
    """Call each operation with all scopes but one of each of its sets."""
    tried, wrong = 0, []
    for method, path, role, sets in operations:
        for missing in product(*sets):
            tried += 1
            if not is_refused(method, path, role, token=token_with(every - {*missing})):
                wrong.append((method, path, missing))
    assert not wrong
    assert tried > 850


def _check_closed(shared: Partner, operations: list[Operation]) -> None:
    """Count the operations that are closed, and ask each."""
    token = shared.tokens()["access_token"]
    closed = [(m, p, r) for m, p, r, _ in operations if is_closed(m, p)]
    assert len(closed) == 24
    for method, path, role in closed:
        address = path.replace("{", "").replace("}", "")
        answer = ask(shared.sandbox, method, address, role=role, token=token)
        assert answer.status == 401, (method, path)
    assert shared.call(OPEN, token=token, method="POST").status_code == 201
