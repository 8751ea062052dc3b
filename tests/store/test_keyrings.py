"""A keyring lists what it was given, and lets one process at a time have a slot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.backends import ChattyKeyring, MemoryKeyring
from support.builders import API_KEY, REFRESH_TOKEN

from ddoauth_kit.secret import Secret
from ddoauth_kit.store import SERVICE, KeyringStore, Slot
from ddoauth_kit.store.keyrings import INDEX

if TYPE_CHECKING:
    from pathlib import Path

SLOT = Slot("refresh_token", "us1", "acme")
KEY_SLOT = Slot("api_key", "eu1", "acme", "private", "org")
TOKEN = Secret(REFRESH_TOKEN, label="refresh_token")
KEY = Secret(API_KEY, label="api_key")


def test_it_lists_what_it_was_given() -> None:
    """The next store on the keyring knows the slots; what was forgotten or tried is none."""
    backend = MemoryKeyring()
    store = KeyringStore(backend)
    store.put(SLOT, TOKEN)
    store.put(KEY_SLOT, KEY)
    store.put(SLOT.probe, KEY)
    assert KeyringStore(backend).slots() == (SLOT, KEY_SLOT)
    store.forget(SLOT)
    assert KeyringStore(backend).slots() == (KEY_SLOT,)
    assert API_KEY not in backend.kept[SERVICE, INDEX]


def test_a_slot_that_is_gone_is_not_listed() -> None:
    """Where somebody removed an entry by hand, the list does not claim that it is there."""
    backend = MemoryKeyring()
    store = KeyringStore(backend)
    store.put(SLOT, TOKEN)
    del backend.kept[SERVICE, SLOT.name]
    assert store.slots() == ()


def test_a_list_that_was_damaged_is_begun_again() -> None:
    """Whatever stands in the place of the list, secrets are kept and listed from then on."""
    for damage in ("", "{", "{}", '[1, null, "x"]', json.dumps(["a:b"])):
        backend = MemoryKeyring()
        backend.kept[SERVICE, INDEX] = damage
        store = KeyringStore(backend)
        store.put(SLOT, TOKEN)
        assert store.slots() == (SLOT,)


def test_no_list_is_no_loss() -> None:
    """A keyring that has no room for the list keeps the secret all the same."""

    class Narrow(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            if username == INDEX:
                raise ValueError("too long")
            super().set_password(service, username, password)

    store = KeyringStore(Narrow())
    store.put(SLOT, TOKEN)
    assert store.get(SLOT) == TOKEN
    assert ChattyKeyring().kept == {}


def test_a_folder_is_for_waiting_only(tmp_path: Path) -> None:
    """Beside a keyring the folder holds locks, and not a byte of a secret."""
    folder = tmp_path / "state"
    store = KeyringStore(MemoryKeyring(), folder=folder)
    with store.alone(SLOT):
        store.put(SLOT, TOKEN)
    files = list(folder.iterdir())
    assert {file.name for file in files} == {".keyring-lock", ".alone-refresh_token:us1:acme"}
    assert {file.read_bytes() for file in files} == {b""}
