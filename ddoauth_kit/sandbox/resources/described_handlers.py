"""Choose the operations of the generic service: those of all kinds without their own service."""

from __future__ import annotations

from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.described_schemas import (
    described_kinds,
    described_members,
    described_settings,
)
from ddoauth_kit.sandbox.resources.described_service import DescribedService
from ddoauth_kit.sandbox.resources.members_service import MembersService
from ddoauth_kit.sandbox.resources.settings_service import SettingsService

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler


@cache
def described_services() -> Mapping[str, DescribedService]:
    """Return the services, keyed by the paths that create their resources."""
    return MappingProxyType(
        {
            path: DescribedService(kind)
            for path, kind in described_kinds().items()
            if "*" not in kind.given and "create" in kind.ways
        }
    )


def described_handlers(
    taken: Collection[tuple[str, str]],
) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers for all kinds whose operations no other service handles."""
    return _free((dict(_handlers(service)) for service in described_services().values()), taken)


def settings_handlers(taken: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers for all settings whose operations no other service handles."""
    services = (SettingsService(settings).handlers() for settings in described_settings().values())
    return _free(map(dict, services), taken)


def members_handlers(taken: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers for all member lists whose operations no other service handles."""
    services = (MembersService(members).handlers() for members in described_members().values())
    return _free(map(dict, services), taken)


def described_readers(
    taken: Collection[tuple[str, str]],
) -> Mapping[str, Handler]:
    """Return functions, by path template, that find a resource by its path or refuse the call."""
    handlers = described_handlers(taken)
    found = {
        service.kind.item: service.find
        for service in described_services().values()
        if tuple(service.kind.operations["create"].split(" ")) in handlers
    }
    return MappingProxyType(found)


def _free(
    services: Iterable[Mapping[tuple[str, str], Handler]], taken: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], Handler]:
    """Combine the handlers of the services that have no operation in `taken`."""
    found: dict[tuple[str, str], Handler] = {}
    for handlers in services:
        if not any(address in taken for address in handlers):
            found.update(handlers)
    return MappingProxyType(found)


def _handlers(service: DescribedService) -> Iterable[tuple[tuple[str, str], Handler]]:
    serve: Mapping[str, Handler] = {
        "create": service.create,
        "list": service.list_all,
        "get": service.read,
        "put": partial(service.change, role="put"),
        "patch": partial(service.change, role="patch"),
        "delete": service.delete,
    }
    for role, name in service.kind.operations.items():
        if role in service.kind.ways or role in {"delete", "put", "patch"}:
            method, _, path = name.partition(" ")
            yield (method, path), serve[role]
    for name, other in service.kind.makers.items():
        method, _, path = name.partition(" ")
        yield (method, path), partial(service.make_elsewhere, name=name, other=other)
    for name, other in service.kind.acts.items():
        method, _, path = name.partition(" ")
        yield (method, path), partial(service.act, name=name, other=other)
    for name, eraser in service.kind.erasers.items():
        method, _, path = name.partition(" ")
        yield (method, path), partial(service.erase, name=name, eraser=eraser)
