"""Name what real partners use and the spec leaves out."""

from __future__ import annotations

from typing import Any, Final

# Held by published integrations, in none of the spec's lists (integrations-extras, 2026-08).
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

# Their names end in neither `_read` nor `_write`; what they open says what they are.
KINDS: Final = {"ai_gateway_usage": "read", "timeseries_query": "run", "workflows_run": "run"}
