"""Datadog's own client calls every GET that needs no parameter, and parses all that comes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ForbiddenException
from support.client_bodies import endpoint, endpoints
from support.official import by_token, parsed

from ddoauth_kit.sandbox.facts.catalogue import catalogue

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator

    from conftest import Partner

    from ddoauth_kit.sandbox.facts.catalogue import Operation

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using unstable operation"),
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def no_proxy() -> Iterator[None]:
    """Keep loopback off any proxy, and the environment's keys out of the client."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "HTTP_PROXY", "DD_API_KEY", "DD_APP_KEY", "DD_SITE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def calls() -> list[tuple[Operation, type, str]]:
    """Return the GETs without a required parameter that list OAuth: each one's class and method.

    A newer client may offer more than the catalogue knows; that is for the catalogue's own check.
    """
    found = []
    with ApiClient(Configuration()) as client:
        for operation in catalogue().operations:
            address = operation.method, operation.path
            if operation.method == "GET" and address in endpoints():
                call = endpoint(client, *address)
                required = any(entry.get("required") for entry in call.params_map.values())
                if "AuthZ" in call.settings["auth"] and not required:
                    found.append(
                        (operation, endpoints()[address][0], call.settings["operation_id"])
                    )
    return found


def run(client: ApiClient, kind: type, method: str) -> Any:
    """Call the method that a person would call; of a file that comes back, return the bytes."""
    answer = getattr(kind(client), method)()
    if not isinstance(answer, io.IOBase):
        return answer
    with answer:
        Path(answer.name).unlink()
        return answer.read()


def first_empty(value: Any, path: str = "") -> str | None:
    """Return the first top-level part of a response that should not be empty but is."""
    plain = value.to_dict() if hasattr(value, "to_dict") else value
    if plain in ({}, [], None, "", b""):
        return path or "the answer"
    if not isinstance(plain, dict):
        return None
    parts = {name: part for name, part in plain.items() if name not in {"errors", "warnings"}}
    lists = [name for name, part in parts.items() if part == []]
    data = parts.get("data")
    if lists or data in ({}, []):
        return f"{path}.{lists[0] if lists else 'data'}"
    return first_empty(data.get("attributes", 1), ".data") if isinstance(data, dict) else None


def test_all_of_them_parse(
    shared: Partner, calls: list[tuple[Operation, type, str]], stack: contextlib.ExitStack
) -> None:
    """With a token that has exactly the scopes, nothing is unparsed and nothing is empty."""
    narrow: dict[frozenset[str], ApiClient] = {}
    failed = []
    for operation, kind, method in calls:
        scopes = operation.scopes[0] or frozenset({"mcp_read"})
        if scopes not in narrow:
            token = shared.tokens(scope=" ".join(sorted(scopes)))["access_token"]
            narrow[scopes] = by_token(shared.urls["api_url"], token, stack=stack)
        try:
            answer = parsed(run(narrow[scopes], kind, method))
            empty = first_empty(answer)
        except Exception as error:  # noqa: BLE001 - all are told together
            failed.append(f"GET {operation.path}: {error!r:.300}")
        else:
            failed += [f"GET {operation.path}: {empty} is empty"] if empty else []
    assert not failed, "\n".join(failed)
    offered = [o for o in catalogue().operations if o.method == "GET" and not o.needs_key]
    assert len(calls) == sum(not o.path_ids and not o.query for o in offered)
    assert len(calls) >= 310


def test_all_of_them_are_refused_without_their_scope(
    shared: Partner, calls: list[tuple[Operation, type, str]], stack: contextlib.ExitStack
) -> None:
    """With every scope but one of each set, the client raises its ForbiddenException."""
    every = frozenset(shared.client.scopes)
    named = [call for call in calls if all(call[0].scopes)]
    short: dict[frozenset[str], ApiClient] = {}
    for operation, kind, method in named:
        missing = frozenset(min(scopes) for scopes in operation.scopes)
        if missing not in short:
            token = shared.tokens(scope=" ".join(sorted(every - missing)))["access_token"]
            short[missing] = by_token(shared.urls["api_url"], token, stack=stack)
        with pytest.raises(ForbiddenException):
            run(short[missing], kind, method)
    assert len(named) >= 131
