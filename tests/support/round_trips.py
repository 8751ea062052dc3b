"""The calls that Datadog's own client uses to create, change and delete each resource."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from datadog_api_client import ApiClient

NAME = "ddoauth-kit probe, safe to delete"
LATER = NAME + " (changed)"
PROJECT = "the sample project"
CASE_TYPE = "00000000-0000-0000-0000-000000000001"


@dataclass(frozen=True)
class Trip:
    """One kind of resource: an API class's calls, JSON bodies, and the places of values."""

    name: str
    scope: str
    api: str
    create: tuple[str, str, Any]
    listing: str
    read: str
    change: tuple[str, str, Callable[[str], Any]]
    delete: str
    identify: Callable[[Any], Any]
    items: Callable[[Any], Any]
    says: Callable[[Any], str]
    needs: tuple[str, ...] = ()
    deletes_by_body: tuple[str, Callable[[str], Any]] | None = None
    scopes: tuple[str, ...] = ()

    def service(self, client: ApiClient) -> Any:
        """Return the client's API class for this kind."""
        module = importlib.import_module(f"datadog_api_client.{self.api.rpartition('.')[0]}")
        return getattr(module, self.api.rpartition(".")[2])(client)

    def model(self, name: str) -> Any:
        """Return a model class of the same API version; importing all of them takes a second."""
        file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        module = importlib.import_module(f"datadog_api_client.{self.api[:2]}.model.{file}")
        return getattr(module, name)


def resource(kind: str, attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Write a JSON:API body."""
    return {"data": {"type": kind, "attributes": attributes, **more}}


def linked(kind: str, target: str) -> dict[str, Any]:
    """Write a relationship."""
    return {"data": {"type": kind, "id": target}}


def data_id(answer: Any) -> Any:
    """Return the id in a JSON:API response."""
    return answer.data.id


def data_ids(answer: Any) -> list[Any]:
    """Return the ids in a JSON:API listing."""
    return [item.id for item in answer.data]


MONITOR = {
    "name": NAME,
    "type": "query alert",
    "query": "avg(last_5m):avg:ddoauth_kit.probe{*} > 100",
    "message": "",
    "tags": ["ddoauth-kit:probe"],
    "options": {"thresholds": {"critical": 100}},
}
DASHBOARD = {
    "title": NAME,
    "layout_type": "ordered",
    "widgets": [{"definition": {"type": "note", "content": NAME}}],
}
DOWNTIME = {
    "message": NAME,
    "monitor_identifier": {"monitor_tags": ["ddoauth-kit:probe"]},
    "scope": "ddoauth-kit:probe",
    "schedule": {"start": "2037-01-01T00:00:00+00:00", "end": "2037-01-01T00:05:00+00:00"},
}
SLO = {
    "name": NAME,
    "type": "metric",
    "query": {
        "numerator": "sum:ddoauth_kit.probe.good{*}.as_count()",
        "denominator": "sum:ddoauth_kit.probe.all{*}.as_count()",
    },
    "thresholds": [{"target": 99, "timeframe": "30d"}],
}
TEST = {
    "name": NAME,
    "type": "api",
    "subtype": "http",
    "status": "paused",
    "message": "",
    "locations": ["aws:eu-central-1"],
    "options": {"tick_every": 604800},
    "config": {
        "assertions": [{"type": "statusCode", "operator": "is", "target": 200}],
        "request": {"method": "GET", "url": "https://example.com"},
    },
}
WEBHOOK = {"name": "ddoauth-kit-probe-safe-to-delete", "url": "https://example.com/ddoauth-kit"}
TEAM = {"handle": "ddoauth-kit-probe-safe-to-delete", "name": NAME}
SERVICE = {
    "schema-version": "v2.1",
    "dd-service": "ddoauth-kit-probe-safe-to-delete",
    "description": NAME,
}
TEMPLATE = {"name": NAME, "category": "alert", "content": NAME, "subject": NAME}
RULE = {
    "conditions": [{"field": "severity", "values": ["SEV-5"]}],
    "handles": ["@ddoauth-kit-probe@example.com"],
    "enabled": False,
    "trigger": "incident_created_trigger",
    "visibility": "organization",
}


def changed_incident(incident_id: str) -> dict[str, Any]:
    """Return an incident as resolved, with another title."""
    state = {"state": {"type": "dropdown", "value": "resolved"}}
    return resource("incidents", {"title": LATER, "fields": state}, id=incident_id)


TRIPS = (
    Trip(
        name="monitors",
        scope="monitors_write",
        api="v1.api.monitors_api.MonitorsApi",
        create=("create_monitor", "Monitor", MONITOR),
        listing="list_monitors",
        read="get_monitor",
        change=("update_monitor", "MonitorUpdateRequest", lambda _: {"name": LATER}),
        delete="delete_monitor",
        identify=lambda answer: answer.id,
        items=lambda answer: [item.id for item in answer],
        says=lambda answer: answer.name,
    ),
    Trip(
        name="dashboards",
        scope="dashboards_write",
        api="v1.api.dashboards_api.DashboardsApi",
        create=("create_dashboard", "Dashboard", DASHBOARD),
        listing="list_dashboards",
        read="get_dashboard",
        change=("update_dashboard", "Dashboard", lambda _: {**DASHBOARD, "title": LATER}),
        delete="delete_dashboard",
        identify=lambda answer: answer.id,
        items=lambda answer: [item.id for item in answer.dashboards],
        says=lambda answer: answer.title,
    ),
    Trip(
        name="downtimes",
        scope="monitors_downtime",
        api="v2.api.downtimes_api.DowntimesApi",
        create=("create_downtime", "DowntimeCreateRequest", resource("downtime", DOWNTIME)),
        listing="list_downtimes",
        read="get_downtime",
        change=(
            "update_downtime",
            "DowntimeUpdateRequest",
            lambda i: resource("downtime", {"message": LATER}, id=i),
        ),
        delete="cancel_downtime",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.message,
    ),
    Trip(
        name="slos",
        scope="slos_write",
        api="v1.api.service_level_objectives_api.ServiceLevelObjectivesApi",
        create=("create_slo", "ServiceLevelObjectiveRequest", SLO),
        listing="list_slos",
        read="get_slo",
        change=("update_slo", "ServiceLevelObjective", lambda _: {**SLO, "name": LATER}),
        delete="delete_slo",
        identify=lambda answer: answer.data[0].id,
        items=data_ids,
        says=lambda answer: answer.data.name,
    ),
    Trip(
        name="synthetics tests",
        scope="synthetics_write",
        api="v1.api.synthetics_api.SyntheticsApi",
        create=("create_synthetics_api_test", "SyntheticsAPITest", TEST),
        listing="list_tests",
        read="get_api_test",
        change=("update_api_test", "SyntheticsAPITest", lambda _: {**TEST, "name": LATER}),
        delete="delete_tests",
        deletes_by_body=("SyntheticsDeleteTestsPayload", lambda i: {"public_ids": [i]}),
        identify=lambda answer: answer.public_id,
        items=lambda answer: [item.public_id for item in answer.tests],
        says=lambda answer: answer.name,
    ),
    Trip(
        name="case projects",
        scope="cases_write",
        api="v2.api.case_management_api.CaseManagementApi",
        create=(
            "create_project",
            "ProjectCreateRequest",
            resource("project", {"key": "DDOAUTHKIT", "name": NAME}),
        ),
        listing="get_projects",
        read="get_project",
        change=(
            "update_project",
            "ProjectUpdateRequest",
            lambda _: resource("project", {"name": LATER}),
        ),
        delete="delete_project",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.name,
    ),
    Trip(
        name="incidents",
        scope="incident_write",
        api="v2.api.incidents_api.IncidentsApi",
        create=(
            "create_incident",
            "IncidentCreateRequest",
            resource("incidents", {"title": NAME, "customer_impacted": False, "is_test": True}),
        ),
        listing="list_incidents",
        read="get_incident",
        change=("update_incident", "IncidentUpdateRequest", changed_incident),
        delete="delete_incident",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.title,
    ),
    Trip(
        name="incident types",
        scope="incident_settings_write",
        api="v2.api.incidents_api.IncidentsApi",
        create=(
            "create_incident_type",
            "IncidentTypeCreateRequest",
            resource("incident_types", {"name": NAME, "is_default": False}),
        ),
        listing="list_incident_types",
        read="get_incident_type",
        change=(
            "update_incident_type",
            "IncidentTypePatchRequest",
            lambda i: resource("incident_types", {"name": LATER}, id=i),
        ),
        delete="delete_incident_type",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.name,
    ),
    Trip(
        name="notification templates",
        scope="incident_notification_settings_write",
        api="v2.api.incidents_api.IncidentsApi",
        create=(
            "create_incident_notification_template",
            "CreateIncidentNotificationTemplateRequest",
            resource("notification_templates", TEMPLATE),
        ),
        listing="list_incident_notification_templates",
        read="get_incident_notification_template",
        change=(
            "update_incident_notification_template",
            "PatchIncidentNotificationTemplateRequest",
            lambda i: resource("notification_templates", {"name": LATER}, id=i),
        ),
        delete="delete_incident_notification_template",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.name,
    ),
    Trip(
        name="notification rules",
        scope="incident_notification_settings_write",
        api="v2.api.incidents_api.IncidentsApi",
        create=(
            "create_incident_notification_rule",
            "CreateIncidentNotificationRuleRequest",
            resource("incident_notification_rules", RULE),
        ),
        listing="list_incident_notification_rules",
        read="get_incident_notification_rule",
        change=(
            "update_incident_notification_rule",
            "PutIncidentNotificationRuleRequest",
            lambda i: resource("incident_notification_rules", {**RULE, "handles": [LATER]}, id=i),
        ),
        delete="delete_incident_notification_rule",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.handles[0],
    ),
    Trip(
        name="teams",
        scope="teams_manage",
        api="v2.api.teams_api.TeamsApi",
        create=("create_team", "TeamCreateRequest", resource("team", TEAM)),
        listing="list_teams",
        read="get_team",
        change=(
            "update_team",
            "TeamUpdateRequest",
            lambda _: resource("team", {**TEAM, "name": LATER}),
        ),
        delete="delete_team",
        identify=data_id,
        items=data_ids,
        says=lambda answer: answer.data.attributes.name,
    ),
    Trip(
        name="service definitions",
        scope="apm_service_catalog_write",
        api="v2.api.service_definition_api.ServiceDefinitionApi",
        create=(
            "create_or_update_service_definitions",
            "ServiceDefinitionsCreateRequest",
            SERVICE,
        ),
        listing="list_service_definitions",
        read="get_service_definition",
        change=(
            "create_or_update_service_definitions",
            "ServiceDefinitionsCreateRequest",
            lambda _: {**SERVICE, "description": LATER},
        ),
        delete="delete_service_definition",
        identify=lambda answer: answer.data[0].attributes.schema.dd_service,
        items=lambda answer: [item.attributes.schema.dd_service for item in answer.data],
        says=lambda answer: answer.data.attributes.schema.description,
    ),
    Trip(
        name="webhooks",
        scope="create_webhooks",
        api="v1.api.webhooks_integration_api.WebhooksIntegrationApi",
        create=("create_webhooks_integration", "WebhooksIntegration", WEBHOOK),
        listing="",
        read="get_webhooks_integration",
        change=(
            "update_webhooks_integration",
            "WebhooksIntegrationUpdateRequest",
            lambda _: {"payload": LATER},
        ),
        delete="delete_webhooks_integration",
        identify=lambda answer: answer.name,
        items=list,
        says=lambda answer: answer.payload,
    ),
)
