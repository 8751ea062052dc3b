"""Store secrets in the operating system's keyring, if it can be trusted."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import counted
from ddoauth_kit.store.files import PrivateFolder
from ddoauth_kit.store.memory import ThreadLocks
from ddoauth_kit.store.patience import SECONDS, NoAnswerError, answered
from ddoauth_kit.store.slots import Slot, slot_named, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ddoauth_kit.secret import Secret

SERVICE: Final = "ddoauth-kit"
INDEX: Final = "slots"
# An entry in Windows' keyring holds 2,560 bytes, and a name with two ids takes about 200.
_PART: Final = 8
LONGEST: Final = 1000  # characters in one entry, with two bytes each on Windows
_SPLIT: Final = "ddoauth-parts:"
_LOCK: Final = ".keyring-lock"
_UNUSABLE: Final = {
    "keyring.backends.fail": "no keyring service runs here",
    "keyring.backends.null": "it does not store values",
    "keyrings.alt.file": "it writes files that others may read",
    "keyrings.alt.pyfs": "it writes files that others may read",
}


def usable_keyring() -> tuple[Any, str]:
    """Return the keyring's backend, or None if it can't be used, and the reason."""
    try:
        import keyring
    except ImportError:
        return None, "the package keyring is not installed"
    try:
        backend = answered(keyring.get_keyring)
        parts = getattr(backend, "backends", [backend])
    except NoAnswerError:
        return None, "the configured keyring does not respond"
    except Exception as error:  # noqa: BLE001 - whatever the configured backend raises
        return None, f"the configured keyring does not start: {type(error).__name__}"
    if not parts:
        return None, "the configured keyring contains no other keyring"
    for part in parts:
        reason = next(filter(None, (_UNUSABLE.get(k.__module__) for k in type(part).__mro__)), "")
        if reason:
            return None, f"{type(part).__module__} is not used: {reason}"
    return backend, ""


def _entry(number: int) -> str:
    """Return the user name of an entry that lists slots."""
    return f"{INDEX}-{number + 1}" if number else INDEX


def _header(value: str, count: int) -> str:
    """Return the value of a slot whose secret is split into parts."""
    mark = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{_SPLIT}{count}:{mark}"


def _part_names(slot: Slot, value: str | None) -> tuple[str, ...]:
    """Return the user names of the entries that a slot's value refers to, if any."""
    found = re.fullmatch(rf"{_SPLIT}(\d{{1,3}}):([0-9a-f]{{16}})", value or "")
    count = int(found[1]) if found else 0
    return tuple(f"{slot.name}#{found[2]}-{n + 1}" for n in range(count)) if found else ()


class KeyringStore:
    """Store secrets in the operating system's keyring, through the `keyring` package.

    A keyring can't list its entries, so the slots' names are stored in separate entries. A secret
    longer than a thousand characters is split into several entries. `folder` is for the processes'
    locks; without it, only threads wait for each other.
    """

    def __init__(self, backend: Any, *, folder: Path | None = None) -> None:  # noqa: ANN401 - keyring is an optional package
        self._backend = backend
        self._folder = PrivateFolder(folder) if folder is not None else None
        self._threads = ThreadLocks()

    @property
    def where(self) -> str:
        """Return the keyring's name."""
        return f"the keyring of this machine ({type(self._backend).__module__})"

    def get(self, slot: Slot) -> Secret | None:
        """Return the secret in the slot, or None.

        Raises:
            InputError: `not_stored`, if the keyring cannot be read.
        """
        for _ in range(2):  # another process may have stored a new secret between the two reads
            value = self._ask("get", slot.name)
            names = _part_names(slot, value)
            parts = [self._ask("get", name) for name in names]
            whole = "".join(part or "" for part in parts) if names else value
            if not names or _header(whole, len(names)) == value:
                return wrapped(slot, whole) if whole else None
        raise InputError("not_stored", f"A part of the {slot} is missing in {self.where}.")

    def put(self, slot: Slot, secret: Secret) -> None:
        """Write a secret and read it back, because some keyrings lose it without an error.

        Raises:
            InputError: `not_stored`.
        """
        self._note(slot, kept=True)
        earlier = _part_names(slot, self._ask("get", slot.name))
        names = self._set(slot, secret)
        if self.get(slot) != secret:
            raise InputError("not_stored", f"The keyring did not store the {slot}.")
        self._delete(name for name in earlier if name not in names)

    def forget(self, slot: Slot) -> None:
        """Delete the secret in the slot, if there is one.

        Raises:
            InputError: `not_stored`, if the keyring cannot be changed.
        """
        value = self._ask("get", slot.name)
        if value is not None:
            self._ask("delete", slot.name)
            self._delete(_part_names(slot, value))
        self._note(slot, kept=False)

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots in use.

        Raises:
            InputError: `not_stored`, if the keyring cannot be read.
        """
        found = (slot_named(name) for part in self._index() for name in part)
        return tuple(slot for slot in found if slot is not None and self.get(slot) is not None)

    @contextmanager
    def alone(self, slot: Slot) -> Iterator[None]:
        """Block all other threads (and, with a folder, processes) that need the slot."""
        with self._threads.alone(slot), self._processes(f".alone-{slot.name}"):
            yield

    def _set(self, slot: Slot, secret: Secret) -> tuple[str, ...]:
        """Write a secret; if it is long, store its parts first, so that the old one remains valid.

        Return the names of the parts.
        """
        value = secret.reveal()
        if len(value) <= LONGEST and not value.startswith(_SPLIT):
            self._ask("set", slot.name, value)
            return ()
        parts = [value[i : i + LONGEST] for i in range(0, len(value), LONGEST)]
        header = _header(value, len(parts))
        names = _part_names(slot, header)
        for name, part in zip(names, parts, strict=True):
            self._ask("set", name, part)
        self._ask("set", slot.name, header)
        return names

    def _delete(self, names: Iterable[str]) -> None:
        """Delete any parts that entries no longer refer to."""
        for name in names:
            with suppress(InputError):
                self._ask("delete", name)

    def _processes(self, name: str) -> AbstractContextManager[None]:
        return nullcontext() if self._folder is None else self._folder.locked(name)

    def _note(self, slot: Slot, *, kept: bool) -> None:
        """Update the list of names; a keyring with no room for the list still stores secrets."""
        if slot.is_probe:
            return
        with suppress(InputError), self._processes(_LOCK):
            parts = self._index()
            names = [name for part in parts for name in part if name != slot.name]
            if kept:
                names.append(slot.name)
            new = [names[i : i + _PART] for i in range(0, len(names), _PART)] or [[]]
            for number, part in enumerate(new):
                if parts[number : number + 1] != [part]:
                    self._ask("set", _entry(number), json.dumps(part))
            for number in range(len(new), len(parts)):
                self._ask("delete", _entry(number))

    def _index(self) -> list[list[str]]:
        """Read the names of all slots from the entries."""
        found: list[list[str]] = []
        while text := self._ask("get", _entry(len(found))):
            try:
                names = json.loads(text)
            except ValueError:
                names = []
            names = names if isinstance(names, list) else []
            found.append([name for name in names if isinstance(name, str)])
        return found

    def _ask(self, action: str, *arguments: str) -> Any:  # noqa: ANN401 - as the backend has it
        """Call the backend; show only an exception's name, as its text may contain the secret."""
        size = f" It has {counted(len(arguments[1]), 'character')}." if action == "set" else ""
        try:
            return answered(getattr(self._backend, f"{action}_password"), SERVICE, *arguments)
        except NoAnswerError:
            failure = ""
        except Exception as error:  # noqa: BLE001 - each keyring has exceptions of its own
            failure = type(error).__name__
        finally:
            del arguments  # a traceback with variables would show the secret
        if not failure:
            what = f"{self.where.capitalize()} has not responded for {SECONDS:g} seconds."
            raise InputError("keyring_silent", what)
        what = f"The attempt to {action} a secret in {self.where} failed: {failure}.{size}"
        raise InputError("not_stored", what)
