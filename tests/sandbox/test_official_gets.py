"""Datadog's own client calls every GET that needs no parameter, and parses all that comes."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datadog_api_client.v1.api as v1
import datadog_api_client.v2.api as v2
import pytest
from datadog_api_client.api_client import Endpoint
from datadog_api_client.exceptions import ForbiddenException
from support.official import by_token, parsed

from ddoauth_kit.sandbox.facts.catalogue import catalogue

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator

    from conftest import Partner
    from datadog_api_client import ApiClient

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


def endpoints(client: ApiClient) -> Iterator[tuple[Any, Endpoint]]:
    """Yield each API object of the client's two versions with each endpoint it has."""
    for package in (v1, v2):
        for module in pkgutil.iter_modules(package.__path__):
            found = importlib.import_module(f"{package.__name__}.{module.name}")
            for name, kind in inspect.getmembers(found, inspect.isclass):
                if kind.__module__ == found.__name__ and name.endswith("Api"):
                    api = kind(client)
                    for value in vars(api).values():
                        if isinstance(value, Endpoint):
                            yield api, value


@pytest.fixture(scope="module")
def calls(shared: Partner) -> list[Any]:
    """Return the GETs without a required parameter that list OAuth, with their operations.

    A newer client may offer more than the catalogue knows; that is for the catalogue's own check.
    """
    import contextlib

    known = {(o.method, o.path): o for o in catalogue().operations}
    with contextlib.ExitStack() as stack:
        client = by_token(shared.urls["api_url"], "", stack=stack)
        return [
            (known["GET", endpoint.settings["endpoint_path"]], type(api), endpoint.settings)
            for api, endpoint in endpoints(client)
            if ("GET", endpoint.settings["endpoint_path"]) in known
            and endpoint.settings["http_method"] == "GET"
            and "AuthZ" in endpoint.settings["auth"]
            and not any(parameter.get("required") for parameter in endpoint.params_map.values())
        ]


def run(client: ApiClient, kind: type, settings: dict[str, Any]) -> Any:
    """Call the method that a person would call; of a file that comes back, return the bytes."""
    answer = getattr(kind(client), settings["operation_id"])()
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


def test_all_of_them_parse(shared: Partner, calls: list[Any], stack: contextlib.ExitStack) -> None:
    """With a token that has exactly the scopes, nothing is unparsed and nothing is empty."""
    narrow: dict[frozenset[str], ApiClient] = {}
    failed = []
    for operation, kind, settings in calls:
        scopes = operation.scopes[0] or frozenset({"mcp_read"})
        if scopes not in narrow:
            token = shared.tokens(scope=" ".join(sorted(scopes)))["access_token"]
            narrow[scopes] = by_token(shared.urls["api_url"], token, stack=stack)
        try:
            answer = parsed(run(narrow[scopes], kind, settings))
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
    shared: Partner, calls: list[Any], stack: contextlib.ExitStack
) -> None:
    """With every scope but one of each set, the client raises its ForbiddenException."""
    every = frozenset(shared.client.scopes)
    named = [call for call in calls if all(call[0].scopes)]
    short: dict[frozenset[str], ApiClient] = {}
    for operation, kind, settings in named:
        missing = frozenset(min(scopes) for scopes in operation.scopes)
        if missing not in short:
            token = shared.tokens(scope=" ".join(sorted(every - missing)))["access_token"]
            short[missing] = by_token(shared.urls["api_url"], token, stack=stack)
        with pytest.raises(ForbiddenException):
            run(short[missing], kind, settings)
    assert len(named) >= 131
