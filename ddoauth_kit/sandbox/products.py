"""Products that a site lacks, for the profile `products-missing`; which ones is made up."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.catalogue import Operation
    from ddoauth_kit.sandbox.sites import Site

_GOVERNMENT = frozenset(
    {
        "Agent Observability",
        "Bits AI",
        "Case Management",
        "Experiments",
        "Feature Flags",
        "Product Analytics",
        "Service Level Objectives",
    }
)
MISSING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "us1-fed": _GOVERNMENT,
        "us2-fed": _GOVERNMENT | {"Incidents", "On-Call", "Synthetics"},
        "uk1": frozenset({"Agent Observability", "Cloud Cost Management"}),
    }
)


def is_missing(operation: Operation, *, site: Site) -> bool:
    """Tell whether a site lacks the product area of an operation."""
    return operation.area in MISSING.get(site.name, ())
