"""Paths are found by their segments, spelled-out ones first."""

from __future__ import annotations

import pytest

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.server.router import PathTree, find_route


@pytest.fixture
def tree() -> PathTree[str]:
    """Give a tree in which paths overlap."""
    tree: PathTree[str] = PathTree()
    for template in ("/a", "/a/{id}", "/a/b", "/a/b/c", "/a/{id}/d", "/{any}/b/{id}"):
        tree.add(template, template)
    return tree


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a", "/a"),
        ("/a/x", "/a/{id}"),
        ("/a/b", "/a/b"),
        ("/a/b/c", "/a/b/c"),
        ("/a/b/d", "/a/{id}/d"),
        ("/x/b/c", "/{any}/b/{id}"),
        ("/a/b/x", "/{any}/b/{id}"),
        ("/a/", None),
        ("/a//d", None),
        ("/a/x/", None),
        ("/a/x/y", None),
        ("/", None),
        ("", None),
        ("a", None),
        ("/" * 60_000, None),
    ],
)
def test_paths_are_found(tree: PathTree[str], path: str, found: str | None) -> None:
    """A literal segment is tried first, a dead end is left, and an empty segment never matches."""
    assert tree.find(path) == found


def test_every_operation_is_found() -> None:
    """Each path in the catalogue leads to its own operations, and to no other method."""
    for operation in catalogue().operations:
        route = find_route(operation.role, operation.path.replace("{", "").replace("}", ""))
        assert route is not None, operation
        assert route.operations[operation.method] == operation.id
