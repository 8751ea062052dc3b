"""Keep secrets in a folder that only this user can read, one file a slot (POSIX only)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.store.folder import NEW, PrivateFolder
from ddoauth_kit.store.slots import Slot, slot_named, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from ddoauth_kit.secret import Secret

FOLDER: Final = "ddoauth-kit"
_ENDING: Final = ".json"
_LOCK: Final = ".lock"
_LONGEST: Final = 200


def default_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return where the files go, or None where the environment names no home.

    `DDOAUTH_STORE_FOLDER` wins over `XDG_STATE_HOME`, and that over `~/.local/state`.
    """
    if folder := environ.get("DDOAUTH_STORE_FOLDER", "").strip():
        return Path(folder)
    if state := environ.get("XDG_STATE_HOME", "").strip():
        return Path(state) / FOLDER
    home = environ.get("HOME", "").strip()
    return Path(home) / ".local" / "state" / FOLDER if home else None


class FileStore:
    """Keep each secret in a file of mode 0600 in a folder of mode 0700.

    A file is replaced as a whole. A process that is killed in between leaves the old value, or a
    new one that was written whole and that the next store on the folder puts in place.

    Raises:
        InputError: `unsafe_store` or `not_stored`, here and in every method.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = PrivateFolder(folder)
        with self._folder.locked(_LOCK):
            self._finish()

    @property
    def where(self) -> str:
        """Return the folder's path."""
        return f"files that only this user can read, in {self._folder.path}"

    def get(self, slot: Slot) -> Secret | None:
        """Return what the slot holds, or None."""
        try:
            return self._read(slot, _file(slot))
        except InputError as error:
            raise error.with_traceback(None) from None  # the frames below hold the file's content

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep a secret; when this returns, the disk has it."""
        try:
            with self._folder.locked(_LOCK):
                self._finish()
                self._folder.write(_file(slot), _record(slot, secret))
        except InputError as error:
            raise error.with_traceback(None) from None

    def forget(self, slot: Slot) -> None:
        """Delete what the slot holds, if anything."""
        with self._folder.locked(_LOCK):
            self._finish()
            self._folder.remove(_file(slot))

    def slots(self) -> tuple[Slot, ...]:
        """Return which slots hold something, in the order in which they were written."""
        names = self._folder.names()
        files = (name for name in names if name.endswith(_ENDING) and name[0] != ".")
        found = (slot_named(name.removesuffix(_ENDING)) for name in files)
        return tuple(slot for slot in found if slot is not None and not slot.is_probe)

    def alone(self, slot: Slot) -> AbstractContextManager[None]:
        """Keep all other threads and processes that ask for the same slot waiting."""
        return self._folder.locked(f".alone-{_file(slot)}")

    def _finish(self) -> None:
        """Put in place what a killed process had written whole, and delete what it had not."""
        for new in self._folder.names():
            name = new.removeprefix(NEW)
            if name == new:
                continue
            slot = slot_named(name.removesuffix(_ENDING))
            if slot is not None and not slot.is_probe and self._is_whole(slot, new):
                self._folder.finish(name)
            else:
                self._folder.remove(new)

    def _read(self, slot: Slot, name: str) -> Secret | None:
        content = self._folder.read(name)
        return None if content is None else _secret(slot, content, path=self._folder.path)

    def _is_whole(self, slot: Slot, name: str) -> bool:
        try:
            return self._read(slot, name) is not None
        except InputError:
            return False


def _file(slot: Slot) -> str:
    name = slot.name + _ENDING
    if len(name) > _LONGEST:
        raise InputError("not_stored", f"The name of the {slot.kind} is too long for a file.")
    return name


def _record(slot: Slot, secret: Secret) -> bytes:
    return json.dumps({"slot": slot.name, "secret": secret.reveal()}).encode() + b"\n"


def _secret(slot: Slot, content: bytes, *, path: Path) -> Secret:
    """Return what a file holds, if it is this slot's; nothing of it goes into the error."""
    try:
        record = json.loads(content)
        named, value = record["slot"], record["secret"]
    except (ValueError, TypeError, KeyError, RecursionError):
        named = value = None
    if named != slot.name or not isinstance(value, str) or not value:
        what = f"The file {_file(slot)} in {path} does not hold the {slot} as it was written."
        raise InputError("not_stored", what)
    return wrapped(slot, value)
