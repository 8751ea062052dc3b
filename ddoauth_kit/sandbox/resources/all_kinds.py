"""Every resource that can be created, read, changed and deleted, by method and path."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.resources import (
    case_actions,
    cases,
    dashboards,
    downtimes,
    incident_settings,
    incidents,
    monitors,
    slos,
    synthetics,
    teams,
    webhooks,
)
from ddoauth_kit.sandbox.resources import service_definitions as services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler

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
