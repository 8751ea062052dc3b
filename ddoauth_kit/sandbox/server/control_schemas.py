"""The control interface's JSON Schemas, and the check of requests against them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.sandbox_error import SandboxError, meant

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SWITCH: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
OPTIONAL_TEXTS: Schema = {"type": ["array", "null"], "items": TEXT}
OPTIONAL_NUMBER: Schema = {"type": ["number", "null"]}
OPTIONAL_SWITCH: Schema = {"type": ["boolean", "null"]}
_TEXT_MAP: Schema = {"type": "object", "additionalProperties": TEXT}

_PYTHON: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "string": (str,),
        "number": (int, float),
        "integer": (int,),
        "boolean": (bool,),
        "array": (list,),
        "object": (dict,),
        "null": (type(None),),
    }
)
_CALLED = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def shape(*needed: str, **properties: Schema) -> Schema:
    """Describe an object that may have only these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


def every(**properties: Schema) -> Schema:
    """Describe an object that always has all of these properties."""
    return shape(*properties, **properties)


DONE = every()
ERRORS = every(errors={"type": "array", "items": TEXT, "minItems": 1})
ENTRY = every(
    number=COUNT,
    at=NUMBER,
    site=OPTIONAL_TEXT,
    role=OPTIONAL_TEXT,
    host=TEXT,
    method=TEXT,
    path=TEXT,
    status={"type": "integer"},
    behaviour=TEXT,
    reason=TEXT,
    operation=OPTIONAL_TEXT,
    authentication=TEXT,
    content_type=TEXT,
    query_fields=TEXTS,
    form_fields=TEXTS,
    json_fields=TEXTS,
    values=_TEXT_MAP,
    grant=OPTIONAL_TEXT,
    org=OPTIONAL_TEXT,
    attempt=OPTIONAL_TEXT,
    faults=TEXTS,
    tolerated=TEXTS,
    fingerprints=_TEXT_MAP,
    lengths={"type": "object", "additionalProperties": COUNT},
)
ORGANIZATION = every(id=TEXT, name=TEXT, site=TEXT, user=TEXT, site_url=TEXT)
CLIENT = every(
    client_id=TEXT, client_secret=TEXT, redirect_uris=TEXTS, onboarding_url=TEXT, scopes=TEXTS
)
REGISTERED = every(client_id=TEXT, redirect_uris=TEXTS, onboarding_url=TEXT, scopes=TEXTS)
SWITCHES = every(rotate=SWITCH, basic=SWITCH, v1_token=SWITCH, tolerate=TEXTS)


def check(value: object, schema: Schema, *, name: str = "the body") -> None:
    """Refuse, in one sentence, a value that does not match the schema."""
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if not any(_is(value, kind) for kind in kinds):
        raise SandboxError(f"{name} must be {' or '.join(_CALLED[kind] for kind in kinds)}")
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        near = meant(value, choices) if isinstance(value, str) else ""
        raise SandboxError(f"{name} must be one of {', '.join(choices)}.{near}".rstrip("."))
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        raise SandboxError(f"{name} must not be empty")
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        raise SandboxError(f"{name} is longer than {schema['maxLength']} characters")
    if isinstance(value, list):
        for each in value:
            check(each, schema["items"], name=f"each of {name}")
    if isinstance(value, dict) and "properties" in schema:
        _check_properties(value, schema)


def _is(value: object, kind: str) -> bool:
    # For Python, true is a number; for JSON, it is not.
    return isinstance(value, _PYTHON[kind]) and isinstance(value, bool) <= (kind == "boolean")


def _check_properties(value: dict[str, Any], schema: Schema) -> None:
    properties = schema["properties"]
    for name in schema["required"]:
        if name not in value:
            raise SandboxError(f"{name} is missing")
    for name, each in value.items():
        if name not in properties:
            known = ", ".join(properties)
            raise SandboxError(f"unknown field {name!r}.{meant(name, properties)} It takes {known}")
        check(each, properties[name], name=name)
