"""Which product areas write their errors as texts and which as objects, as recordings show."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.described_schemas import operation_schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = frozenset(
    {
        "APM Retention Filters",
        "AuthN Mappings",
        "Authentication",
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
        "Application Security",
        "Case Management",
        "Case Management Attribute",
        "Cloud Cost Management",
        "DORA Metrics",
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
        "Workflow Automation",
    }
)


@cache
def _areas() -> Mapping[str, str]:
    return {f"{entry.method} {entry.path}": entry.area for entry in catalogue().operations}


def writes_texts(address: str) -> bool:
    """Tell the shape of an operation's errors; the description decides for areas not recorded."""
    area = _areas().get(address, "")
    if area in _TEXTS or " /api/v1/" in address:
        return True
    return area not in _OBJECTS and operation_schemas(address).errors_are_texts


def family_error(address: str, status: int, title: str, detail: str) -> object:
    """Write one error as the operation's product area does."""
    if writes_texts(address):
        return detail
    return {"status": str(status), "title": title, "detail": detail}
