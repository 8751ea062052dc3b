"""Service level objectives, whose service returns everything in a list called `data`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    many,
    maybe,
    name,
    number,
    one_of,
    shaped,
    text,
    thing,
    whole,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import handlers_of
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind, unknown_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

PATH = "/api/v1/slo"
_TIMEFRAME = one_of("7d", "30d", "90d", "custom")
_THRESHOLD = shaped(
    {"target": number, "timeframe": _TIMEFRAME, "warning": number}, required=("target", "timeframe")
)
_QUERY = shaped({"numerator": name, "denominator": name}, required=("numerator", "denominator"))
# The fields that say how each type measures; any one of them is enough.
_MEASURES = {
    "metric": ("query", "sli_specification"),
    "monitor": ("monitor_ids",),
    "time_slice": ("sli_specification",),
}


def _compose(draft: Draft) -> Item:
    admin = draft.org.admin
    seconds = int(draft.moment.timestamp())
    fresh = {
        "description": "",
        "tags": [],
        "monitor_tags": [],
        "creator": {"email": admin.email, "handle": admin.email, "name": admin.name},
        "created_at": seconds,
    }
    old = draft.old or {"id": draft.uuid("slo"), **fresh}
    thresholds = [_displayed(threshold) for threshold in draft.given["thresholds"]]
    return {**old, **draft.given, "thresholds": thresholds, "modified_at": seconds}


def _displayed(threshold: Item) -> Item:
    shown = {
        f"{key}_display": _display(threshold[key])
        for key in ("target", "warning")
        if key in threshold
    }
    return {**threshold, **shown}


def _display(percent: float) -> str:
    digits = str(percent).removesuffix(".0")
    return digits if "." in digits else f"{digits}."


def _verify(draft: Draft) -> None:
    """Refuse an objective without the measurement that its type needs."""
    kind = draft.given["type"]
    if draft.old is not None and draft.old["type"] != kind:
        raise InvalidBodyError("The type of an SLO cannot be changed.")
    if not any(draft.given.get(field) for field in _MEASURES[kind]):
        raise InvalidBodyError(f"An SLO of type {kind} needs {' or '.join(_MEASURES[kind])}.")


def _shown(item: Item) -> Item:
    return {"data": [item], "error": None}


def _listing(page: PageOfItems) -> Item:
    counts = {"total_count": page.total, "total_filtered_count": page.total}
    return {"data": page.items, "error": None, "metadata": {"page": counts}}


def _deleted(wanted: str) -> Answer:
    return json_answer(200, {"data": [wanted], "error": None})


SLOS = ResourceKind(
    kind="slo",
    fields=MappingProxyType(
        {
            "name": name,
            "type": one_of(*_MEASURES),
            "thresholds": many(_THRESHOLD, least=1),
            "description": maybe(text),
            "groups": many(text),
            "monitor_ids": many(whole),
            "query": _QUERY,
            "sli_specification": thing,
            "tags": many(text),
            "target_threshold": number,
            "timeframe": _TIMEFRAME,
            "warning_threshold": number,
        }
    ),
    required=("name", "type", "thresholds"),
    compose=_compose,
    verify=_verify,
    unknown=unknown_as("SLO not found: {0} not found"),
    samples=(
        {
            "name": "Sandbox orders succeed",
            "type": "metric",
            "query": {
                "numerator": "sum:shop.orders{status:ok}.as_count()",
                "denominator": "sum:shop.orders{*}.as_count()",
            },
            "thresholds": [{"target": 99.9, "timeframe": "30d"}],
            "tags": ["team:sandbox"],
        },
    ),
    show=_shown,
    listing=_listing,
    filters=MappingProxyType(
        {
            "ids": lambda item, wanted: item["id"] in wanted.split(","),
            "query": lambda item, wanted: wanted in item["name"],
        }
    ),
    paging=Paging("limit", "offset", default=1000),
    deleted=_deleted,
)


def get_slo(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Show one objective on its own, not in a list."""
    item = SLOS.get(twin, org, incoming.path.rpartition("/")[2])
    return json_answer(200, {"data": item})


HANDLERS: Mapping[tuple[str, str], Handler] = {
    **handlers_of(SLOS, PATH, PATH + "/{slo_id}", changes=SLOS, method="PUT"),
    ("GET", PATH + "/{slo_id}"): get_slo,
}
