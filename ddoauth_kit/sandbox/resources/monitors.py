"""Monitors, which are plain objects with integer ids, as is usual in Datadog's older services."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    flag,
    many,
    maybe,
    name,
    number,
    one_of,
    shaped,
    text,
    whole,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import handlers_of
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.state.created_resources import Item

PATH = "/api/v1/monitor"
_COMPARED = (
    "metric alert",
    "query alert",
    "log alert",
    "event alert",
    "event-v2 alert",
    "process alert",
    "rum alert",
    "trace-analytics alert",
    "slo alert",
    "audit alert",
    "ci-pipelines alert",
    "ci-tests alert",
    "error-tracking alert",
    "database-monitoring alert",
    "network-performance alert",
    "network-path alert",
    "cost alert",
    "data-quality alert",
    "data-jobs alert",
    "llm-observability alert",
)
_TYPES = (*_COMPARED, "composite", "service check", "synthetics alert")
_THRESHOLDS = ("critical", "warning", "ok", "unknown", "critical_recovery", "warning_recovery")
_SECONDS = ("evaluation_delay", "new_group_delay", "new_host_delay", "no_data_timeframe")
_FLAGS = ("include_tags", "locked", "notify_audit", "notify_no_data", "require_full_window")
_OPTIONS: dict[str, Any] = {
    "thresholds": shaped(dict.fromkeys(_THRESHOLDS, maybe(number))),
    **dict.fromkeys((*_SECONDS, "renotify_interval", "timeout_h"), maybe(whole)),
    **dict.fromkeys(_FLAGS, flag),
    "escalation_message": text,
}


def _compose(draft: Draft) -> Item:
    admin = draft.org.admin
    fresh = {
        "id": 0,
        "name": "",
        "type": "",
        "query": "",
        "message": "",
        "tags": [],
        "overall_state": "No Data",
        "multi": " by {" in draft.given.get("query", ""),
        "priority": None,
        "restricted_roles": None,
        "created": draft.now,
        "modified": draft.now,
        "deleted": None,
        "creator": {"email": admin.email, "handle": admin.email, "name": admin.name},
        "options": {},
    }
    if draft.old is None:
        fresh["id"] = _new_id(draft)
    return {**(draft.old or fresh), **draft.given, "modified": draft.now}


def _new_id(draft: Draft) -> int:
    if draft.sample is None:
        return draft.number("monitor")
    return draft.twin.mint.number(f"monitor:{draft.org.id}:{draft.given['name']}")


def _verify(draft: Draft) -> None:
    """Refuse a query without the comparison that an alert of its type needs."""
    whole_of_it = {**(draft.old or {}), **draft.given}
    if whole_of_it["type"] in _COMPARED and not re.search(r"[<>]=?\s*\S", whole_of_it["query"]):
        raise InvalidBodyError(
            "The value provided for parameter 'query' is invalid: invalid operator specified: "
        )


def _unknown(_wanted: str) -> Refusal:
    return api_refusal("monitor-not-found", 404, "Monitor not found")


def _deleted(wanted: str) -> Answer:
    return json_answer(200, {"deleted_monitor_id": int(wanted)})


def _sample(title: str, kind: str, query: str, state: str, critical: float) -> Item:
    return {
        "name": title,
        "type": kind,
        "query": query,
        "message": "Look at the dashboard first.",
        "tags": ["team:sandbox"],
        "overall_state": state,
        "options": {"thresholds": {"critical": critical}},
    }


MONITORS = ResourceKind(
    kind="monitor",
    fields=MappingProxyType(
        {
            "type": one_of(*_TYPES),
            "query": name,
            "name": text,
            "message": text,
            "tags": many(text),
            "priority": maybe(whole),
            "restricted_roles": maybe(many(text)),
            "draft_status": one_of("draft", "published"),
            "options": shaped(_OPTIONS),
        }
    ),
    required=("type", "query"),
    compose=_compose,
    verify=_verify,
    unknown=_unknown,
    samples=(
        _sample(
            "CPU is busy", "metric alert", "avg(last_5m):avg:system.cpu.user{*} > 90", "OK", 90.0
        ),
        _sample(
            "Orders stopped", "query alert", "sum(last_1h):sum:shop.orders{*} < 1", "No Data", 1.0
        ),
    ),
    filters=MappingProxyType({"name": lambda item, wanted: wanted in item["name"]}),
    paging=Paging("page_size", "page", default=1000, counts_pages=True),
    deleted=_deleted,
)
HANDLERS: Mapping[tuple[str, str], Handler] = handlers_of(
    MONITORS, PATH, PATH + "/{monitor_id}", changes=replace(MONITORS, required=()), method="PUT"
)
