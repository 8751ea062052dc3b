"""Check API requests and route them to the handlers of their operations."""

from __future__ import annotations

from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.api import (
    account,
    authentication,
    authorization_changes,
    authorized_clients,
    events,
    logs,
    metrics,
)
from ddoauth_kit.sandbox.api.access import api_key, bearer_grant, check_scopes
from ddoauth_kit.sandbox.api.error_shapes import reshape
from ddoauth_kit.sandbox.api.existing_ids import check_ids, check_parents, shape_of
from ddoauth_kit.sandbox.api.generic_operations import answer_operation, check_body_of, check_query
from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.facts.catalogue import MARKETPLACE_KEY
from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.all_kinds import RESOURCE_HANDLERS
from ddoauth_kit.sandbox.resources.described_handlers import (
    described_handlers,
    described_readers,
    members_handlers,
    settings_handlers,
)
from ddoauth_kit.sandbox.state.rate_limits import with_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.grants import Grant
    from ddoauth_kit.sandbox.state.issued_api_keys import ApiKey
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

    Change = Callable[[], Answer]
    Handler = Callable[[Twin, Incoming, Org], Answer | Change]

    from ddoauth_kit.sandbox.facts.sites import Site

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


HANDLERS: Mapping[tuple[str, str], Handler] = MappingProxyType(
    {
        ("GET", "/api/v2/current_user"): account.get_current_user,
        ("GET", "/api/v1/query"): metrics.query_metrics,
        ("GET", "/api/v1/metrics"): metrics.list_active_metrics,
        ("GET", "/api/v2/metrics"): metrics.list_tag_configurations,
        ("POST", "/api/v2/logs/events/search"): logs.search_logs,
        ("GET", "/api/v1/events"): events.list_events_v1,
        ("GET", "/api/v2/events"): events.list_events_v2,
        ("POST", "/api/v2/events/search"): events.search_events,
        ("GET", "/api/v1/validate"): authentication.validate_key_v1,
        ("GET", "/api/v2/validate"): authentication.validate_key_v2,
        ("GET", "/api/v2/validate_keys"): authentication.validate_bearer,
        ("GET", "/api/v2/permissions"): account.list_permissions,
        ("GET", "/api/v2/org_authorized_clients"): authorized_clients.list_authorized_clients,
        (
            "GET",
            "/api/v2/org_authorized_clients/{org_authorized_client_id}",
        ): authorized_clients.get_authorized_client,
        **authorization_changes.HANDLERS,
        ("POST", "/api/v2/series"): metrics.submit_metrics,
        ("POST", "/api/v1/events"): events.create_event,
        ("POST", "/api/v1/check_run"): events.submit_service_check,
        ("POST", "/api/v2/logs"): logs.submit_logs,
    }
)


def call_operation(twin: Twin, incoming: Incoming, operation: Operation) -> Answer:
    """Check the caller, and answer a call to one operation in the catalogue."""
    try:
        return _limited(twin, incoming, operation)
    except Refusal as refusal:
        if twin.profile.shapes_errors:
            raise reshape(refusal, operation) from None
        raise


def _limited(twin: Twin, incoming: Incoming, operation: Operation) -> Answer:
    try:
        if twin.profile.misses_products and is_missing(operation, site=incoming.site):
            raise api_refusal("product-missing", 404, "Not found")
        if operation.needs_key:
            org = api_key(twin, incoming).org
            answer = _made(_handler(operation)(twin, incoming, org))
            return answer.with_headers(*twin.limits.uncounted(operation))
        grant = bearer_grant(twin, incoming, operation)
    except Refusal as refusal:
        raise with_headers(refusal, *twin.limits.uncounted(operation)) from None
    return _granted(twin, incoming, operation, grant=grant)


def _granted(twin: Twin, incoming: Incoming, operation: Operation, *, grant: Grant) -> Answer:
    headers = twin.limits.count(operation, org=grant.org)
    try:
        is_late = twin.profile.validates_first and operation.id != MARKETPLACE_KEY
        if not is_late:
            check_scopes(grant, operation)
        if operation.id == MARKETPLACE_KEY:
            return _create_key(twin, grant).with_headers(*headers)
        outcome = _handler(operation)(twin, incoming, grant.org)
        if is_late:  # after validation, and before the first change
            check_scopes(grant, operation)
        answer = _made(outcome)
    except Refusal as refusal:
        raise with_headers(refusal, *headers) from None
    return answer.with_headers(*headers)


def _made(outcome: Answer | Change) -> Answer:
    return outcome if isinstance(outcome, Answer) else outcome()


def _handler(operation: Operation) -> Handler:
    address = (operation.method, operation.path)
    handler = HANDLERS.get(address) or RESOURCE_HANDLERS.get(address)
    if handler is not None:
        return handler
    if address in _described():
        return partial(_serve_described, operation=operation)
    if address in _settings():
        return partial(_serve_settings, operation=operation)
    if address in _members():
        return partial(_serve_members, operation=operation)
    return partial(answer_operation, operation=operation, readers=_readers())


def _serve_described(
    twin: Twin, incoming: Incoming, org: Org, *, operation: Operation
) -> Answer | Change:
    check_query(incoming, operation)
    if operation.method == "DELETE":
        check_body_of(incoming, operation)
    check_parents(twin, incoming, org, operation=operation, readers=_readers())
    return _described()[operation.method, operation.path](twin, incoming, org)


def _serve_settings(
    twin: Twin, incoming: Incoming, org: Org, *, operation: Operation
) -> Answer | Change:
    check_query(incoming, operation)
    check_body_of(incoming, operation)
    check_ids(twin, incoming, org, operation=operation, readers=_readers())
    return _settings()[operation.method, operation.path](twin, incoming, org)


def _serve_members(
    twin: Twin, incoming: Incoming, org: Org, *, operation: Operation
) -> Answer | Change:
    check_query(incoming, operation)
    check_parents(twin, incoming, org, operation=operation, readers=_readers())
    return _members()[operation.method, operation.path](twin, incoming, org)


@cache
def _members() -> Mapping[tuple[str, str], Handler]:
    """Return the handlers for lists of members, creating them on first use."""
    return members_handlers({*HANDLERS, *RESOURCE_HANDLERS, *_described(), *_settings()})


@cache
def _settings() -> Mapping[tuple[str, str], Handler]:
    """Return the handlers for settings, creating them on first use."""
    return settings_handlers({*HANDLERS, *RESOURCE_HANDLERS})


@cache
def _described() -> Mapping[tuple[str, str], Handler]:
    """Return the handlers for kinds without their own service, creating them on first use."""
    return described_handlers({*HANDLERS, *RESOURCE_HANDLERS})


@cache
def _readers() -> Mapping[str, Handler]:
    """Return the functions that read single items from the stores, by path template."""
    own = {**HANDLERS, **RESOURCE_HANDLERS}
    readers = dict(described_readers({*own}))
    readers |= {
        path: handler
        for (method, path), handler in own.items()
        if method == "GET" and path.endswith("}")
    }
    return MappingProxyType({shape_of(path): handler for path, handler in readers.items()})


def _create_key(twin: Twin, grant: Grant) -> Answer:
    exists = twin.faults.strikes("key-exists")
    key = None if exists else twin.keys.create(grant.client, org=grant.org)
    if key is None:
        raise api_refusal("api-key-once", 409, "An API key with this name already exists")
    return json_answer(201, {"data": _key_resource(key)})


def _key_resource(key: ApiKey) -> dict[str, Any]:
    admin = {"data": {"type": "users", "id": key.org.admin.id}}
    return {
        "type": "api_keys",
        "id": key.id,
        "attributes": {
            "created_at": iso(key.created),
            "key": key.value,
            "last4": key.last4,
            "modified_at": iso(key.created),
            "name": key.name,
            "remote_config_read_enabled": False,
            "category": "default",
            "leak_information": None,
        },
        "relationships": {"created_by": admin, "modified_by": admin},
    }


def is_missing(operation: Operation, *, site: Site) -> bool:
    """Return whether a site lacks the product area of an operation."""
    return operation.area in MISSING.get(site.name, ())
