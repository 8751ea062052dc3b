"""Keep what is shown once: client secrets, refresh tokens and API keys, each under its own slot.

The order of preference is environment (read only), the operating system's keyring, memory. A
keyring that fails, forgets or writes plain text is not used, and the reason is kept for people.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from ddoauth_kit.errors import InputError
from ddoauth_kit.place import NOTHING_KEPT, on_binder
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE: Final = "ddoauth-kit"
_UNUSABLE: Final = {
    "keyring.backends.fail": "no keyring service runs here",
    "keyring.backends.null": "it forgets what it is given",
    "keyrings.alt.file": "it writes files that others may read",
    "keyrings.alt.pyfs": "it writes files that others may read",
}


@dataclass(frozen=True, slots=True)
class Slot:
    """Name where one secret is kept: what it is, and of which site and client.

    `kind` is `refresh_token` or `api_key`. A token is worth nothing on another site, so the site
    is part of the name.
    """

    kind: str
    site: str
    client_id: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.client_id} on {self.site}"


class Store(Protocol):
    """Keep secrets by slot; `where` says in words how long they live and who may read them."""

    @property
    def where(self) -> str:
        """Return where things are kept, for people."""

    def get(self, slot: Slot) -> Secret | None:
        """Return what the slot holds, or None."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep a secret; it is kept for certain when this returns."""

    def forget(self, slot: Slot) -> None:
        """Drop what the slot holds, if anything."""


class MemoryStore:
    """Keep secrets for as long as the process lives."""

    where = "memory: it is gone when this kernel ends"

    def __init__(self) -> None:
        self._kept: dict[Slot, Secret] = {}

    def get(self, slot: Slot) -> Secret | None:
        """Return what the slot holds, or None."""
        return self._kept.get(slot)

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep a secret until the process ends."""
        self._kept[slot] = secret

    def forget(self, slot: Slot) -> None:
        """Drop what the slot holds, if anything."""
        self._kept.pop(slot, None)


class KeyringStore:
    """Keep secrets in the operating system's keyring, through the `keyring` package."""

    def __init__(self, backend: Any) -> None:  # noqa: ANN401 - keyring is an optional package
        self._backend = backend

    @property
    def where(self) -> str:
        """Return the keyring's own name."""
        return f"the keyring of this machine ({type(self._backend).__module__})"

    def get(self, slot: Slot) -> Secret | None:
        """Return what the slot holds, or None.

        Raises:
            InputError: `not_stored`, when the keyring cannot be read.
        """
        value = self._ask("get", _name(slot))
        return _wrapped(slot, value) if value else None

    def put(self, slot: Slot, secret: Secret) -> None:
        """Write a secret, and read it back: some keyrings take it and say nothing.

        Raises:
            InputError: `not_stored`.
        """
        self._ask("set", _name(slot), secret.reveal())
        if self.get(slot) != secret:
            raise InputError("not_stored", f"The keyring did not keep the {slot}.")

    def forget(self, slot: Slot) -> None:
        """Drop what the slot holds, if anything.

        Raises:
            InputError: `not_stored`, when the keyring cannot be changed.
        """
        if self.get(slot) is not None:
            self._ask("delete", _name(slot))

    def _ask(self, action: str, *arguments: str) -> Any:  # noqa: ANN401 - as the backend has it
        """Call the backend; its own exception may hold the secret, so only its name is kept."""
        try:
            return getattr(self._backend, f"{action}_password")(SERVICE, *arguments)
        except Exception as error:  # noqa: BLE001 - each keyring has exceptions of its own
            failure = type(error).__name__
        finally:
            del arguments  # a traceback with variables would show the secret
        what = f"The attempt to {action} a secret in {self.where} failed: {failure}."
        raise InputError("not_stored", what)


class EnvironmentFirst:
    """Read from the environment where it has a value, and keep everything else in a store.

    The variables are `DDOAUTH_REFRESH_TOKEN_US1`, `DDOAUTH_API_KEY_EU1` and so on. One whose
    value was replaced or forgotten here is not read again.
    """

    def __init__(self, store: Store, environ: Mapping[str, str] = os.environ) -> None:
        self._store = store
        self._environ = environ
        self._outdated: set[Slot] = set()

    @property
    def where(self) -> str:
        """Return where new secrets go."""
        return self._store.where

    def get(self, slot: Slot) -> Secret | None:
        """Return the variable's value, or what the store holds, or None."""
        known = slot not in self._outdated
        value = self._environ.get(_variable(slot), "").strip() if known else ""
        return _wrapped(slot, value) if value else self._store.get(slot)

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep a secret in the store; the environment is never written."""
        self._store.put(slot, secret)
        self._outdated.add(slot)

    def forget(self, slot: Slot) -> None:
        """Look no more at the variable where it had a value, else drop what the store holds.

        So a variable that is out of date does not take a newer secret with it.
        """
        in_force = slot not in self._outdated and self._environ.get(_variable(slot), "").strip()
        self._outdated.add(slot)
        if not in_force:
            self._store.forget(slot)


@dataclass(frozen=True, slots=True)
class ChosenStore:
    """Hold the store that is used, and why no better one is; `reason` is empty for the best."""

    store: Store
    reason: str = ""


def open_store(*, environ: Mapping[str, str] = os.environ) -> ChosenStore:
    """Choose the best store that works here; on Binder that is memory."""
    if on_binder(environ):
        return ChosenStore(MemoryStore(), NOTHING_KEPT)
    backend, reason = _usable_keyring()
    kept: Store = MemoryStore() if backend is None else KeyringStore(backend)
    return ChosenStore(EnvironmentFirst(kept, environ), reason)


def refuse_unwritable(store: Store, slot: Slot) -> None:
    """Prove that a store keeps what it is given, before something is made that is shown once.

    Raises:
        InputError: `not_stored`.
    """
    probe = Slot(f"probe_{slot.kind}", slot.site, slot.client_id)
    written = Secret("can this be kept?", label="probe")
    try:
        try:
            store.put(probe, written)
            kept = store.get(probe)
        finally:
            store.forget(probe)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - each keyring has exceptions of its own
        what = f"Nothing can be kept in {store.where}: {type(error).__name__}."
        raise InputError("not_stored", what) from None
    if kept != written:
        raise InputError("not_stored", f"What is put in {store.where} does not stay there.")


def _usable_keyring() -> tuple[Any, str]:
    """Return the keyring's backend and no reason, or None and the reason why not."""
    try:
        import keyring
    except ImportError:
        return None, "the package keyring is not installed"
    try:
        backend = keyring.get_keyring()
        parts = getattr(backend, "backends", [backend])
    except Exception as error:  # noqa: BLE001 - whatever the configured backend raises
        return None, f"the configured keyring does not start: {type(error).__name__}"
    for part in parts:
        reason = next(filter(None, (_UNUSABLE.get(k.__module__) for k in type(part).__mro__)), "")
        if reason:
            return None, f"{type(part).__module__} is not used: {reason}"
    return backend, ""


def _name(slot: Slot) -> str:
    return f"{slot.kind}:{slot.site}:{slot.client_id}"


def _variable(slot: Slot) -> str:
    return f"DDOAUTH_{slot.kind}_{slot.site}".upper().replace("-", "_")


def _wrapped(slot: Slot, value: str) -> Secret:
    return Secret(value, label=slot.kind, show_last_four=slot.kind == "api_key")
