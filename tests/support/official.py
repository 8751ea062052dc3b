"""Connect Datadog's own client to a sandbox, and check what it could parse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datadog_api_client import ApiClient, Configuration

if TYPE_CHECKING:
    import contextlib


def by_token(url: str, token: str, *, stack: contextlib.ExitStack) -> ApiClient:
    """Authenticate the client with a bearer token alone, with every preview operation enabled."""
    configuration = Configuration(host=url, access_token=token)
    configuration.api_key.clear()
    enabled = configuration.unstable_operations.values
    enabled.update(dict.fromkeys(enabled, True))
    return stack.enter_context(ApiClient(configuration))


def by_key(url: str, key: str, *, stack: contextlib.ExitStack) -> ApiClient:
    """Authenticate the client with an API key alone."""
    configuration = Configuration(host=url)
    configuration.api_key.clear()
    configuration.api_key["apiKeyAuth"] = key
    return stack.enter_context(ApiClient(configuration))


def parsed(value: Any) -> Any:
    """Return a model after checking that no part of it, at any depth, was left unparsed."""
    pending = [value]
    while pending:
        part = pending.pop()
        assert not getattr(part, "_unparsed", False), part
        assert type(part).__name__ != "UnparsedObject", part
        if isinstance(part, (list, tuple)):
            pending.extend(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif hasattr(part, "_data_store"):
            pending.extend(part._data_store.values())
    return value
