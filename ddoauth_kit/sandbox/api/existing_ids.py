"""Check that the ids in a path exist, for operations that don't store anything."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ddoauth_kit.sandbox.api.canned_answers import address
from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.facts.error_families import family_error
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.described_ids import NOBODYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

    Handler = Callable[[Twin, Incoming, Org], Answer | Callable[[], Answer]]

_METHODS = ("GET", "POST", "PUT", "PATCH")
# A parameter whose name says that it contains an id rather than free text.
_ID_PARAMETER = re.compile(r"(id|uuid|token|^key)$", re.IGNORECASE)
# A field that contains an id.
_ID_FIELD = re.compile(r"(id|uuid|token|^key|^name|^handle|^slug|^number|^version)$", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOT_FOUND = 404
_PLACEHOLDER = re.compile(r"\{\w+\}")


def check_ids(
    twin: Twin,
    incoming: Incoming,
    org: Org,
    *,
    operation: Operation,
    readers: Mapping[str, Handler],
) -> None:
    """Refuse a path with an unknown id.

    An id is known if a store can read it (`readers`, keyed by the shape of the item's path) or,
    without a store, if it appears in the responses for the listing, the item or its creation. If no
    response contains ids to compare with, or if a parameter is free text, every id is known except
    those that probes use for missing objects.
    """
    template, given = operation.path.split("/"), incoming.path.split("/")
    for depth, (segment, value) in enumerate(zip(template, given, strict=True), start=1):
        if not segment.startswith("{"):
            continue
        item = "/".join(template[:depth])
        reader = readers.get(shape_of(item))
        if reader is not None:
            path = "/".join(given[:depth])
            _look_up(reader, twin, replace(incoming, method="GET", path=path), org, operation)
        else:
            _check_value(value, item, operation=operation, kind=operation.path_ids[segment[1:-1]])


def _check_value(value: str, item: str, *, operation: Operation, kind: str) -> None:
    if value in NOBODYS:
        raise _unknown(operation)
    if _is_listed(value, item, kind=kind):
        return
    listed = listed_ids(item)
    if item.endswith("{resource_id}"):  # the type and the id of some other resource
        if ":" in unquote(value):
            return
        raise _malformed(operation)
    if (kind.startswith("int") or all(map(str.isdecimal, listed))) and not value.isdecimal():
        raise _malformed(operation)
    if all(map(_UUID.fullmatch, listed)) and not _UUID.fullmatch(value):
        raise _malformed(operation)
    raise _unknown(operation)


def check_parents(
    twin: Twin,
    incoming: Incoming,
    org: Org,
    *,
    operation: Operation,
    readers: Mapping[str, Handler],
) -> None:
    """Refuse a path below an item that is missing from its store.

    The resource's own service checks the last id in the path.

    Parents that no operation can create represent objects from outside the API, so any id is
    accepted.
    """
    if not operation.path_ids:
        return
    template, given = operation.path.split("/"), incoming.path.split("/")
    for depth in range(1, len(template) + 1):
        shape = shape_of("/".join(template[:depth]))
        if not template[depth - 1].startswith("{") or (depth == len(template) and shape in readers):
            continue
        reader = readers.get(shape)
        if reader is not None:
            path = "/".join(given[:depth])
            _look_up(reader, twin, replace(incoming, method="GET", path=path), org, operation)
        elif given[depth - 1] in NOBODYS:
            raise _unknown(operation)


def _look_up(
    reader: Handler, twin: Twin, incoming: Incoming, org: Org, operation: Operation
) -> None:
    """Look up an item in a store; if it is missing, refuse in the called operation's format."""
    try:
        reader(twin, incoming, org)
    except Refusal as refusal:
        own = _unknown(operation)
        is_alike = [type(e) for e in refusal.errors] == [type(e) for e in own.errors]
        raise refusal if is_alike or refusal.status != _NOT_FOUND else own from None


def shape_of(template: str) -> str:
    """Return a path template with the names of its parameters removed."""
    return _PLACEHOLDER.sub("{}", template)


def _is_listed(value: str, item: str, *, kind: str) -> bool:
    name = item.rpartition("{")[2][:-1]
    if (kind == "string" and not _ID_PARAMETER.search(name)) or kind.startswith("one of"):
        return True
    ids = listed_ids(item)
    return not ids or value in ids


@cache
def listed_ids(item: str) -> frozenset[str]:
    """Return the ids in the responses for an item's path and for its listing."""
    found: set[str] = set()
    for path in (item, item.rpartition("/")[0]):
        for method in _METHODS:
            entry = documents().get(address(method, path), {})
            found.update(ids_in(entry.get("body"), item.rpartition("{")[2][:-1]))
    return frozenset(found)


def ids_in(value: Any, parameter: str) -> Iterator[str]:  # noqa: ANN401 - JSON is anything
    """Yield the ids in a response: fields named like an id or like the path's parameter."""
    if isinstance(value, list):
        for part in value:
            yield from ids_in(part, parameter)
    if not isinstance(value, dict):
        return
    for name, part in value.items():
        if isinstance(part, (dict, list)):
            yield from ids_in(part, parameter)
        elif part is not None and (name == parameter or _ID_FIELD.search(name)):
            yield str(part)


def _malformed(operation: Operation) -> Refusal:
    words = "invalid parameter in path"
    name = address(operation.method, operation.path)
    error = family_error(name, 400, "Invalid Parameter", words)
    return api_refusal("malformed-id", 400, error)


def _unknown(operation: Operation) -> Refusal:
    name = address(operation.method, operation.path)
    return api_refusal("unknown-id", 404, family_error(name, 404, "Not Found", "Not found"))
