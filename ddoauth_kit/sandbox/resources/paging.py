"""Read the ids in a URL's path, and the page that its query asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.payload import limit_of, malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.state.created_resources import Item


def path_ids(template: str, path: str) -> dict[str, str]:
    """Return the values of a template's variables in a matching path."""
    pairs = zip(template.split("/"), path.split("/"), strict=True)
    return {part[1:-1]: value for part, value in pairs if part.startswith("{")}


@dataclass(frozen=True)
class Paging:
    """The query parameters of a listing; `start` counts items, or pages from zero."""

    size: str
    start: str
    default: int
    counts_pages: bool = False


@dataclass(frozen=True)
class PageOfItems:
    """The visible part of a listing, and its position in the whole listing."""

    items: list[Item]
    offset: int
    size: int
    total: int


def page_of(
    items: list[Item], parameters: Mapping[str, str], *, paging: Paging | None
) -> PageOfItems:
    """Return the requested page of a listing, or refuse a size or start that is not a number."""
    if paging is None:
        return PageOfItems(items, 0, len(items), len(items))
    size = limit_of(parameters.get(paging.size), default=paging.default)
    start = _start(parameters.get(paging.start, "0"), name=paging.start)
    offset = start * size if paging.counts_pages else start
    return PageOfItems(items[offset : offset + size], offset, size, len(items))


def _start(value: str, *, name: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise malformed(f"Parameter {name} must be a whole number.")
    return int(value)
