"""The control interface as an OpenAPI 3.1 document."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.server.control_operations import OPERATIONS
from ddoauth_kit.sandbox.server.control_schemas import ERRORS, TEXT

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.server.control_operations import ControlOperation

_ABOUT = (
    "Read what a running sandbox has received, and change its behavior. Every request needs the "
    "control key, which ddoauth sandbox writes to a file that only its user can read."
)
_PROBLEMS = {
    "400": "The request is not valid; the message explains why.",
    "401": "The control key is missing or wrong.",
    "404": "No object has this id, or the operation does not exist.",
}


@cache
def openapi_document() -> dict[str, Any]:
    """Describe every operation, with the same schemas that check requests."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    key = {"type": "apiKey", "in": "header", "name": "X-Sandbox-Key"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sandbox control", "version": "1", "description": _ABOUT},
        "security": [{"key": []}],
        "paths": paths,
        "components": {"securitySchemes": {"key": key}, "schemas": {"Errors": ERRORS}},
    }


def _described(operation: ControlOperation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": {
            "200": {
                "description": "Done.",
                "content": {operation.content_type: {"schema": operation.answer}},
            },
            **{status: _problem(text) for status, text in _PROBLEMS.items()},
        },
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in operation.query.items()
    ]
    if "{id}" in operation.path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": TEXT})
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        content = {"application/json": {"schema": operation.body}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Errors"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}
