"""Responses for operations without a store, from a data file derived from the spec."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import START
from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.facts.described_schemas import operation_schemas
from ddoauth_kit.sandbox.http.messages import Answer
from ddoauth_kit.sandbox.resources.described_resource import Composer
from ddoauth_kit.sandbox.state.mint import Mint

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.facts.catalogue import Operation

# Recorded searches show little more than the examples.
_SPARSE = ("/aggregate", "/search")


@dataclass(frozen=True)
class Canned:
    """The success response of one operation, and the body types that it accepts besides JSON."""

    answer: Answer
    takes: frozenset[str]


def canned(operation: Operation) -> Canned:
    """Return an operation's success response."""
    return _encoded(address(operation.method, operation.path))


@cache
def _encoded(name: str) -> Canned:
    entry = documents()[name]
    body = _filled(name, entry.get("body"))
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    content_type = entry.get("type", "text/plain")
    answer = Answer(entry["status"], text.encode() if "body" in entry else b"", content_type)
    return Canned(answer, takes=frozenset(entry.get("takes", ())))


def _filled(name: str, body: Any) -> Any:  # noqa: ANN401 - JSON is anything
    schema = operation_schemas(name).answer
    if schema is None or isinstance(body, str) or name.endswith(_SPARSE):
        return body
    return Composer(Mint(seed=name), START, label=name, fills_lists=True).filled(schema, body)


def address(method: str, path: str) -> str:
    """Return an operation's name in the data file."""
    return f"{method} {path}"
