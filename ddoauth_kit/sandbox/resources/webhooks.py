"""Webhooks, stored under the names that their creators choose; no operation lists them."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError, maybe, one_of, text
from ddoauth_kit.sandbox.resources.create_read_update_delete import change, create, delete, read
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind, unknown_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.state.created_resources import Item

PATH = "/api/v1/integration/webhooks/configuration/webhooks"
_ONE = PATH + "/{webhook_name}"
_PAYLOAD = '{"body": "$EVENT_MSG", "title": "$EVENT_TITLE", "date": "$DATE", "id": "$ID"}'


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[\w.-]{1,200}", value, re.ASCII))


def _is_url(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"https?://[^\s/]\S*", value))


def _compose(draft: Draft) -> Item:
    fresh = {"custom_headers": None, "encode_as": "json", "payload": _PAYLOAD}
    return {**(draft.old or fresh), **draft.given}


def _verify(draft: Draft) -> None:
    """Refuse a name that another webhook already has."""
    wanted = draft.given.get("name")
    taken = WEBHOOKS.shelf(draft.twin, draft.org).find(wanted) if wanted else None
    if taken is not None and taken is not draft.old:
        raise InvalidBodyError("Webhook already exists")


def _deleted(_wanted: str) -> Answer:
    return json_answer(200, {})


WEBHOOKS = ResourceKind(
    kind="webhook",
    fields=MappingProxyType(
        {
            "name": _is_name,
            "url": _is_url,
            "custom_headers": maybe(text),
            "encode_as": one_of("json", "form"),
            "payload": maybe(text),
        }
    ),
    required=("name", "url"),
    compose=_compose,
    verify=_verify,
    unknown=unknown_as("Webhook does not exist"),
    samples=({"name": "sandbox-webhook", "url": "https://example.com/webhook"},),
    key=lambda item: str(item["name"]),
    created=201,
    deleted=_deleted,
)
HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("POST", PATH): create(WEBHOOKS),
    ("GET", _ONE): read(WEBHOOKS, _ONE),
    ("PUT", _ONE): change(WEBHOOKS, _ONE, by=replace(WEBHOOKS, required=())),
    ("DELETE", _ONE): delete(WEBHOOKS, _ONE),
}
