"""A keyring that waits for an absent person does not block anything."""

from __future__ import annotations

import threading

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import KeyringStore, Slot, patience
from ddoauth_kit.store.patience import NoAnswerError, answered

SLOT = Slot("api_key", "us1", "acme")


class Locked:
    """Be a keyring whose prompt nobody sees, until `unlocked` is set."""

    def __init__(self) -> None:
        self.unlocked = threading.Event()
        self.kept: dict[str, str] = {}

    def get_password(self, _service: str, name: str) -> str | None:
        """Wait for the password, then read."""
        self.unlocked.wait()
        return self.kept.get(name)

    def set_password(self, _service: str, name: str, value: str) -> None:
        """Wait for the password, then write."""
        self.unlocked.wait()
        self.kept[name] = value


def test_a_silent_keyring_is_told_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call waits, the next ones fail at once, and after unlocking everything works."""
    monkeypatch.setattr(patience, "SECONDS", 0.3)
    keyring = Locked()
    store = KeyringStore(keyring)
    for use in (
        store.slots,
        lambda: store.get(SLOT),
        lambda: store.put(SLOT, Secret("k", label="k")),
    ):
        with pytest.raises(InputError) as caught:
            use()
        assert caught.value.code == "keyring_silent"
        assert "DDOAUTH_STORE" in caught.value.advice
    (waiting,) = patience._WAITING
    monkeypatch.setattr(patience, "SECONDS", 60.0)
    keyring.unlocked.set()
    waiting.join(60)
    store.put(SLOT, Secret("kept", label="api_key"))
    assert store.get(SLOT) == Secret("kept", label="api_key")


def test_a_call_that_answers_is_as_it_was() -> None:
    """Values and errors pass through."""
    assert answered(lambda a: a + 1, 2) == 3
    with pytest.raises(KeyError):
        answered({}.__getitem__, "x")
    assert issubclass(NoAnswerError, TimeoutError)
