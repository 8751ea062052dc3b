"""Build bodies that the official client's models accept, and look up its operations' names.

Nothing here reads the sandbox's data: the models alone determine the fields.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import datadog_api_client.v1.api
import datadog_api_client.v2.api
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.api_client import Endpoint
from datadog_api_client.model_utils import ModelComposed, ModelNormal, ModelSimple, UnsetType

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = (datadog_api_client.v1.api, datadog_api_client.v2.api)
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# Texts that the models' patterns ask for, tried in turn.
TEXTS = ("a", "sandbox-one", "a@example.com", "https://example.com/a", "1", "abc-def-ghi")
DEEPEST = 7


@cache
def endpoints() -> Mapping[tuple[str, str], tuple[type, str]]:
    """Return the class and the attribute of each operation, by method and path."""
    found = {}
    with ApiClient(Configuration()) as client:
        for package in PACKAGES:
            for module in pkgutil.iter_modules(package.__path__):
                loaded = importlib.import_module(f"{package.__name__}.{module.name}")
                for _, service in inspect.getmembers(loaded, inspect.isclass):
                    if service.__module__ == loaded.__name__:
                        for name, value in vars(service(client)).items():
                            if isinstance(value, Endpoint):
                                settings = value.settings
                                address = settings["http_method"], settings["endpoint_path"]
                                found[address] = service, name
    return found


def endpoint(client: ApiClient, method: str, path: str) -> Endpoint:
    """Return the client's operation for a method and a path."""
    service, name = endpoints()[method, path]
    found = getattr(_made(service, client), name)
    assert isinstance(found, Endpoint)
    return found


@cache
def _made(service: type, client: ApiClient) -> Any:
    """Make a client's service once, as it makes all its operations."""
    return service(client)


def body_name(operation: Endpoint) -> str | None:
    """Return the name of the parameter that is sent as the body."""
    return next((n for n, p in operation.params_map.items() if p.get("location") == "body"), None)


def body_of(operation: Endpoint, *, mark: str) -> Any:
    """Return a valid body for an operation; its free-text fields contain the mark."""
    name = body_name(operation)
    assert name is not None
    return value_of(operation.params_map[name]["openapi_types"], mark=mark)


def value_of(
    types: Any, *, mark: str, limits: Mapping[str, Any] | None = None, depth: int = 0
) -> Any:
    """Return a value of the first type."""
    kind = types[0] if isinstance(types, tuple) else types
    if isinstance(kind, list):
        least = (limits or {}).get("min_items", 0)
        if depth > DEEPEST and not least:
            return []
        return [
            value_of(tuple(kind), mark=f"{mark}{n}", depth=depth + 1) for n in range(least or 1)
        ]
    if isinstance(kind, dict):
        return {}
    if issubclass(kind, ModelComposed):
        return value_of(kind._composed_schemas["oneOf"][0], mark=mark, depth=depth)
    if issubclass(kind, ModelNormal):
        return _model(kind, mark=mark, depth=depth)
    return _leaf(kind, mark=mark, limits=limits or {})


def _leaf(kind: Any, *, mark: str, limits: Mapping[str, Any]) -> Any:
    simple = issubclass(kind, ModelSimple)
    return _simple(kind, mark=mark) if simple else _plain(kind, mark=mark, limits=limits)


def _simple(kind: Any, *, mark: str) -> Any:
    allowed = getattr(kind, "allowed_values", None)
    if allowed:
        return kind(min(allowed, key=str))
    return kind(value_of(kind.openapi_types["value"], mark=mark))


def _model(kind: Any, *, mark: str, depth: int) -> Any:
    signature = inspect.signature(kind.__init__).parameters
    types = kind.openapi_types
    given = {}
    for name, parameter in list(signature.items())[1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        needed = parameter.default is inspect.Parameter.empty
        outer = name in {"data", "attributes"} and name not in _read_only(kind)
        if (
            needed
            or outer
            or (depth < 3 and _is_plain(types[name]) and name not in _read_only(kind))
        ):
            limits = getattr(kind, "validations", {}).get(name, {})
            given[name] = value_of(types[name], mark=mark, limits=limits, depth=depth + 1)
    return kind(**given)


def _read_only(kind: Any) -> set[str]:
    return set(getattr(kind, "read_only_vars", ()))


def _is_plain(types: Any) -> bool:
    return isinstance(types[0], type) and types[0] in {str, bool, int}


def _plain(kind: type, *, mark: str, limits: Mapping[str, Any]) -> Any:
    if kind is bool:
        return True
    if kind in {int, float}:
        least = limits.get("inclusive_minimum", limits.get("exclusive_minimum", 0) + 1)
        return kind(min(max(least, 1), limits.get("inclusive_maximum", 10**9)))
    if kind is datetime:
        return MOMENT
    if kind is UUID:
        return UUID(int=7)
    if kind is UnsetType or kind is type(None):
        return None
    return _text(mark, limits)


def _text(mark: str, limits: Mapping[str, Any]) -> str:
    pattern = limits.get("regex", {}).get("pattern")
    if pattern is not None:
        return next((text for text in (mark, *TEXTS) if re.search(pattern, text)), mark)
    most = limits.get("max_length", len(mark))
    return mark[:most].ljust(limits.get("min_length", 0), "x")
