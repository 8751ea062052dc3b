"""Everything that is stored is known to masking."""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import TYPE_CHECKING

import keyring
import pytest
from support.backends import MemoryKeyring
from support.slots import (
    PLAIN,
    RECORDS,
    fill,
    kinds_in_the_code,
    slots,
    unnamed_in_the_code,
)

from ddoauth_kit.errors import InputError
from ddoauth_kit.leaks.stored_secrets import read_stores, secrets_of_this_user, stored_secrets
from ddoauth_kit.oauth.tokens import TokenSet
from ddoauth_kit.store import (
    EnvironmentFirst,
    FileStore,
    KeyringStore,
    MemoryStore,
    Slot,
    open_store,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddoauth_kit.store import Store


STORES: dict[str, Callable[[Path], Store]] = {
    "file": lambda folder: FileStore(folder / "kept"),
    "keyring": lambda _: KeyringStore(MemoryKeyring()),
    "memory": lambda _: MemoryStore(),
    "environment": lambda folder: EnvironmentFirst(
        FileStore(folder / "kept"), {"DDOAUTH_REFRESH_TOKEN_US1": "hides-what-is-kept"}
    ),
}


@pytest.mark.checklist("N5")
def test_every_kind_has_a_canary() -> None:
    """A kind of slot that is new in the code must be filled by the tests below."""
    assert kinds_in_the_code() == {*PLAIN, *RECORDS}
    assert unnamed_in_the_code() == {"store/files.py", "store/slots.py", "workbook/lab/lab.py"}


@pytest.mark.checklist("N5")
@pytest.mark.parametrize("make", STORES.values(), ids=STORES)
def test_every_slot_and_record_is_known(make: Callable[[Path], Store], tmp_path: Path) -> None:
    """Of every kind, site, client, client's kind and organization, the secret is known."""
    store = make(tmp_path)
    canaries = fill(store, slots())
    known = {secret.reveal() for secret in stored_secrets(store)}
    assert len(slots()) == 64
    assert set(canaries) <= known


@pytest.mark.checklist("N5")
def test_every_secret_of_a_grant_is_in_its_record() -> None:
    """The record's canaries stand for the secrets in a grant."""
    hints = typing.get_type_hints(TokenSet)
    secret = {f.name for f in fields(TokenSet) if "Secret" in str(hints[f.name])}
    assert secret == {"access_token", "refresh_token"}


@pytest.mark.checklist("N5")
@pytest.mark.parametrize(
    "place",
    [
        {"DDOAUTH_STORE_FOLDER": "{}/kept"},
        {"DDOAUTH_STORE_FOLDER": "~/kept", "HOME": "{}"},
        {"XDG_STATE_HOME": "{}"},
        {"HOME": "{}"},
        {"HOME": "/nowhere", "XDG_STATE_HOME": "{}"},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["", "keyring", "file", "memory"])
def test_the_stores_of_this_user(
    kind: str, place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store that a lab with this environment would use is read, and so are older files."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", MemoryKeyring())
    environ = {name: value.format(tmp_path) for name, value in place.items()}
    assert secrets_of_this_user(environ).secrets == ()
    assert list(tmp_path.iterdir()) == [], "looking makes no folder"
    files = fill(open_store(environ={**environ, "DDOAUTH_STORE": "file"}).store, slots()[::7])
    good = fill(open_store(environ=environ).store, slots()[::8])
    found = secrets_of_this_user({**environ, "DDOAUTH_STORE": kind})
    known = {secret.reveal() for secret in found.secrets}
    assert set(files) <= known
    assert (set(good) <= known) == (kind in {"", "keyring"})
    assert found.unread == ()


@pytest.mark.checklist("N5")
def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A damaged file, and a store that fails, are named, and the rest is known."""
    store = FileStore(tmp_path / "kept")
    canaries = fill(store, slots()[:20])
    (damaged,) = [p for p in (tmp_path / "kept").iterdir() if canaries[0] in p.read_text("utf-8")]
    damaged.write_text("{", "utf-8")

    class Locked(MemoryStore):
        def slots(self) -> tuple[Slot, ...]:
            raise InputError("not_stored", "The keyring is locked.")

    found = read_stores([Locked(), store])
    assert {secret.reveal() for secret in found.secrets} == set(canaries[1:])
    assert found.unread[0] == "The keyring is locked."
    assert "does not contain the" in found.unread[1]
    assert canaries[0] not in str(found.unread)
