"""What happened, without any secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.oauth.client_authentication import field_names
from ddoauth_kit.sandbox.server.router import find_route

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Incoming

ENTRIES_KEPT = 10_000

# An API key may stand in a path (Datadog's legacy log intake), and nobody must find it here.
_LONG = re.compile(r"[^/]{20,}")


@dataclass(frozen=True)
class JournalEntry:
    """One handled request; `fields` names its form fields, whose values are not kept."""

    site: str | None
    role: str | None
    method: str
    path: str
    status: int
    operation: str | None = None
    fields: tuple[str, ...] = ()


def journal_entry(incoming: Incoming, *, status: int) -> JournalEntry:
    """Describe one request to a known host."""
    route = find_route(incoming.role, incoming.path)
    name = route.operations.get(incoming.method, "") if route is not None else ""
    return JournalEntry(
        site=incoming.site.name,
        role=incoming.role,
        method=incoming.method,
        path=incoming.path if route is not None else masked(incoming.path),
        status=status,
        operation=name or None,
        fields=field_names(incoming),
    )


def masked(path: str) -> str:
    """Hide long segments of a path that nobody serves."""
    return _LONG.sub("<masked>", path)[:200]
