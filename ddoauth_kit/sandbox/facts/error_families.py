"""The error formats in each product area, according to recordings."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from ddoauth_kit.sandbox.facts.catalogue import area_of
from ddoauth_kit.sandbox.facts.described_schemas import operation_schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = Literal["texts", "objects", "codes", "details"]

_TEXTS = frozenset(
    {
        "APM Retention Filters",
        "AuthN Mappings",
        "Authentication",
        "CSM Threats",
        "Cloudflare Integration",
        "Confluent Cloud",
        "Dashboard Lists",
        "Dashboards",
        "Datasets",
        "Downtimes",
        "Key Management",
        "Logs Custom Destinations",
        "Logs Restriction Queries",
        "Metrics",
        "Monitors",
        "Opsgenie Integration",
        "Org Connections",
        "Organizations",
        "Powerpack",
        "RUM",
        "Restriction Policies",
        "Roles",
        "Security Monitoring",
        "Service Definition",
        "Spans Metrics",
        "Teams",
        "Usage Metering",
        "Users",
    }
)
_OBJECTS = frozenset(
    {
        "AWS Integration",
        "Action Connection",
        "Actions Datastores",
        "Agent Observability",
        "Agentless Scanning",
        "App Builder",
        "Case Management",
        "Case Management Attribute",
        "Cloud Cost Management",
        "DORA Metrics",
        "Data Deletion",
        "Deployment Gates",
        "Error Tracking",
        "Execution Policy",
        "Forms",
        "Incidents",
        "Model Lab API",
        "Network Device Monitoring",
        "Observability Pipelines",
        "On-Call",
        "RUM Remote Config",
        "Reference Tables",
        "Rum Metrics",
        "Rum Retention Filters",
        "Scorecards",
        "Seats",
        "Sensitive Data Scanner",
        "Spans",
        "Status Pages",
    }
)


# Parts of an area that differ from the rest, by the start of their paths.
_PARTS: Mapping[str, Shape] = MappingProxyType(
    {
        "/api/v2/cloud_security_management/": "objects",
        "/api/v2/security/findings": "objects",
        "/api/v2/security/siem/": "objects",
        "/api/v2/siem-historical-detections/": "objects",
        "/api/v2/slo/report": "objects",
        "/api/v2/team/connections": "objects",
        "/api/v2/team/{team_id}/notification-rules": "objects",
        "/api/v2/usage/billing_dimension_mapping": "objects",
        "/api/v2/usage/summary": "objects",
    }
)
# The areas whose error objects have a code: beside a title, or beside a detail.
_CODES: Mapping[str, Shape] = MappingProxyType(
    {"Application Security": "codes", "Workflow Automation": "details"}
)
# The areas in which one status differs from the rest, and the paths where it does not.
_BY_STATUS: Mapping[tuple[str, int], Shape] = MappingProxyType(
    {
        ("CSM Threats", 404): "objects",
        ("Case Management", 404): "codes",
        ("Case Management Attribute", 404): "codes",
        ("Teams", 409): "objects",
    }
)
_PLAIN = frozenset(
    {
        "/api/v2/security_monitoring/cloud_workload_security/agent_rules",
        "/api/v2/security_monitoring/cloud_workload_security/agent_rules/{agent_rule_id}",
        "/api/v2/team",
    }
)


def shape_at(address: str, status: int) -> Shape:
    """Return the format of an operation's errors, as recorded or else as described."""
    area, path = area_of(address), address.partition(" ")[2]
    part = next((start for start in _PARTS if path.startswith(start)), None)
    by_status = _BY_STATUS.get((area, status)) if path not in _PLAIN else None
    recorded = _PARTS[part] if part else by_status or _CODES.get(area)
    if recorded is not None:
        return recorded
    if area in _TEXTS or " /api/v1/" in address:
        return "texts"
    texts = area not in _OBJECTS and operation_schemas(address).errors_are_texts
    return "texts" if texts else "objects"


def family_error(address: str, status: int, title: str, detail: str) -> object:
    """Write one error in the format of the operation's product area."""
    shape = shape_at(address, status)
    if shape == "texts":
        return detail
    if shape == "objects":
        return {"status": str(status), "title": title, "detail": detail}
    code = title.lower().replace(" ", "_")
    if shape == "codes":
        return {"code": code, "title": detail}
    return {"code": code.upper(), "detail": detail}
