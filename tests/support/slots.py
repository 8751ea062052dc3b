"""Find every kind of slot that the kit's code can write, and fill one of each."""

from __future__ import annotations

import ast
from itertools import product
from typing import TYPE_CHECKING, Final

from ddoauth_kit.oauth.grant_record import new_record, written
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import Slot
from support.builders import NOW, tokens
from support.places import KIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddoauth_kit.store import Store

SITES: Final = ("us1", "us1-fed")
CLIENTS: Final = ("acme:1/..", "6dd8ed6c-0000-4000-8000-00000000c11e")
SCOPES: Final = (("", ""), ("private", ""), ("published", "org-1"), ("", "org.replaced-0123"))
PLAIN: Final = ("refresh_token", "api_key", "client_secret")
RECORDS: Final = ("grant",)


def kinds_in_the_code() -> set[str]:
    """Return the kinds that appear as string literals in calls of `Slot` and the lab's `_slot`."""
    return {kind for _, call in _calls("Slot", "_slot") for kind in _kind(call)}


def unnamed_in_the_code() -> set[str]:
    """Return the files with a call of `Slot` whose kind is not a string literal."""
    return {path.relative_to(KIT).as_posix() for path, call in _calls("Slot") if not _kind(call)}


def slots() -> tuple[Slot, ...]:
    """Return a slot of each kind for several sites, clients, kinds of client and organizations."""
    found = product((*PLAIN, *RECORDS), SITES, CLIENTS, SCOPES)
    return tuple(Slot(kind, site, client, *scope) for kind, site, client, scope in found)


def fill(store: Store, chosen: tuple[Slot, ...], *, word: str = "canary") -> list[str]:
    """Put a different canary into each slot, and return all of them, including those in records.

    Each begins with `word`.
    """
    canaries: list[str] = []
    for number, slot in enumerate(chosen):
        if slot.kind in RECORDS:
            names = (f"{word}-access-{number:03}-x", f"{word}-refresh-{number:03}-x")
            access, refresh = (Secret(name, label="token") for name in names)
            record = new_record(tokens(access_token=access, refresh_token=refresh), now=NOW)
            store.put(slot, written(record))
        else:
            names = (f"{word}-{slot.kind}-{number:03}-x",)
            store.put(slot, Secret(names[0], label=slot.kind))
        canaries += names
    return canaries


def _kind(call: ast.Call) -> list[str]:
    first = call.args[:1]
    return [str(each.value) for each in first if isinstance(each, ast.Constant)]


def _calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    """Yield each call of a function with one of these names, and its file."""
    for path in KIT.rglob("*.py"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if any(name in text for name in names) else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names:
                yield path, node
