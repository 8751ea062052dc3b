"""Find what serves a path among many templates, one segment after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Served = TypeVar("Served")


@dataclass
class _Node(Generic[Served]):
    fixed: dict[str, _Node[Served]] = field(default_factory=dict)
    any: _Node[Served] | None = None
    served: Served | None = None


class PathTree(Generic[Served]):
    """Hold templates like `/api/v1/monitor/{monitor_id}` and find the one of a path.

    A segment that is spelled out is tried before one that stands for any.
    """

    def __init__(self) -> None:
        self._root: _Node[Served] = _Node()

    def add(self, template: str, served: Served) -> None:
        """Serve the paths of a template."""
        node = self._root
        for segment in template.split("/"):
            if segment.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(segment, _Node())
        node.served = served

    def find(self, path: str) -> Served | None:
        """Return what serves a path; a placeholder stands for one segment that is not empty."""
        return _find(self._root, path.split("/"), 0)


def _find(node: _Node[Served], segments: list[str], depth: int) -> Served | None:
    if depth == len(segments):
        return node.served
    segment = segments[depth]
    exact = node.fixed.get(segment)
    found = _find(exact, segments, depth + 1) if exact is not None else None
    if found is None and node.any is not None and segment:
        return _find(node.any, segments, depth + 1)
    return found
