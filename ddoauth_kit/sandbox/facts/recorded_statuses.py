"""The statuses and rules in which Datadog's recordings differ from its API description."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.catalogue import area_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "DELETE /api/v2/agentless_scanning/accounts/azure/{subscription_id}": 200,
        "DELETE /api/v2/remote_config/products/cws/policy/{policy_id}": 204,
        "POST /api/v2/remote_config/products/cws/policy": 200,
    }
)
# The deletions whose response names what they deleted, although the description has no body.
_NAMED = frozenset({"DELETE /api/v2/actions-datastores/{datastore_id}"})
# The creations that get 409 if an earlier one has the same value in this place.
_UNIQUE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "POST /api/v2/datasets": ("attributes", "name"),
        "POST /api/v2/integration/aws/accounts": ("attributes", "aws_account_id"),
        "POST /api/v2/org_connections": ("relationships", "sink_org", "data", "id"),
        "POST /api/v2/team/{team_id}/memberships": ("relationships", "user", "data", "id"),
        "POST /api/v2/team/{team_id}/notification-rules": ("attributes",),
    }
)
# The product areas that return 404 instead of 400 for an id in a wrong format.
_LENIENT = frozenset(
    {"CSM Threats", "Logs Custom Destinations", "Powerpack", "Service Level Objectives", "Teams"}
)
# The product areas that return 422 instead of 400 for well-formed requests that make no sense.
_UNPROCESSABLE = frozenset({"Seats", "Spans"})


def recorded_status(address: str) -> int | None:
    """Return the recorded success status of an operation if it differs from the described one."""
    return _STATUSES.get(address)


def names_deleted(address: str) -> bool:
    """Return whether the response to a deletion contains the deleted resource's type and id."""
    return address in _NAMED


def unique_at(address: str) -> tuple[str, ...] | None:
    """Return where a creation's body contains a value that must be unique below one path."""
    return _UNIQUE.get(address)


def is_lenient(area: str) -> bool:
    """Return whether a product area accepts ids in any format and treats bad ones as unknown."""
    return area in _LENIENT


def unacceptable_status(address: str) -> int:
    """Return the status for a well-formed request that makes no sense to its service."""
    return 422 if area_of(address) in _UNPROCESSABLE else 400
