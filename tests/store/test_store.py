"""The store keeps secrets that are shown once, says where, and rejects an untrusted keyring."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as FailingKeyring
from keyring.backends.null import Keyring as NullKeyring
from support.backends import ChattyKeyring, ForgetfulKeyring, MemoryKeyring
from support.builders import API_KEY, REFRESH_TOKEN, shown, with_locals

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import (
    SERVICE,
    EnvironmentFirst,
    KeyringStore,
    MemoryStore,
    Slot,
    open_store,
    refuse_unwritable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

    from ddoauth_kit.store import Store

SLOT = Slot("refresh_token", "us1", "acme")
KEY_SLOT = Slot("api_key", "us1", "acme")
OTHERS = [
    Slot("api_key", "us1", "acme"),
    Slot("refresh_token", "eu1", "acme"),
    Slot("refresh_token", "us1", "other"),
]
TOKEN = Secret(REFRESH_TOKEN, label="refresh_token")
KEY = Secret(API_KEY, label="api_key", show_last_four=True)


class FailingStore(MemoryStore):
    """Fail to keep, with an exception that is not the kit's."""

    def put(self, slot: Slot, secret: Secret) -> None:  # noqa: ARG002
        """Fail as a full disk does."""
        raise OSError(28, f"No space left on device: {secret.reveal()}")


class ForgetfulStore(MemoryStore):
    """Accept everything and store nothing."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Discard it at once."""


@pytest.fixture
def use_keyring(monkeypatch: pytest.MonkeyPatch) -> Callable[[KeyringBackend | None], None]:
    """Let the test choose the keyring that is found; None lets `keyring` look for itself."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)

    def use(backend: KeyringBackend | None) -> None:
        if backend is not None:
            keyring.set_keyring(backend)

    return use


@pytest.fixture
def plaintext(monkeypatch: pytest.MonkeyPatch) -> KeyringBackend:
    """Return a backend whose module is that of the plain-text file."""
    module = ModuleType("keyrings.alt.file")
    kind = type("PlaintextKeyring", (MemoryKeyring,), {"__module__": module.__name__})
    module.PlaintextKeyring = kind  # type: ignore[attr-defined]
    for name in ("keyrings", "keyrings.alt", module.__name__):
        monkeypatch.setitem(sys.modules, name, module)
    return kind()


@pytest.mark.parametrize(
    "make",
    [
        MemoryStore,
        lambda: KeyringStore(MemoryKeyring()),
        lambda: EnvironmentFirst(MemoryStore(), {}),
    ],
)
def test_a_store_keeps_and_forgets(make: Callable[[], Store]) -> None:
    """A stored value stays until it is replaced or deleted; deleting it twice is not an error."""
    store = make()
    assert store.get(SLOT) is None
    store.put(SLOT, TOKEN)
    assert store.get(SLOT) == TOKEN
    newer = Secret("newer", label="refresh_token")
    store.put(SLOT, newer)
    assert store.get(SLOT) == newer
    store.forget(SLOT)
    store.forget(SLOT)
    assert store.get(SLOT) is None


@pytest.mark.parametrize("other", OTHERS, ids=str)
@pytest.mark.parametrize("make", [MemoryStore, lambda: KeyringStore(MemoryKeyring())])
def test_slots_are_not_shared(make: Callable[[], Store], other: Slot) -> None:
    """Kinds, sites and clients have their own slots, for storing and for deleting."""
    store = make()
    store.put(SLOT, TOKEN)
    assert store.get(other) is None
    store.put(other, KEY)
    store.forget(other)
    assert store.get(SLOT) == TOKEN


def test_the_keyring_is_read_by_the_next_process() -> None:
    """The keyring uses the kit's name, so that another store on it finds the secret."""
    backend = MemoryKeyring()
    KeyringStore(backend).put(KEY_SLOT, KEY)
    assert {service for service, _ in backend.kept} == {SERVICE}
    assert str(KeyringStore(backend).get(KEY_SLOT)) == f"<api_key …{API_KEY[-4:]}>"


def test_a_forgetful_keyring_is_noticed() -> None:
    """A keyring that accepts a secret without storing it is `not_stored`, not a silent loss."""
    with pytest.raises(
        InputError, match="did not store the refresh_token of acme on us1"
    ) as caught:
        KeyringStore(ForgetfulKeyring()).put(SLOT, TOKEN)
    assert caught.value.code == "not_stored"


@pytest.mark.parametrize("use", ["get", "put", "forget"])
def test_a_failing_keyring_is_named(use: str) -> None:
    """A keyring's own exception becomes `not_stored` with its name, and none of its words."""
    backend = ChattyKeyring()
    backend.kept[SERVICE, "refresh_token:us1:acme"] = REFRESH_TOKEN
    arguments = (SLOT, TOKEN) if use == "put" else (SLOT,)
    with pytest.raises(InputError, match="RuntimeError") as caught:
        getattr(KeyringStore(backend), use)(*arguments)
    assert caught.value.code == "not_stored"
    assert REFRESH_TOKEN not in with_locals(caught.value)


def test_the_environment_comes_first() -> None:
    """A variable wins over the store until its value is replaced or forgotten here."""
    environ = {
        "DDOAUTH_REFRESH_TOKEN_US1": " from-outside \n",
        "DDOAUTH_API_KEY_US1_FED": API_KEY,
    }
    kept = MemoryStore()
    kept.put(SLOT, TOKEN)
    store = EnvironmentFirst(kept, environ)
    found = store.get(SLOT)
    assert found is not None
    assert found.reveal() == "from-outside"
    assert store.get(Slot("api_key", "us1-fed", "acme")) == KEY
    assert store.get(Slot("refresh_token", "eu1", "acme")) is None
    newer = Secret("newer", label="refresh_token")
    store.put(SLOT, newer)
    assert store.get(SLOT) == newer
    assert "newer" not in environ.values()
    store.forget(SLOT)
    assert store.get(SLOT) is None


def test_a_blank_variable_is_no_value() -> None:
    """An empty variable does not hide the stored value."""
    kept = MemoryStore()
    kept.put(SLOT, TOKEN)
    assert EnvironmentFirst(kept, {"DDOAUTH_REFRESH_TOKEN_US1": " "}).get(SLOT) == TOKEN


def test_a_good_keyring_is_used(use_keyring: Callable[..., None]) -> None:
    """A keyring that stores secrets is used without a reason against it, and `where` names it."""
    backend = MemoryKeyring()
    use_keyring(backend)
    chosen = open_store(environ={})
    chosen.store.put(SLOT, TOKEN)
    assert backend.kept[SERVICE, "refresh_token:us1:acme"] == REFRESH_TOKEN
    assert chosen.reason == ""
    assert type(backend).__module__ in chosen.store.where


@pytest.mark.parametrize(
    ("backend", "reason"),
    [(FailingKeyring(), "no keyring service runs here"), (NullKeyring(), "it does not store")],
)
def test_fail_and_null_are_refused(
    backend: KeyringBackend, reason: str, use_keyring: Callable[..., None]
) -> None:
    """The two backends that keep nothing give way to memory, with the reason."""
    use_keyring(backend)
    chosen = open_store(environ={})
    assert reason in chosen.reason
    assert type(backend).__module__ in chosen.reason
    assert chosen.store.where == MemoryStore.where


def test_plain_text_is_refused(
    plaintext: KeyringBackend, use_keyring: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that writes plain text gets nothing, also when the environment names it."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    use_keyring(None)
    chosen = open_store(environ={})
    refused = "keyrings.alt.file is not used: it writes files that others may read"
    assert chosen.reason.split("; ")[0] == refused
    chosen.store.put(SLOT, TOKEN)
    assert not keyring.get_keyring().kept


def test_a_child_of_plain_text_is_refused(
    plaintext: KeyringBackend, use_keyring: Callable[..., None]
) -> None:
    """A backend that inherits its plain-text storage is refused as well."""
    use_keyring(type("Mine", (type(plaintext),), {"__module__": "mine"})())
    assert "it writes files" in open_store(environ={}).reason


def test_a_chain_is_as_good_as_its_worst_part(
    plaintext: KeyringBackend, use_keyring: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chainer that may fall back to plain text is refused; one of good parts is used."""
    good = [MemoryKeyring(), MemoryKeyring()]
    monkeypatch.setattr(ChainerBackend, "backends", good)
    use_keyring(ChainerBackend())
    assert open_store(environ={}).reason == ""
    monkeypatch.setattr(ChainerBackend, "backends", [*good, plaintext])
    assert open_store(environ={}).reason.startswith("keyrings.alt.file is not used")


@pytest.mark.parametrize("named", ["no_such_package.Keyring", "keyring.backends.null.Nothing"])
def test_a_keyring_that_does_not_start(
    named: str, use_keyring: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt backend in the environment is a reason to read, not a traceback."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", named)
    use_keyring(None)
    chosen = open_store(environ={})
    assert chosen.reason.startswith("the configured keyring does not start: ")
    assert chosen.store.where == MemoryStore.where


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """If `keyring` is not installed, memory is used, and the reason says so."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "the package keyring is not installed; " in open_store(environ={}).reason


@pytest.mark.parametrize(
    "store",
    [
        FailingStore(),
        ForgetfulStore(),
        KeyringStore(ForgetfulKeyring()),
        KeyringStore(ChattyKeyring()),
        EnvironmentFirst(FailingStore(), {"DDOAUTH_API_KEY_US1": API_KEY}),
    ],
)
def test_an_unwritable_store_is_refused(store: Store) -> None:
    """However a store fails to store, the error is `not_stored` before anything is created."""
    with pytest.raises(InputError) as caught:
        refuse_unwritable(store, KEY_SLOT)
    assert caught.value.code == "not_stored"
    assert "No space" not in str(caught.value)


def test_the_proof_leaves_no_trace() -> None:
    """Testing a store neither changes its contents nor leaves anything behind."""
    backend = MemoryKeyring()
    store = KeyringStore(backend)
    store.put(KEY_SLOT, KEY)
    before = dict(backend.kept)
    refuse_unwritable(store, KEY_SLOT)
    assert backend.kept == before


def test_no_store_shows_a_secret(use_keyring: Callable[..., None]) -> None:
    """No store, slot or choice of a store prints the stored values."""
    use_keyring(MemoryKeyring())
    chosen = open_store(environ={"DDOAUTH_API_KEY_EU1": API_KEY})
    memory = MemoryStore()
    for store in (memory, chosen.store):
        store.put(SLOT, TOKEN)
        store.put(KEY_SLOT, KEY)
    values = [SLOT, memory, chosen, chosen.store, chosen.store.where, vars(memory)]
    text = shown([*values, memory.get(KEY_SLOT), chosen.store.get(SLOT)])
    assert "refresh_token of acme on us1" in text
    assert REFRESH_TOKEN not in text
    assert API_KEY not in text.replace(str(KEY), "")


def test_an_old_variable_takes_no_newer_secret_with_it() -> None:
    """The variable is forgotten first, which reveals the newer secret in the store."""
    kept = MemoryStore()
    kept.put(SLOT, TOKEN)
    store = EnvironmentFirst(kept, {"DDOAUTH_REFRESH_TOKEN_US1": "from-outside"})
    store.forget(SLOT)
    assert store.get(SLOT) == TOKEN
    store.forget(SLOT)
    assert store.get(SLOT) is None
