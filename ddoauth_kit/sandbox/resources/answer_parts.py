"""Read and replace a resource at its place in a response.

A path is a sequence of names, where `*` stands for an item of a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.described_schemas import resolved
from ddoauth_kit.sandbox.facts.recorded_statuses import recorded_status
from ddoauth_kit.sandbox.http.messages import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.facts.described_schemas import Schema
    from ddoauth_kit.sandbox.state.created_resources import Item

Way = tuple[str, ...]
Json = Any


def first_at(body: Json, way: Way) -> Json:
    """Return the value at a path, or None."""
    return next(iter(all_at(body, way)), None)


def all_at(body: Json, way: Way) -> list[Json]:
    """Return all values at a path."""
    found = [body]
    for step in way:
        if step == "*":
            found = [part for whole in found if isinstance(whole, list) for part in whole]
        else:
            found = [part[step] for part in found if isinstance(part, dict) and step in part]
    return found


def is_said(value: Json, sent: Json) -> bool:
    """Return whether a value contains at least everything that was sent."""
    if isinstance(sent, dict) and isinstance(value, dict):
        return all(is_said(value.get(name), part) for name, part in sent.items())
    return bool(value == sent)


def put_at(body: Json, way: Way, value: Json) -> Json:
    """Return a body with the value at a path replaced."""
    if not way:
        return value
    outer = body if isinstance(body, dict) else {}
    return {**outer, way[0]: put_at(outer.get(way[0]), way[1:], value)}


def with_item(body: Json, schema: Schema, way: Way, item: Item) -> Json:
    """Return a response that contains an item and everything else that the schema requires."""
    if not way:
        return item
    if way[0] == "*":
        return [with_item(None, resolved(schema.get("l")), way[1:], item)]
    outer = body if isinstance(body, dict) else {}
    kept = {name: outer[name] for name in schema.get("r", ()) if name in outer}
    part = resolved(schema.get("p", {}).get(way[0]))
    return {**kept, way[0]: with_item(outer.get(way[0]), part, way[1:], item)}


def erased(body: Json, way: Way | None, ids: list[str], now: str) -> Json:
    """Return the response to a call that deleted the resources with these ids."""
    if way is None:
        return body
    if "*" not in way:
        attributes = {
            name: ids if name.startswith("deleted") else []
            for name, part in (first_at(body, (*way, "attributes")) or {}).items()
            if isinstance(part, list)
        }
        return put_at(body, (*way, "attributes"), attributes)
    example = first_at(body, way)
    told = example.get("attributes") if isinstance(example, dict) else None
    shown = []
    for one in ids:
        own = {"public_id": one, "deleted_at": now}
        attributes = {name: own.get(name, part) for name, part in (told or {}).items()}
        shown.append({**example, "id": one, **({"attributes": attributes} if told else {})})
    return put_at(body, way[:-1], shown)


def written(name: str, entry: Mapping[str, Json], body: Json) -> Answer:
    """Write the success response of the operation with this method and path."""
    status = recorded_status(name) or entry["status"]
    if "body" not in entry:
        return Answer(status, content_type=entry.get("type", "text/plain"))
    answer = json_answer(status, body)
    form = entry.get("type", answer.content_type)
    return answer if form == answer.content_type else Answer(status, answer.body, form)
