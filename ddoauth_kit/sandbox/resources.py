"""The resources that can be created, read, changed and deleted, by method and path."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.messages import Answer, Incoming
    from ddoauth_kit.sandbox.orgs import Org
    from ddoauth_kit.sandbox.state import Twin

    Handler = Callable[[Twin, Incoming, Org], Answer]

RESOURCE_HANDLERS: Mapping[tuple[str, str], Handler] = MappingProxyType({})
