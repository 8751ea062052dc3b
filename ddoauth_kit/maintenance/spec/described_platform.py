"""Read sites, credentials and OAuth addresses from the API description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.maintenance.spec.source import Spec

_DISCOVERY: Final = "/api/v2/oauth2/.well-known/openid-configuration"
_TRAITS: Final = ("type", "scheme", "in", "name")


def platform(spec: Spec) -> dict[str, dict[str, Any]]:
    """Return the sites, security schemes and endpoints, by name."""
    return {
        "sites": {domain: {} for domain in sorted(set(_sites(spec)))},
        "security schemes": dict(sorted(_schemes(spec))),
        "endpoints": dict(sorted(_endpoints(spec))),
    }


def _sites(spec: Spec) -> Iterator[str]:
    for document in spec.documents:
        for server in document.get("servers", ()):
            yield from server.get("variables", {}).get("site", {}).get("enum", ())


def _schemes(spec: Spec) -> Iterator[tuple[str, dict[str, str]]]:
    for document in spec.documents:
        for name, scheme in document["components"]["securitySchemes"].items():
            yield name, {trait: scheme[trait] for trait in _TRAITS if trait in scheme}


def _endpoints(spec: Spec) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the addresses in the OAuth flows and in the discovery document's example.

    The two sources name different token endpoints, and a change in either deserves attention.
    """
    for document in spec.documents:
        flows = document["components"]["securitySchemes"]["AuthZ"]["flows"]
        for flow, described in flows.items():
            for name, value in described.items():
                if name.endswith("Url"):
                    yield f"{flow} {name}", {"path": value}
        discovery = document["paths"].get(_DISCOVERY, {}).get("get", {})
        for name, value in _example(discovery).items():
            if isinstance(value, str):
                yield f"discovery {name}", {"path": urlsplit(value).path}


def _example(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("responses", {}).get("200", {}).get("content", {})
    examples = body.get("application/json", {}).get("examples", {})
    for example in examples.values():
        found: dict[str, Any] = example.get("value", {})
        return found
    return {}
