"""Synthetic API tests, which are deleted by a call that lists them in its body."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.http.payload import json_body
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    checked,
    many,
    name,
    one_of,
    shaped,
    text,
    thing,
    whole,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import change, create, list_all, read
from ddoauth_kit.sandbox.resources.paging import Paging, path_ids
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind, unknown_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.resources.body_fields import Fields
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

PATH = "/api/v1/synthetics/tests"
_ONE = PATH + "/{public_id}"
_API = PATH + "/api/{public_id}"
_STATUS = _ONE + "/status"
_ASSERTED = (
    "body bodyHash certificate connection grpcHealthcheckStatus grpcMetadata grpcProto header "
    "javascript jitter latency mcpRespectsSpecification mcpServerCapabilities mcpToolCount "
    "mcpToolNameLength minTlsVersion multiNetworkHop networkHop packetLossPercentage "
    "packetsReceived property receivedMessage recordEvery recordSome responseTime statusCode "
    "tlsVersion"
)
_OPERATORS = (
    "contains doesNotContain doesNotExist doesNotMatch is isInLessThan isInMoreThan isNot "
    "isUndefined lessThan lessThanOrEqual matches md5 moreThan moreThanOrEqual sha1 sha256 "
    "validates validatesJSONPath validatesJSONSchema validatesXPath"
)
_ASSERTION = shaped(
    {"type": one_of(*_ASSERTED.split()), "operator": one_of(*_OPERATORS.split())},
    required=("type",),
)


def _is_interval(value: Any) -> bool:  # noqa: ANN401 - JSON is anything
    """Accept a number of seconds between half a minute and a week."""
    return whole(value) and 30 <= value <= 604800  # noqa: PLR2004 - the bounds are said above


def _is_assertion(value: Any) -> bool:  # noqa: ANN401 - JSON is anything
    """Accept a known assertion; the operator may be missing if the type doesn't need one."""
    return _ASSERTION(value) and (
        "operator" in value or value["type"] in {"javascript", "mcpRespectsSpecification"}
    )


_CONFIG = shaped(
    {
        "assertions": many(_is_assertion),
        "configVariables": many(shaped({"name": text, "type": text}, required=("name", "type"))),
        "request": shaped({"method": text, "url": text, "headers": thing, "host": text}),
        "steps": many(shaped({"name": text, "subtype": text}, required=("name", "subtype"))),
    }
)
_KINDS = ("http", "ssl", "tcp", "dns", "multi", "icmp", "udp", "websocket", "grpc", "mcp")


def _compose(draft: Draft) -> Item:
    admin = draft.org.admin
    fresh = {"status": "live", "tags": [], "subtype": "http", "created_at": draft.now}
    old = draft.old or {
        "public_id": draft.dashed("synthetics"),
        "monitor_id": draft.number("synthetics-monitor"),
        "creator": {"email": admin.email, "handle": admin.email, "name": admin.name},
        **fresh,
    }
    config = {"assertions": [], **draft.given["config"]}
    return {**old, **draft.given, "config": config, "modified_at": draft.now}


def _listing(page: PageOfItems) -> Item:
    return {"tests": page.items}


TESTS = ResourceKind(
    kind="synthetics",
    fields=MappingProxyType(
        {
            "name": name,
            "type": one_of("api"),
            "config": _CONFIG,
            "locations": many(name, least=1),
            "message": text,
            "options": shaped(
                {"tick_every": _is_interval, "retry": thing, "monitor_options": thing}
            ),
            "status": one_of("live", "paused"),
            "subtype": one_of(*_KINDS),
            "tags": many(text),
        }
    ),
    required=("name", "type", "config", "locations", "message", "options"),
    compose=_compose,
    unknown=unknown_as("Synthetics test not found"),
    samples=(
        {
            "name": "Sandbox shop answers",
            "type": "api",
            "subtype": "http",
            "status": "paused",
            "config": {
                "assertions": [{"operator": "is", "type": "statusCode", "target": 200}],
                "request": {"method": "GET", "url": "https://shop.example.com/health"},
            },
            "locations": ["aws:eu-central-1"],
            "message": "",
            "options": {"tick_every": 3600},
            "tags": ["team:sandbox"],
        },
    ),
    key=lambda item: str(item["public_id"]),
    listing=_listing,
    paging=Paging("page_size", "page_number", default=1000, counts_pages=True),
)


def _checked_body(incoming: Incoming, fields: Fields) -> Item:
    try:
        return checked(json_body(incoming), fields, required=tuple(fields))
    except InvalidBodyError as error:
        raise TESTS.complain(str(error)) from None


def delete_tests(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """Delete all tests that the body names, or none if any of them is unknown."""
    body = _checked_body(incoming, {"public_ids": many(text, least=1)})
    ids = list(dict.fromkeys(body["public_ids"]))
    for wanted in ids:
        TESTS.get(twin, org, wanted)

    def make() -> Answer:
        TESTS.shelf(twin, org).remove(ids)
        gone = iso(twin.clock.now())
        deleted = [{"public_id": each, "deleted_at": gone} for each in ids]
        return json_answer(200, {"deleted_tests": deleted})

    return make


def set_status(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """Pause or resume a test, and return `true`."""
    [wanted] = path_ids(_STATUS, incoming.path).values()
    old = TESTS.get(twin, org, wanted)
    body = _checked_body(incoming, {"new_status": one_of("live", "paused")})

    def make() -> Answer:
        TESTS.shelf(twin, org).replace(wanted, {**old, "status": body["new_status"]})
        return json_answer(200, True)  # noqa: FBT003 - it is the whole body

    return make


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("POST", PATH + "/api"): create(TESTS),
    ("GET", PATH): list_all(TESTS),
    ("GET", _ONE): read(TESTS, _ONE),
    ("GET", _API): read(TESTS, _API),
    ("PUT", _API): change(TESTS, _API, by=TESTS),
    ("PUT", _STATUS): set_status,
    ("POST", PATH + "/delete"): delete_tests,
}
