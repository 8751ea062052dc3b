"""Build the catalogue, write it with one entry per line, and compare it with another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.additions import KINDS, PARTNER_OPERATIONS, PARTNER_SCOPES
from ddoauth_kit.maintenance.spec.described_operations import operations, scopes
from ddoauth_kit.maintenance.spec.described_platform import platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.maintenance.spec.source import Spec


NOTICE = (
    "Derived from the OpenAPI description of Datadog's API, Copyright Datadog, Inc., "
    "Apache License 2.0; ddoauth_kit/NOTICE says what was changed."
)


_PLATFORM: Final = {
    "sites": "site",
    "security schemes": "security scheme",
    "endpoints": "endpoint",
}


def catalogue_document(spec: Spec) -> dict[str, Any]:
    """Return the catalogue of a spec: its name, scopes and operations."""
    listed = [*PARTNER_OPERATIONS, *operations(spec)]
    return {
        "spec": spec.name,
        "platform": platform(spec),
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
    """Return the catalogue as text: one scope or operation per line."""
    names = [f"{_json(name)}: {_json(scope)}" for name, scope in document["scopes"].items()]
    entries = [_json(entry) for entry in document["operations"]]
    return (
        f'{{\n "notice": {_json(NOTICE)},\n "spec": {_json(document["spec"])},\n'
        f' "platform": {_json(document["platform"])},\n'
        f' "scopes": {{\n  {_joined(names)}\n }},\n'
        f' "operations": [\n  {_joined(entries)}\n ]\n}}\n'
    )


def written_answers(document: dict[str, Any]) -> str:
    """Return the responses as text: one operation per line."""
    lines = [f"{_json(name)}: {_json(answer)}" for name, answer in document["answers"].items()]
    head = f'{{\n "notice": {_json(NOTICE)},\n "spec": {_json(document["spec"])},\n'
    return f'{head} "answers": {{\n  {_joined(lines)}\n }}\n}}\n'


def written_schemas(document: dict[str, Any]) -> str:
    """Return kinds, settings, members and schemas as text: one entry per line."""
    kinds, settings, members, operations = (
        [f"{_json(name)}: {_small(entry)}" for name, entry in document[part].items()]
        for part in ("kinds", "settings", "members", "operations")
    )
    return (
        f'{{\n "notice": {_json(NOTICE)},\n "spec": {_json(document["spec"])},\n'
        f' "kinds": {{\n  {_joined(kinds)}\n }},\n'
        f' "settings": {{\n  {_joined(settings)}\n }},\n'
        f' "members": {{\n  {_joined(members)}\n }},\n'
        f' "operations": {{\n  {_joined(operations)}\n }},\n'
        f' "schemas": [\n  {_joined(list(map(_small, document["schemas"])))}\n ]\n}}\n'
    )


@dataclass(frozen=True)
class Difference:
    """One addition, removal or change."""

    what: str
    name: str
    change: str


def answers_drift(old: dict[str, Any], *, new: dict[str, Any]) -> Iterator[Difference]:
    """Yield each response that was added, removed or changed."""
    yield from _drift("answer", old["answers"], new["answers"])


def schemas_drift(old: dict[str, Any], *, new: dict[str, Any]) -> Iterator[Difference]:
    """Yield each kind, setting or member list that differs, and one line if schemas differ."""
    yield from _drift("kind", old["kinds"], new["kinds"])
    yield from _drift("settings", old["settings"], new["settings"])
    yield from _drift("members", old["members"], new["members"])
    if any(old[part] != new[part] for part in ("operations", "schemas")):
        yield Difference("schemas", "of bodies and answers", "changed")


def drift(old: dict[str, Any], *, new: dict[str, Any]) -> Iterator[Difference]:
    """Yield each added, removed or changed site, credential, endpoint, scope or operation."""
    for kind, noun in _PLATFORM.items():
        yield from _drift(noun, old["platform"][kind], new["platform"][kind])
    yield from _drift("scope", old["scopes"], new["scopes"])
    yield from _drift("operation", _by_address(old), _by_address(new))


def table(differences: list[Difference]) -> str:
    """Return the differences as a readable table, one difference per line."""
    rows = [("what", "name", "change"), *((d.what, d.name, d.change) for d in differences)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        f"{what:<{widths[0]}}  {name:<{widths[1]}}  {change}" for what, name, change in rows
    )


def _drift(noun: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield Difference(noun, name, "new")
        elif name not in new:
            yield Difference(noun, name, "gone")
        elif old[name] != new[name]:
            fields = {
                key for key in {*old[name], *new[name]} if old[name].get(key) != new[name].get(key)
            }
            yield Difference(noun, name, f"changed: {', '.join(sorted(fields))}")


def _by_address(document: dict[str, Any]) -> dict[str, Any]:
    return {f"{entry['method']} {entry['path']}": entry for entry in document["operations"]}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _small(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _joined(lines: list[str]) -> str:
    return ",\n  ".join(lines)
