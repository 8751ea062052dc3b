"""Read the operations that accept a bearer token or an API key from the OpenAPI documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.maintenance.spec.source import Spec

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_HOSTS: Final = {"http-intake.logs": "logs_intake", "event-management-intake": "events_intake"}


@dataclass(frozen=True)
class SchemaPlace:
    """One operation in a document, which can resolve its references."""

    document: dict[str, Any]
    method: str
    path: str
    operation: dict[str, Any]

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Follow `$ref` until there is none."""
        while "$ref" in value:
            kind, name = value["$ref"].split("/")[2:]
            value = self.document["components"][kind][name]
        return value

    @property
    def scope_sets(self) -> list[list[str]]:
        """Return alternative sets of scopes, or none if the operation doesn't accept a token."""
        security = self.operation.get("security", self.document["security"])
        return [sorted(entry["AuthZ"]) for entry in security if "AuthZ" in entry]

    @property
    def takes_api_key(self) -> bool:
        """Return whether an API key alone is enough."""
        security = self.operation.get("security", self.document["security"])
        return any(set(entry) == {"apiKeyAuth"} for entry in security)

    def parameters(self, where: str) -> dict[str, str]:
        """Return the required parameters of one kind, `path` or `query`, with their types."""
        found = map(self.resolve, self.operation.get("parameters", []))
        return {
            parameter["name"]: self._type(parameter)
            for parameter in found
            if parameter["in"] == where and parameter.get("required")
        }

    def _type(self, parameter: dict[str, Any]) -> str:
        schema = self.resolve(parameter.get("schema", {}))
        if "enum" in schema:
            return f"one of {schema['enum'][0]}"
        return str(schema.get("format") or schema.get("type") or "string")

    @property
    def body(self) -> str:
        """Return the required kind of body: none, `optional`, `any`, or the required fields."""
        if "requestBody" not in self.operation:
            return ""
        body = self.resolve(self.operation["requestBody"])
        if not body.get("required"):
            return "optional"
        schema = self.resolve(next(iter(body["content"].values())).get("schema", {}))
        return " ".join(schema.get("required", [])) or "any"

    @property
    def host(self) -> str:
        """Return the role of the host that serves the operation."""
        for server in self.operation.get("servers", []):
            subdomain = server.get("variables", {}).get("subdomain", {}).get("default", "")
            if subdomain in _HOSTS:
                return _HOSTS[subdomain]
        return "api"


def places(spec: Spec) -> Iterator[SchemaPlace]:
    """Yield every operation of the spec, sorted by path."""
    for document in spec.documents:
        for path, methods in sorted(document["paths"].items()):
            for method in _METHODS:
                if method in methods:
                    yield SchemaPlace(document, method.upper(), path, methods[method])


def operations(spec: Spec) -> Iterator[dict[str, Any]]:
    """Yield the catalogue entry of each operation that accepts a token or an API key."""
    for place in places(spec):
        if place.scope_sets or place.takes_api_key:
            yield _entry(place)


def scopes(spec: Spec) -> dict[str, str]:
    """Return every scope that the spec lists or uses, with its description."""
    listed: dict[str, str] = {}
    for document in spec.documents:
        for flow in document["components"]["securitySchemes"]["AuthZ"]["flows"].values():
            listed |= flow["scopes"]
    used = {name for place in places(spec) for names in place.scope_sets for name in names}
    return {name: listed.get(name, "").strip() for name in {*listed, *used}}


def _entry(place: SchemaPlace) -> dict[str, Any]:
    operation = place.operation
    permissions = operation.get("x-permission", {}).get("permissions", [])
    entry = {
        "id": operation["operationId"],
        "method": place.method,
        "path": place.path,
        "host": place.host,
        "area": operation["tags"][0],
        "auth": "bearer" if place.scope_sets else "api_key",
        "scopes": place.scope_sets,
        "permissions": sorted(permissions) if not any(place.scope_sets) else [],
        "path_ids": place.parameters("path"),
        "query": place.parameters("query"),
        "body": place.body,
        "preview": "x-unstable" in operation,
        "deprecated": bool(operation.get("deprecated")),
    }
    return {name: value for name, value in entry.items() if value or name == "scopes"}
