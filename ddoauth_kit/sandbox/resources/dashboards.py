"""Dashboards, which are complete when read or changed, but abridged in listings."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import NO_CONTENT, Answer, json_answer
from ddoauth_kit.sandbox.http.payload import json_body
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    checked,
    flag,
    many,
    maybe,
    one_of,
    shaped,
    text,
    thing,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import handlers_of
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind, unknown_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

PATH = "/api/v1/dashboard"
_WIDGETS = (
    "alert_graph alert_value bar_chart change check_status cohort distribution embedded_app "
    "event_stream event_timeline free_text funnel geomap group heatgrid heatmap hostmap iframe "
    "image list_stream log_stream manage_status note point_plot powerpack query_table query_value "
    "retention_curve run_workflow sankey scatterplot servicemap slo slo_list split_group sunburst "
    "timeseries toplist topology_map trace_service treemap wildcard"
)
_WIDGET = shaped(
    {
        "definition": shaped(
            {"type": one_of(*_WIDGETS.split()), "content": text}, required=("type",)
        ),
        "layout": thing,
    },
    required=("definition",),
)
_VARIABLE = shaped({"name": text, "defaults": many(text)}, required=("name",))
_SHORT = (
    "id",
    "title",
    "description",
    "author_handle",
    "created_at",
    "modified_at",
    "url",
    "is_read_only",
    "layout_type",
)


def _compose(draft: Draft) -> Item:
    dashboard_id = draft.old["id"] if draft.old else _new_id(draft)
    words = re.sub(r"[^a-z0-9]+", "-", draft.given["title"].lower()).strip("-")
    if draft.sample is not None:
        words = "at-a-glance"
    made = draft.old["created_at"] if draft.old else draft.now
    return {
        "id": dashboard_id,
        "description": None,
        "author_handle": draft.org.admin.email,
        "author_name": draft.org.admin.name,
        "created_at": made,
        "url": f"/dashboard/{dashboard_id}/{words}",
        "is_read_only": False,
        "notify_list": None,
        "template_variables": None,
        "restricted_roles": [],
        **draft.given,
        "title": _title(draft),
        "widgets": [_widget(draft, widget) for widget in draft.given["widgets"]],
        "modified_at": draft.now,
    }


def _title(draft: Draft) -> str:
    title: str = draft.given["title"]
    return title if draft.sample is None else f"{draft.org.name} {title}"


def _new_id(draft: Draft) -> str:
    if draft.sample is None:
        return draft.dashed("dashboard")
    mark = draft.twin.mint.uuid(f"dashboard:{draft.org.id}").replace("-", "")
    return f"{mark[:3]}-{mark[3:6]}-{mark[6:9]}"


def _widget(draft: Draft, widget: Item) -> Item:
    if isinstance(widget.get("id"), int):
        return widget
    return {**widget, "id": draft.number("widget")}


def _listing(page: PageOfItems) -> Item:
    return {"dashboards": [{key: item[key] for key in _SHORT} for item in page.items]}


def _deleted(wanted: str) -> Answer:
    return json_answer(200, {"deleted_dashboard_id": wanted})


DASHBOARDS = ResourceKind(
    kind="dashboard",
    fields=MappingProxyType(
        {
            "title": text,
            "layout_type": one_of("ordered", "free"),
            "widgets": many(_WIDGET),
            "description": maybe(text),
            "is_read_only": flag,
            "notify_list": maybe(many(text)),
            "reflow_type": one_of("auto", "fixed"),
            "restricted_roles": many(text),
            "tags": maybe(many(text)),
            "template_variables": maybe(many(_VARIABLE)),
            "template_variable_presets": maybe(many(thing)),
        }
    ),
    required=("title", "layout_type", "widgets"),
    compose=_compose,
    unknown=unknown_as("Dashboard with ID {0} not found"),
    samples=(
        {
            "title": "at a glance",
            "layout_type": "ordered",
            "widgets": [{"definition": {"type": "note", "content": "Orders and hosts."}}],
        },
    ),
    listing=_listing,
    paging=Paging("count", "start", default=1000),
    deleted=_deleted,
)


def delete_dashboards(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """Delete all dashboards that the body names, or none if any of them is unknown."""
    listed = many(shaped({"id": text}, required=("id",)), least=1)
    try:
        body = checked(json_body(incoming), {"data": listed}, required=("data",))
    except InvalidBodyError as error:
        raise DASHBOARDS.complain(str(error)) from None
    ids = {item["id"] for item in body["data"]}
    for wanted in sorted(ids):
        DASHBOARDS.get(twin, org, wanted)

    def make() -> Answer:
        DASHBOARDS.shelf(twin, org).remove(ids)
        return Answer(NO_CONTENT)

    return make


HANDLERS: Mapping[tuple[str, str], Handler] = {
    **handlers_of(DASHBOARDS, PATH, PATH + "/{dashboard_id}", changes=DASHBOARDS, method="PUT"),
    ("DELETE", PATH): delete_dashboards,
}
