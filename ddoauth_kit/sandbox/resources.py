"""Every resource that can be created, read, changed and deleted, by method and path."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox import (
    case_actions,
    cases,
    dashboards,
    downtimes,
    incident_settings,
    incidents,
    monitors,
    services,
    slos,
    synthetics,
    teams,
    webhooks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.serving import Handler

RESOURCE_HANDLERS: Mapping[tuple[str, str], Handler] = MappingProxyType(
    {
        **monitors.HANDLERS,
        **dashboards.HANDLERS,
        **downtimes.HANDLERS,
        **slos.HANDLERS,
        **synthetics.HANDLERS,
        **cases.HANDLERS,
        **case_actions.HANDLERS,
        **incidents.HANDLERS,
        **incident_settings.HANDLERS,
        **webhooks.HANDLERS,
        **teams.HANDLERS,
        **services.HANDLERS,
    }
)
