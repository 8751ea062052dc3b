"""A keyring lists what it was given, and lets one process at a time have a slot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.backends import ChattyKeyring, MemoryKeyring
from support.builders import API_KEY, REFRESH_TOKEN

from ddoauth_kit.errors import InputError
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
    """If somebody removed an entry by hand, the list does not include it."""
    backend = MemoryKeyring()
    store = KeyringStore(backend)
    store.put(SLOT, TOKEN)
    del backend.kept[SERVICE, SLOT.name]
    assert store.slots() == ()


def test_a_list_that_was_damaged_is_begun_again() -> None:
    """Whatever is stored in place of the list, secrets are stored and listed from then on."""
    for damage in ("", "{", "{}", '[1, null, "x"]', json.dumps(["a:b"])):
        backend = MemoryKeyring()
        backend.kept[SERVICE, INDEX] = damage
        store = KeyringStore(backend)
        store.put(SLOT, TOKEN)
        assert store.slots() == (SLOT,)


def test_no_list_is_no_loss() -> None:
    """A keyring without room for the list still stores the secret."""

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
    """With a keyring, the folder contains locks, but not a byte of a secret."""
    folder = tmp_path / "state"
    store = KeyringStore(MemoryKeyring(), folder=folder)
    with store.alone(SLOT):
        store.put(SLOT, TOKEN)
    files = list(folder.iterdir())
    assert {file.name for file in files} == {".keyring-lock", ".alone-refresh_token:us1:acme"}
    assert {file.read_bytes() for file in files} == {b""}


class SmallKeyring(MemoryKeyring):
    """Accept 2,560 bytes of UTF-16 per entry, as Windows' Credential Manager does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it if it fits."""
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError(1783, "The stub received bad data")
        super().set_password(service, username, password)


@generated(st.lists(st.integers(1, 6000), min_size=1, max_size=3))
def test_a_long_secret_is_kept_in_parts(lengths: list[int]) -> None:
    """Of any length, in place of any other, it comes back whole, and nothing of the other stays."""
    backend = SmallKeyring()
    store = KeyringStore(backend)
    for number, length in enumerate(lengths):
        secret = Secret(chr(ord("a") + number) * length, label="grant")
        store.put(SLOT, secret)
        assert store.get(SLOT) == secret
        held = "".join(value for (_, name), value in backend.kept.items() if name != INDEX)
        assert len(held) <= length + 40
    assert store.slots() == (SLOT,)
    store.forget(SLOT)
    assert (store.get(SLOT), store.slots()) == (None, ())
    assert set(backend.kept) <= {(SERVICE, INDEX)}


def test_a_text_that_looks_like_parts_is_a_secret() -> None:
    """It is itself stored in parts, so that it is never read as a list of others."""
    store = KeyringStore(SmallKeyring())
    odd = Secret("ddoauth-parts:1:0123456789abcdef", label="grant")
    store.put(SLOT, odd)
    assert store.get(SLOT) == odd


def test_a_torn_secret_is_refused() -> None:
    """If a part is missing, nothing is returned in place of the secret."""
    backend = SmallKeyring()
    store = KeyringStore(backend)
    store.put(SLOT, Secret("x" * 3000, label="grant"))
    del backend.kept[next(key for key in backend.kept if "#" in key[1])]
    with pytest.raises(InputError, match="A part of the") as caught:
        store.get(SLOT)
    assert caught.value.code == "not_stored"
    store.put(SLOT, Secret("new", label="grant"))
    assert store.get(SLOT) == Secret("new", label="grant")


def test_a_keyring_that_takes_less_is_told_with_the_size() -> None:
    """The error names how long the secret was, and nothing of it."""

    class Tiny(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            if len(password) > 100 and username != INDEX:
                raise OSError(password)
            super().set_password(service, username, password)

    with pytest.raises(InputError, match=r"OSError\. It has 700 characters") as caught:
        KeyringStore(Tiny()).put(SLOT, Secret("canary-" * 100, label="grant"))
    assert "canary" not in str(caught.value)
