"""Downtimes of the v2 API; a cancelled one disappears at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.resources import jsonapi
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    flag,
    many,
    maybe,
    name,
    one_of,
    shaped,
    text,
    whole,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import handlers_of
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import (
    Draft,
    ResourceKind,
    complain_as_text,
    unknown_as,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item

PATH = "/api/v2/downtime"


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_moment(value))
    except (ValueError, OverflowError):
        return False


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


_RECURRENCE = shaped(
    {"rrule": name, "duration": name, "start": maybe(text)}, required=("rrule", "duration")
)
_SCHEDULE = shaped(
    {
        "start": maybe(_is_time),
        "end": maybe(_is_time),
        "recurrences": many(_RECURRENCE, least=1),
        "timezone": text,
    }
)


def _watches(value: object) -> bool:
    """Accept either a monitor's id or monitor tags, but not both."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return whole(value.get("monitor_id")) or many(text, least=1)(value.get("monitor_tags"))


def _compose(draft: Draft) -> Item:
    given = dict(draft.given)
    old: Item = draft.old["attributes"] if draft.old else {}
    if "schedule" in given or not old:
        given |= _scheduled(draft, given.get("schedule") or {})
    fresh = {
        "message": None,
        "display_timezone": "UTC",
        "mute_first_recovery_notification": False,
        "notify_end_states": ["alert", "no data", "warn"],
        "notify_end_types": ["expired"],
        "created": draft.now,
        "canceled": None,
    }
    watched = {**old, **given}["monitor_identifier"].get("monitor_id")
    return jsonapi.composed(
        draft,
        "downtime",
        attributes={**(fresh if not old else {}), **given, "modified": draft.now},
        relationships={
            "created_by": jsonapi.link("users", draft.org.admin.id),
            "monitor": jsonapi.link("monitors", None if watched is None else str(watched)),
        },
    )


def _scheduled(draft: Draft, schedule: Item) -> Item:
    """Return the schedule as shown in responses, and the status that results from it."""
    if "recurrences" in schedule:
        each = [{"start": draft.now, **one} for one in schedule["recurrences"]]
        shown = {"recurrences": each, "timezone": schedule.get("timezone", "UTC")}
        shown["current_downtime"] = {"start": draft.now, "end": None}
        return {"schedule": shown, "status": "scheduled"}
    start, end = _span(draft, schedule)
    status = "scheduled" if start > draft.moment else "active"
    shown_end = None if end is None else iso(end)
    return {"schedule": {"start": iso(start), "end": shown_end}, "status": status}


def _span(draft: Draft, schedule: Item) -> tuple[datetime, datetime | None]:
    start = draft.moment if schedule.get("start") is None else _moment(schedule["start"])
    end = None if schedule.get("end") is None else _moment(schedule["end"])
    return start, end


def _verify(draft: Draft) -> None:
    """Refuse a downtime that ends before it starts."""
    schedule: dict[str, Any] = draft.given.get("schedule") or {}
    if "recurrences" not in schedule:
        start, end = _span(draft, schedule)
        if end is not None and end <= start:
            raise InvalidBodyError("Invalid downtime: end must be after start")


def _listing(page: PageOfItems) -> Item:
    return {"data": page.items, "meta": {"page": {"total_filtered_count": page.total}}}


def _is_current(item: Item, wanted: str) -> bool:
    return wanted.lower() != "true" or item["attributes"]["status"] == "active"


DOWNTIMES = ResourceKind(
    kind="downtime",
    fields=MappingProxyType(
        {
            "scope": name,
            "monitor_identifier": _watches,
            "message": maybe(text),
            "display_timezone": maybe(text),
            "schedule": maybe(_SCHEDULE),
            "mute_first_recovery_notification": flag,
            "notify_end_states": many(one_of("alert", "no data", "warn")),
            "notify_end_types": many(one_of("canceled", "expired")),
        }
    ),
    required=("scope", "monitor_identifier"),
    compose=_compose,
    read=jsonapi.reads("downtime"),
    verify=_verify,
    complain=complain_as_text,
    unknown=unknown_as("Downtime {0} not found"),
    samples=(
        {
            "scope": "env:sandbox",
            "monitor_identifier": {"monitor_tags": ["team:sandbox"]},
            "message": "Sandbox maintenance",
            "schedule": {"start": "2030-01-01T00:00:00Z", "end": "2030-01-01T01:00:00Z"},
        },
    ),
    show=jsonapi.show,
    listing=_listing,
    filters=MappingProxyType({"current_only": _is_current}),
    paging=Paging("page[limit]", "page[offset]", default=30),
)
HANDLERS: Mapping[tuple[str, str], Handler] = handlers_of(
    DOWNTIMES,
    PATH,
    PATH + "/{downtime_id}",
    changes=replace(DOWNTIMES, required=()),
    method="PATCH",
)
