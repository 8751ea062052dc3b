"""Datadog's own client reads and sends, and finds nothing that it cannot parse."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.dashboards_api import DashboardsApi
from datadog_api_client.v1.api.events_api import EventsApi as EventsV1
from datadog_api_client.v1.api.metrics_api import MetricsApi as MetricsV1
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.api.service_checks_api import ServiceChecksApi
from datadog_api_client.v1.model.event_create_request import EventCreateRequest
from datadog_api_client.v1.model.service_check import ServiceCheck
from datadog_api_client.v1.model.service_check_status import ServiceCheckStatus
from datadog_api_client.v1.model.service_checks import ServiceChecks
from datadog_api_client.v2.api.events_api import EventsApi as EventsV2
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.api.metrics_api import MetricsApi as MetricsV2
from datadog_api_client.v2.api.users_api import UsersApi
from datadog_api_client.v2.model.events_list_request import EventsListRequest
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem
from datadog_api_client.v2.model.logs_list_request import LogsListRequest
from datadog_api_client.v2.model.metric_payload import MetricPayload
from datadog_api_client.v2.model.metric_point import MetricPoint
from datadog_api_client.v2.model.metric_series import MetricSeries
from support.official import by_key, by_token, parsed

if TYPE_CHECKING:
    from conftest import Partner
    from datadog_api_client import ApiClient

NOW = 1767225600


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep loopback off any proxy, and the environment's keys out of the client."""
    for name in ("http_proxy", "HTTP_PROXY", "DD_API_KEY", "DD_APP_KEY", "DD_SITE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def as_token(partner: Partner, stack: Any) -> Any:
    """Log the official client in by bearer token, with the given scopes."""

    def make(**changes: str) -> ApiClient:
        token = partner.tokens(**changes)["access_token"]
        return by_token(partner.urls["api_url"], token, stack=stack)

    return make


@pytest.fixture
def as_key(partner: Partner, stack: Any) -> Any:
    """Log the official client in by API key, at the host of a role."""

    def make(key: str, host: str = "api_url") -> ApiClient:
        return by_key(partner.urls[host], key, stack=stack)

    return make


def test_it_reads_the_account(as_token: Any) -> None:
    """Current user, users, monitors and dashboards parse."""
    client = as_token()
    user = parsed(UsersApi(client).get_current_user())
    assert user.data.attributes.email == "ada@acme.example"
    assert len(user.included) == 2
    assert len(parsed(UsersApi(client).list_users()).data) == 1
    monitors = parsed(MonitorsApi(client).list_monitors())
    assert len(monitors) == 2
    one = parsed(MonitorsApi(client).get_monitor(monitors[0].id))
    assert one.name == monitors[0].name
    with pytest.raises(NotFoundException):
        MonitorsApi(client).get_monitor(1)
    assert len(parsed(DashboardsApi(client).list_dashboards()).dashboards) == 1


def test_it_sends_and_reads_back(partner: Partner, as_token: Any, as_key: Any) -> None:
    """Metrics, logs, events and checks go in by key and come out by token."""
    key = partner.key()
    assert AuthenticationApi(as_key(key)).validate().valid
    point = MetricPoint(timestamp=NOW, value=4.5)
    series = MetricSeries(metric="shop.orders", points=[point], tags=["shop:a"])
    parsed(MetricsV2(as_key(key)).submit_metrics(MetricPayload(series=[series])))
    log = HTTPLog([HTTPLogItem(message="paid", service="shop", ddtags="env:prod")])
    parsed(LogsApi(as_key(key, "logs_intake_url")).submit_log(log))
    event = EventCreateRequest(title="Deploy", text="v2", tags=["env:prod"])
    created = parsed(EventsV1(as_key(key)).create_event(event))
    check = ServiceCheck(check="ok", host_name="web", status=ServiceCheckStatus(0), tags=[])
    parsed(ServiceChecksApi(as_key(key)).submit_service_check(ServiceChecks([check])))

    client = as_token()
    found = parsed(MetricsV1(client).query_metrics(NOW - 60, NOW + 60, "avg:shop.orders{*}"))
    assert found.series[0].pointlist[0].value == [NOW * 1000, 4.5]
    assert parsed(MetricsV1(client).list_active_metrics(NOW - 60)).metrics == ["shop.orders"]
    assert len(parsed(MetricsV2(client).list_tag_configurations()).data) == 1
    logs = parsed(LogsApi(client).list_logs(body=LogsListRequest()))
    assert logs.data[0].attributes.message == "paid"
    assert isinstance(logs.data[0].attributes.timestamp, dt.datetime)
    listed = parsed(EventsV1(client).list_events(NOW - 60, NOW + 60))
    assert listed.events[0].id == created.event.id
    assert len(parsed(EventsV2(client).list_events()).data) == 1
    searched = parsed(EventsV2(client).search_events(body=EventsListRequest()))
    assert searched.data[0].attributes.attributes.title == "Deploy"


def test_it_is_forbidden_without_the_scope(as_token: Any) -> None:
    """A token with another scope raises the client's own exception."""
    client = as_token(scope="events_read")
    for call in (
        lambda: MonitorsApi(client).list_monitors(),
        lambda: MetricsV1(client).list_active_metrics(NOW),
        lambda: UsersApi(client).list_users(),
    ):
        with pytest.raises(ForbiddenException):
            call()
    assert parsed(EventsV1(client).list_events(NOW, NOW)).events == []


def test_it_is_refused_with_a_wrong_key_or_body(partner: Partner, as_key: Any) -> None:
    """A wrong key is forbidden, and an old event is a bad request."""
    with pytest.raises(ForbiddenException):
        AuthenticationApi(as_key("0" * 32)).validate()
    old = EventCreateRequest(title="a", text="b", date_happened=NOW - 10**6)
    with pytest.raises(ApiException) as caught:
        EventsV1(as_key(partner.key())).create_event(old)
    assert caught.value.status == 400
