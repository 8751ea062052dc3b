"""Scopes and operations that real partners use although the spec omits them."""

from __future__ import annotations

from typing import Any, Final

# Published integrations have these, but no list in the spec does (integrations-extras, 2026-08).
PARTNER_SCOPES: Final = {
    "api_keys_write": "Create the one API key of this client in the customer's organization.",
    "llm_observability_read": "View LLM Observability data.",
    "logs_read_archives": "View log archives and their configuration.",
    "logs_read_config": "View logs configuration.",
    "logs_read_workspaces": "View log workspaces.",
    "mcp_read": "Read through the Datadog MCP server.",
}

# Datadog docs, OAuth2 endpoints: "Create an API key through OAuth".
PARTNER_OPERATIONS: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": "CreateMarketplaceApiKey",
        "method": "POST",
        "path": "/api/v2/api_keys/marketplace",
        "host": "api",
        "area": "Key Management",
        "auth": "bearer",
        "scopes": [["api_keys_write"]],
    },
)

# Their names end in neither `_read` nor `_write`, so their operations determine the kind.
KINDS: Final = {"ai_gateway_usage": "read", "timeseries_query": "run", "workflows_run": "run"}

_NOT_A_TEXT: Final = False
# Values for schemas from which no useful value can be derived, by schema name.
BY_HAND: Final[dict[str, Any]] = {
    # This allows any object, and the example's list is empty.
    "ScanResultResponse": {"vulnerabilities": [{"id": "sandbox-vulnerability"}]},
    # The official client (2.62.0) takes the length of the object that it makes from the text, and
    # fails; it skips null.
    "TagDataType": None,
    # Eight variants fit each other's values, but the client wants one; fields rule out seven.
    "SourcemapItem": {
        "id": "5",
        "type": "sourcemaps",
        "attributes": {
            "mapkind": "flutter",
            "service": "sandbox-app",
            "version": "1.0.0",
            "variant": "release",
            "arch": "arm64",
            "size": 8192,
            "created_at": "2026-01-01T00:00:00+00:00",
            "debug_id": _NOT_A_TEXT,
            "build_id": _NOT_A_TEXT,
            "origin": _NOT_A_TEXT,
            "uuids": _NOT_A_TEXT,
        },
    },
}
