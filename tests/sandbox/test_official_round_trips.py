"""Datadog's own client creates, lists, reads, changes and deletes, and then finds nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from datadog_api_client.exceptions import ForbiddenException, NotFoundException
from support.official import by_token, parsed
from support.round_trips import CASE_TYPE, LATER, NAME, TRIPS, Trip, linked, resource

from ddoauth_kit.sandbox.facts.catalogue import catalogue

if TYPE_CHECKING:
    from conftest import Partner
    from datadog_api_client import ApiClient

# The client warns of each operation in preview; incidents and their settings all are.
pytestmark = pytest.mark.filterwarnings("ignore:Using unstable operation:UserWarning")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep loopback off any proxy, and the environment's keys out of the client."""
    for name in ("http_proxy", "HTTP_PROXY", "DD_API_KEY", "DD_APP_KEY", "DD_SITE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(partner: Partner, stack: Any) -> ApiClient:
    """Give the official client with a token that may do everything."""
    token = partner.tokens()["access_token"]
    return by_token(partner.urls["api_url"], token, stack=stack)


@pytest.fixture
def narrow(partner: Partner, stack: Any) -> Any:
    """Log the official client in without one scope."""

    def make(without: str) -> ApiClient:
        scopes = sorted(catalogue().descriptions.keys() - {without, "monitors_draft_write"})
        token = partner.tokens(scope=" ".join(scopes))["access_token"]
        return by_token(partner.urls["api_url"], token, stack=stack)

    return make


class Traveller:
    """Make the calls of a trip, and let nothing pass that the client cannot parse."""

    def __init__(self, trip: Trip, client: ApiClient) -> None:
        self.trip = trip
        self.client = client
        self.service = trip.service(client)

    def body(self, model: str, content: Any) -> Any:
        """Return a body that is valid by the client's own model of it."""
        text = json.dumps(content, default=str)
        return parsed(self.client.deserialize(text, (self.trip.model(model),), check_type=True))

    def create(self) -> Any:
        """Create the resource and return its id."""
        method, model, content = self.trip.create
        made = parsed(getattr(self.service, method)(self.body(model, content)))
        return self.trip.identify(made)

    def listed(self) -> list[Any]:
        """Return the ids of the listing; one service has none."""
        if not self.trip.listing:
            return []
        return self.trip.items(parsed(getattr(self.service, self.trip.listing)()))

    def read(self, wanted: Any) -> str:
        """Read one resource and return the text that a change changes."""
        return self.trip.says(parsed(getattr(self.service, self.trip.read)(wanted)))

    def change(self, wanted: Any) -> None:
        """Change one resource."""
        method, model, content = self.trip.change
        body = self.body(model, content(wanted))
        ids = () if method == self.trip.create[0] else (wanted,)
        parsed(getattr(self.service, method)(*ids, body))

    def delete(self, wanted: Any) -> None:
        """Delete one resource."""
        argument = wanted
        if self.trip.deletes_by_body is not None:
            model, content = self.trip.deletes_by_body
            argument = self.body(model, content(wanted))
        parsed(getattr(self.service, self.trip.delete)(argument))


@pytest.mark.behaviour("resource-kept")
@pytest.mark.behaviour("resource-unknown")
@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.name)
def test_round_trip(client: ApiClient, trip: Trip) -> None:
    """A created resource is listed, read, changed and removed, and then no longer found."""
    traveller = Traveller(trip, client)
    before = traveller.listed()
    assert bool(before) == bool(trip.listing)
    made = traveller.create()
    assert traveller.read(made)
    assert traveller.listed() == ([*before, made] if trip.listing else [])
    assert traveller.read(made) != LATER
    traveller.change(made)
    assert traveller.read(made) == LATER
    traveller.delete(made)
    assert traveller.listed() == before
    for call in (traveller.read, traveller.delete):
        with pytest.raises(NotFoundException):
            call(made)
    if trip.name != "service definitions":
        with pytest.raises(NotFoundException):
            traveller.change(made)


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.name)
def test_samples_live_like_others(client: ApiClient, trip: Trip) -> None:
    """An org's initial resources can also be read, changed and deleted."""
    traveller = Traveller(trip, client)
    last = traveller.listed()[-1] if trip.listing else "sandbox-webhook"
    assert traveller.read(last) != LATER
    if trip.name != "service definitions":
        traveller.change(last)
        assert traveller.read(last) == LATER
    traveller.delete(last)
    with pytest.raises(NotFoundException):
        traveller.read(last)


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.name)
def test_nothing_changes_without_the_scope(client: ApiClient, narrow: Any, trip: Trip) -> None:
    """A token that lacks the write scope is forbidden to, and leaves everything as it was."""
    traveller, refused = Traveller(trip, client), Traveller(trip, narrow(trip.scope))
    made = traveller.create()
    before = traveller.listed()
    with pytest.raises(ForbiddenException):
        refused.create()
    # The spec lists no scope of their own for changing a team, or anything of a webhook.
    if trip.name not in {"teams", "webhooks"}:
        with pytest.raises(ForbiddenException):
            refused.change(made)
    if trip.name != "webhooks":
        with pytest.raises(ForbiddenException):
            refused.delete(made)
    assert traveller.listed() == before
    assert traveller.read(made) != LATER


def test_every_write_scope_of_the_partners_has_a_trip() -> None:
    """All scopes in real registrations are covered."""
    assert {trip.scope for trip in TRIPS} == {
        "apm_service_catalog_write",
        "cases_write",
        "create_webhooks",
        "dashboards_write",
        "incident_notification_settings_write",
        "incident_settings_write",
        "incident_write",
        "monitors_downtime",
        "monitors_write",
        "slos_write",
        "synthetics_write",
        "teams_manage",
    }


@pytest.mark.behaviour("case-archived")
def test_cases(client: ApiClient) -> None:
    """A case is created in a project, changed by calls, archived, and deleted with its project."""
    projects = next(Traveller(t, client) for t in TRIPS if t.name == "case projects")
    project = projects.create()
    service = projects.service

    def say(call: str, model: str, attributes: dict[str, Any], case_id: str) -> Any:
        body = projects.body(model, resource("case", attributes))
        return parsed(getattr(service, call)(case_id, body)).data.attributes

    link = {"project": linked("project", project)}
    content = resource("case", {"title": NAME, "type_id": CASE_TYPE}, relationships=link)
    made = parsed(service.create_case(projects.body("CaseCreateRequest", content))).data
    assert made.attributes.key == "DDOAUTHKIT-1"
    assert [made.id] == [i.id for i in parsed(service.search_cases()).data if i.id == made.id]
    assert parsed(service.get_case(made.attributes.key)).data.id == made.id
    title = say("update_case_title", "CaseUpdateTitleRequest", {"title": LATER}, made.id)
    assert title.title == LATER
    priority = say("update_priority", "CaseUpdatePriorityRequest", {"priority": "P5"}, made.id)
    assert str(priority.priority) == "P5"
    status = say("update_status", "CaseUpdateStatusRequest", {"status": "CLOSED"}, made.id)
    assert str(status.status_group) == "SG_CLOSED"
    assert status.closed_at
    empty = projects.body("CaseEmptyRequest", {"data": {"type": "case"}})
    assert parsed(service.archive_case(made.id, empty)).data.attributes.archived_at
    assert parsed(service.get_case(made.id)).data.attributes.title == LATER
    projects.delete(project)
    with pytest.raises(NotFoundException):
        service.get_case(made.id)
    assert made.id not in [i.id for i in parsed(service.search_cases()).data]
