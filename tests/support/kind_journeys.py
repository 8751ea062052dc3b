"""Take the official client through the life of a resource of any kind."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from datadog_api_client.exceptions import ApiException
from datadog_api_client.model_utils import ModelComposed, ModelSimple, data_to_dict

from support.client_bodies import body_name, body_of, endpoint, endpoints, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datadog_api_client import ApiClient
    from datadog_api_client.api_client import Endpoint

PARENT = "5a4db0c5-0000-4000-8000-00000000000a"
IDS = ("id", "public_id", "uuid", "handle", "name", "token", "key")
# What a server writes although its maker may send it.
OWN = re.compile(r"(^|_)(id|created|modified|updated)(_at|_by|At)?$")


@dataclass
class Journey:
    """The operations for one kind, and the values of its path's variables."""

    client: ApiClient
    path: str
    item: str
    values: dict[str, Any] = field(default_factory=dict)

    def has(self, method: str, *, item: bool = True) -> bool:
        """Return whether the client has an operation."""
        return (method, self.item if item else self.path) in endpoints()

    @property
    def change_method(self) -> str:
        """Return the method that changes an item, if any."""
        return next((m for m in ("PATCH", "PUT") if self.has(m)), "")

    @property
    def identity(self) -> str:
        """Return the id of the created resource."""
        return str(self.values[self.item.rpartition("{")[2][:-1]])

    def address(self, path: str) -> str:
        """Fill the variables of a path."""
        for name, value in self.values.items():
            path = path.replace(f"{{{name}}}", str(value))
        return re.sub(r"\{\w+\}", PARENT, path)

    def call(self, method: str, path: str, *, mark: str = "", body: Any = None) -> Any:
        """Call an operation as the client does, with a body that contains the mark."""
        operation = endpoint(self.client, method, path)
        given = self._parameters(operation)
        name = body_name(operation)
        if name is not None and (body is not None or mark):
            given[name] = body if body is not None else body_of(operation, mark=mark)
        return operation.call_with_http_info(**given)

    def _parameters(self, operation: Endpoint) -> dict[str, Any]:
        found = {}
        for name, entry in operation.params_map.items():
            location, attribute = entry.get("location"), entry.get("attribute", name)
            if location == "path":
                value = self.values.get(attribute, PARENT)
                found[name] = _typed(entry["openapi_types"][0], value)
            elif location == "query" and entry.get("required"):
                found[name] = value_of(entry["openapi_types"], mark="a")
        return found

    def body(self, method: str, path: str, *, mark: str) -> Any:
        """Return a body, with the item's id in it if the model requires one."""
        body = body_of(endpoint(self.client, method, path), mark=mark)
        last = self.item.rpartition("{")[2][:-1]
        data = getattr(body, "data", None)
        if last in self.values and "id" in getattr(data, "_data_store", {}):
            data.id = _typed(data.openapi_types["id"][0], self.values[last])
        return body

    def learn(self, made: Any, *, template: str = "") -> None:
        """Take the id of a created resource from the response."""
        last = self.item.rpartition("{")[2][:-1]
        resource = resource_of(plain(made), wanted=None)
        names = (last, last.rpartition("_")[2], *IDS)
        self.values[last] = next(resource[name] for name in names if name in resource)
        if template:
            depth = self.item.count("/")
            self.values[template.split("/")[depth][1:-1]] = self.values[last]


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, (ModelSimple, ModelComposed)):
        return value_of(kind, mark="a") if not isinstance(value, kind) else value
    if kind is int:
        return int(value) if str(value).isdecimal() else 7
    return kind(str(value)) if isinstance(kind, type) else value


def plain(model: Any) -> Any:
    """Return a model as JSON, whether it was sent or received."""
    return json.loads(json.dumps(data_to_dict(model), default=_written))


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def resource_of(document: Any, *, wanted: Any) -> dict[str, Any]:
    """Return the resource in a document: its data, or the part most like the expected one."""
    data = document.get("data") if isinstance(document, dict) else None
    if isinstance(data, dict):
        return data
    parts = [document, *document.values()] if isinstance(document, dict) else [document]
    flat = [p[0] if isinstance(p, list) and p else p for p in parts]
    found = [part for part in flat if isinstance(part, dict)]
    keys = set(wanted or IDS)
    return max(found, key=lambda part: len(keys & part.keys()))


def differences(sent: Any, told: Any, *, at: str = "") -> Iterator[str]:
    """Yield values that came back changed; missing values are not checked."""
    if isinstance(sent, dict) and isinstance(told, dict):
        for name in sent.keys() & told.keys():
            if not OWN.search(name):
                yield from differences(sent[name], told[name], at=f"{at}.{name}")
    elif isinstance(sent, list) and isinstance(told, list) and len(sent) == len(told):
        for ours, theirs in zip(sent, told, strict=True):
            yield from differences(ours, theirs, at=at)
    elif sent != told and _moment(sent) != _moment(told):
        yield f"{at}: sent {sent!r}, told {told!r}"


def _moment(value: Any) -> Any:
    return re.sub(r"(\.\d+)?(Z|\+00:00)$", "", value) if isinstance(value, str) else value


def shared(sent: Any, told: Any) -> int:
    """Count the sent values that came back."""
    if isinstance(sent, dict) and isinstance(told, dict):
        return sum(shared(sent[name], told[name]) for name in sent.keys() & told.keys())
    return 1


def without_required(document: Any, body: Any) -> Any:
    """Return a body's JSON without one required field, or None if its model requires none."""
    model, place = body, json.loads(json.dumps(document))
    whole = place
    while True:
        model = getattr(model, "get_oneof_instance", lambda model=model: model)()
        names = [n for n in required_of(model) if model.attribute_map[n] in place]
        deeper = [n for n in names if hasattr(model._data_store.get(n), "attribute_map")]
        deeper = [n for n in deeper if required_of(model._data_store[n])]
        if not deeper:
            break
        place, model = place[model.attribute_map[deeper[0]]], model._data_store[deeper[0]]
    if not names:
        return None
    del place[model.attribute_map[names[0]]]
    return whole


def required_of(model: Any) -> list[str]:
    """Return the names of the required arguments of a model's constructor."""
    if not hasattr(model, "attribute_map") or isinstance(model, ModelSimple):
        return []
    parameters = list(inspect.signature(type(model).__init__).parameters.values())[1:]
    return [
        p.name
        for p in parameters
        if p.default is inspect.Parameter.empty and p.kind is not inspect.Parameter.VAR_KEYWORD
    ]


def with_wrong_enum(document: Any, body: Any) -> Any:
    """Return a body's JSON with one value outside its enum, or None if it has no enum."""
    whole = json.loads(json.dumps(document))
    for way, model in _leaves(body, ()):
        if getattr(type(model), "allowed_values", None):
            place = whole
            for step in way[:-1]:
                place = place[step]
            place[way[-1]] = "no-such-value" if isinstance(place[way[-1]], str) else -77
            return whole
    return None


def _leaves(model: Any, way: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(model, list):
        for number, part in enumerate(model):
            yield from _leaves(part, (*way, number))
    elif isinstance(model, ModelSimple):
        if way:
            yield way, model
    elif hasattr(model, "attribute_map"):
        for name, part in model._data_store.items():
            yield from _leaves(part, (*way, model.attribute_map.get(name, name)))


def status_of(call: Any) -> int:
    """Return the final status of a client call, 200 for any success."""
    try:
        call()
    except ApiException as error:
        return int(error.status)
    return 200
