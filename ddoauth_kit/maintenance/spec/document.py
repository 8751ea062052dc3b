"""Put the catalogue together, write it one entry a line, and compare two of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ddoauth_kit.maintenance.spec.additions import KINDS, PARTNER_OPERATIONS, PARTNER_SCOPES
from ddoauth_kit.maintenance.spec.described_operations import operations, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.maintenance.spec.source import Spec


NOTICE = (
    "Derived from the OpenAPI description of Datadog's API, Copyright Datadog, Inc., "
    "Apache License 2.0; ddoauth_kit/NOTICE says what was changed."
)


def catalogue_document(spec: Spec) -> dict[str, Any]:
    """Return the catalogue of a spec: its name, its scopes, its operations."""
    listed = [*PARTNER_OPERATIONS, *operations(spec)]
    return {
        "spec": spec.name,
        "scopes": dict(sorted(_scopes(spec))),
        "operations": sorted(listed, key=lambda entry: (entry["path"], entry["method"])),
    }


def _scopes(spec: Spec) -> Iterator[tuple[str, dict[str, str]]]:
    found = scopes(spec)
    for name in {*found, *PARTNER_SCOPES}:
        description = found.get(name, PARTNER_SCOPES.get(name, ""))
        source = "spec" if name in found else "partners"
        yield name, {"kind": _kind(name), "source": source, "description": description}


def _kind(name: str) -> str:
    reads = name.endswith("_read") or "_read_" in name
    return KINDS.get(name, "read" if reads else "write")


def written(document: dict[str, Any]) -> str:
    """Return the catalogue as text: one scope a line, one operation a line."""
    names = [f"{_json(name)}: {_json(scope)}" for name, scope in document["scopes"].items()]
    entries = [_json(entry) for entry in document["operations"]]
    return (
        f'{{\n "notice": {_json(NOTICE)},\n "spec": {_json(document["spec"])},\n'
        f' "scopes": {{\n  {_joined(names)}\n }},\n'
        f' "operations": [\n  {_joined(entries)}\n ]\n}}\n'
    )


def written_answers(document: dict[str, Any]) -> str:
    """Return the answers as text: one operation a line."""
    lines = [f"{_json(name)}: {_json(answer)}" for name, answer in document["answers"].items()]
    head = f'{{\n "notice": {_json(NOTICE)},\n "spec": {_json(document["spec"])},\n'
    return f'{head} "answers": {{\n  {_joined(lines)}\n }}\n}}\n'


def answers_drift(old: dict[str, Any], *, new: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each answer that came, went or changed."""
    yield from _drift("answer", old["answers"], new["answers"])


def drift(old: dict[str, Any], *, new: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each scope or operation that came, went or changed."""
    yield from _drift("scope", old["scopes"], new["scopes"])
    yield from _drift("operation", _by_address(old), _by_address(new))


def _drift(noun: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"new {noun}: {name}"
        elif name not in new:
            yield f"no {noun} any more: {name}"
        elif old[name] != new[name]:
            fields = {
                key for key in {*old[name], *new[name]} if old[name].get(key) != new[name].get(key)
            }
            yield f"changed {noun}: {name} ({', '.join(sorted(fields))})"


def _by_address(document: dict[str, Any]) -> dict[str, Any]:
    return {f"{entry['method']} {entry['path']}": entry for entry in document["operations"]}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joined(lines: list[str]) -> str:
    return ",\n  ".join(lines)
