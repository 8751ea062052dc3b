"""A store's whole content can be exported, and all of it is known to masking."""

from __future__ import annotations

import json
import os
import typing
from dataclasses import fields
from typing import TYPE_CHECKING

import keyring
import pytest
from support.backends import MemoryKeyring
from support.builders import API_KEY, REFRESH_TOKEN
from support.slots import (
    PLAIN,
    RECORDS,
    fill,
    kinds_in_the_code,
    slots,
    unnamed_in_the_code,
)

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.tokens import TokenSet
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import (
    EnvironmentFirst,
    FileStore,
    KeyringStore,
    MemoryStore,
    Slot,
    export_secrets,
    open_store,
)
from ddoauth_kit.store.contents import read_stores, secrets_of_this_user, stored_secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddoauth_kit.store import Store

SLOT = Slot("refresh_token", "us1", "acme")
KEY_SLOT = Slot("api_key", "us1", "acme", "private", "org")


@pytest.fixture
def store() -> EnvironmentFirst:
    """Return a store with two secrets, and a third one in the environment."""
    kept = MemoryStore()
    kept.put(SLOT, Secret(REFRESH_TOKEN, label="refresh_token"))
    kept.put(KEY_SLOT, Secret(API_KEY, label="api_key"))
    return EnvironmentFirst(kept, {"DDOAUTH_API_KEY_EU1": "of-the-environment"})


def test_to_a_new_file(store: EnvironmentFirst, tmp_path: Path) -> None:
    """The file is 0600 and has one JSON object a line, of the store's own secrets."""
    path = tmp_path / "export.jsonl"
    assert export_secrets(store, to=path) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert first == {
        "kind": "refresh_token",
        "site": "us1",
        "client_id": "acme",
        "client_kind": "",
        "org": "",
        "secret": REFRESH_TOKEN,
    }
    assert (second["org"], second["secret"]) == ("org", API_KEY)


def test_to_a_descriptor(store: EnvironmentFirst) -> None:
    """A pipe gets the slots that were asked for, and stays open."""
    end, start = os.pipe()
    assert export_secrets(store, to=start, slots=[KEY_SLOT]) == 1
    os.write(start, b"more")
    os.close(start)
    with os.fdopen(end) as pipe:
        line, rest = pipe.read().split("\n")
    assert json.loads(line)["secret"] == API_KEY
    assert rest == "more"


@pytest.mark.checklist("N2")
def test_to_no_terminal(store: EnvironmentFirst) -> None:
    """A descriptor that is a terminal is refused."""
    controller, terminal = os.openpty()
    try:
        with pytest.raises(InputError, match="A terminal would show") as caught:
            export_secrets(store, to=terminal)
    finally:
        os.close(controller)
        os.close(terminal)
    assert caught.value.code == "bad_export"


@pytest.mark.checklist("N4")
@pytest.mark.parametrize("make", ["file", "link", "folder"])
def test_to_nothing_that_exists(store: EnvironmentFirst, tmp_path: Path, make: str) -> None:
    """No existing file and no target of a link is overwritten."""
    path, target = tmp_path / "export", tmp_path / "target"
    {
        "file": lambda: path.write_text("mine", "utf-8"),
        "link": lambda: path.symlink_to(target),
        "folder": path.mkdir,
    }[make]()
    with pytest.raises(InputError, match="cannot be created") as caught:
        export_secrets(store, to=path)
    assert caught.value.code == "bad_export"
    assert not target.exists()


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
