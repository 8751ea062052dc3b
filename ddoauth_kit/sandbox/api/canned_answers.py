"""What operations without a store answer, read from the data file derived from the spec."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.http.messages import Answer

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.facts.catalogue import Operation


@dataclass(frozen=True)
class Canned:
    """The success answer of one operation, and the kinds of body it takes besides JSON."""

    answer: Answer
    takes: frozenset[str]


def canned(operation: Operation) -> Canned:
    """Return an operation's answer."""
    return _encoded(address(operation.method, operation.path))


@cache
def _encoded(name: str) -> Canned:
    entry = documents()[name]
    body = entry.get("body")
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    content_type = entry.get("type", "text/plain")
    answer = Answer(entry["status"], text.encode() if "body" in entry else b"", content_type)
    return Canned(answer, takes=frozenset(entry.get("takes", ())))


def address(method: str, path: str) -> str:
    """Write the name of an operation in the data file."""
    return f"{method} {path}"
