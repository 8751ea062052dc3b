"""Derive the status, type and body of each operation's response from its description."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.described_operations import places
from ddoauth_kit.maintenance.spec.schemas import MISSING, Schemas
from ddoauth_kit.maintenance.spec.scrub import scrubbed
from ddoauth_kit.maintenance.spec.shaper import Shaper

if TYPE_CHECKING:
    from ddoauth_kit.maintenance.spec.described_operations import SchemaPlace
    from ddoauth_kit.maintenance.spec.source import Spec

_REDIRECTS: Final = 300
_TEXTS: Final = {
    "text/csv": "name,value\nsandbox,1\n",
    "application/yaml": "name: sandbox\n",
    "multipart/form-data": "--sandbox\r\n\r\n--sandbox--\r\n",
}


def answers_document(spec: Spec) -> dict[str, Any]:
    """Return the spec's name and each operation's response, by method and path."""
    found = {
        f"{place.method} {place.path}": (place, _answer(place))
        for place in places(spec)
        if place.scope_sets or place.takes_api_key
    }
    for address, (place, answer) in found.items():
        listing = found.get(address.rpartition("/{")[0])
        if place.method == "GET" and listing is not None:
            _take_listed_id(place, answer, listing=listing[1])
    return {
        "spec": spec.name,
        "answers": {name: found[name][1] for name in sorted(found, key=_order)},
    }


def _order(address: str) -> list[str]:
    return address.split()[::-1]


def _take_listed_id(place: SchemaPlace, answer: dict[str, Any], *, listing: dict[str, Any]) -> None:
    """Give an item's response the id of the listing's first item, if the schema allows it."""
    if not place.path.endswith("}") or not isinstance(answer.get("body"), dict):
        return
    body = copy.deepcopy(answer["body"])
    item = body["data"] if isinstance(body.get("data"), dict) else body
    listed = _first_item(listing.get("body"))
    if "id" in item and "id" in listed:
        item["id"] = listed["id"]
        if Schemas(place.document).fits(_media(place)[1]["schema"], body):
            answer["body"] = body


def _first_item(body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    lists = [body] if isinstance(body, list) else [*body.values()] if isinstance(body, dict) else []
    items = [part[0] for part in lists if isinstance(part, list) and part]
    return items[0] if items and isinstance(items[0], dict) else {}


def _answer(place: SchemaPlace) -> dict[str, Any]:
    media_type, media = _media(place)
    answer: dict[str, Any] = {"status": _status(place)}
    takes = [kind for kind in _request_types(place) if "json" not in kind]
    if takes:
        answer["takes"] = takes
    if not media_type:
        return answer
    answer["type"] = media_type
    if "json" not in media_type:
        return {**answer, "body": _TEXTS.get(media_type, "sandbox")}
    return {**answer, "type": media_type.partition(";")[0], "body": _body(place, media)}


def _request_types(place: SchemaPlace) -> list[str]:
    return list(place.resolve(place.operation.get("requestBody", {})).get("content", {}))


def _status(place: SchemaPlace) -> int:
    return min(code for code in map(int, place.operation["responses"]) if code < _REDIRECTS)


def _media(place: SchemaPlace) -> tuple[str, dict[str, Any]]:
    responses = {int(code): response for code, response in place.operation["responses"].items()}
    content = place.resolve(responses[_status(place)]).get("content", {})
    return next(iter(content.items())) if content else ("", {})


def _body(place: SchemaPlace, media: dict[str, Any]) -> object:
    schemas = Schemas(place.document)
    shaper = Shaper(schemas, full=place.method == "GET")
    schema = media.get("schema", {})
    shaped = shaper.shape(schema, _example(media))
    clean = scrubbed(shaped)
    return clean if schemas.fits(schema, clean) else scrubbed(shaper.shape(schema, clean))


def _example(media: dict[str, Any]) -> object:
    named = media.get("examples", {})
    ordered = [named.get("default", {}), *named.values()]
    examples = [entry.get("value") for entry in ordered]
    given = [plain(example) for example in (*examples, media.get("example")) if example]
    return given[0] if given else MISSING


def plain(value: object) -> object:
    """Convert a value to JSON types; YAML turns unquoted times and odd numbers into other types."""
    return json.loads(json.dumps(value, default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
