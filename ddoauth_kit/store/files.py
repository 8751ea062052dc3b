"""Store secrets in a folder that only this user can read, one file per slot (POSIX only)."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import astuple
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ddoauth_kit.errors import InputError
from ddoauth_kit.store.slots import Slot, slot_named, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from ddoauth_kit.secret import Secret

FOLDER: Final = "ddoauth-kit"
_ENDING: Final = ".json"
_LOCK: Final = ".lock"
_LONGEST: Final = 200
_SEPARATOR: Final = ","
_HASHED: Final = ",~"
_KEPT: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
_FEWEST: Final = 3
_MOST: Final = 5
PATIENCE: Final = 90.0
MAX_BYTES: Final = 64 * 1024
NEW: Final = ".new-"
_OTHERS: Final = 0o077
_LINKS: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})
_SAFE: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# Opening a pipe instead of a file would block.
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)
_EVERYBODY: Final = 0o002
_FIRST_NAP: Final = 0.001
_LONGEST_NAP: Final = 0.05


def path_of(given: object, *, of: str = "folder") -> Path:
    """Return a string or path as a path; refuse anything else, and show it in the message.

    A leading `~` is expanded, because no shell has processed the value.

    Raises:
        InputError: `not_a_path`.
    """
    if isinstance(given, str | os.PathLike):
        path = os.fspath(given)
        if isinstance(path, str) and path.strip() and "\0" not in path:
            with suppress(RuntimeError):  # a home folder that doesn't exist
                return Path(path).expanduser()
    what = f"{given!r:.80} is not the path of a {of}."
    raise InputError("not_a_path", what)


class PrivateFolder:
    """Write, read and list files of mode 0600 in a folder of mode 0700.

    Raises:
        InputError: `unsafe_store`, if a file or folder belongs to somebody else, is open to others
        or is a link; `not_stored`, if the system refuses, for example because the disk is full or a
        permission is missing.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = path = path_of(folder)
        if os.name != "posix":
            raise InputError("not_stored", "File modes don't protect files on this system.")
        with _system_says(f"The folder {path} cannot be created"):
            _make(path)
            _refuse_open_way(path)
        with self._opened():
            pass

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None if it does not exist."""
        with self._opened() as folder, _system_says(f"{self.path / name} cannot be read"):
            try:
                file = os.open(name, os.O_RDONLY | _AT_ONCE | _SAFE, dir_fd=folder)
            except FileNotFoundError:
                return None
            try:
                self._refuse_unsafe(os.fstat(file), name)
                return _whole(file)
            finally:
                os.close(file)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file atomically and durably: readers see either the old or the new contents."""
        new = f"{NEW}{name}"
        with self._opened() as folder, _system_says(f"{self.path / name} cannot be written"):
            self._refuse_unsafe_target(name, folder)
            try:
                _write_whole(new, content, folder=folder)
                os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with suppress(OSError):
                    os.unlink(new, dir_fd=folder)
                raise
            os.fsync(folder)

    def remove(self, name: str) -> bool:
        """Delete a file if it exists; if several callers try at once, only one gets True."""
        with self._opened() as folder, _system_says(f"{self.path / name} cannot be removed"):
            try:
                os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                return False
            os.fsync(folder)
        return True

    def rename(self, old: str, new: str) -> None:
        """Rename a file, and replace any existing file with the new name."""
        with self._opened() as folder, _system_says(f"{self.path / new} cannot be written"):
            os.replace(old, new, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def names(self) -> tuple[str, ...]:
        """Return the names of all files in the order in which they were written."""
        with self._opened() as folder, _system_says(f"{self.path} cannot be listed"):
            found = os.listdir(folder)  # noqa: PTH208 - of the open folder, not of its path
            return tuple(sorted(found, key=lambda name: _written(name, folder)))

    def written(self, name: str) -> float:
        """Return when a file was written, in Unix time, or 0 if it does not exist."""
        with self._opened() as folder:
            return _written(name, folder) / 1e9

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Lock a name against all other threads and processes; wait at most 90 seconds.

        The system releases the lock when a process ends, even after a crash.

        Raises:
            InputError: `store_busy`.
        """
        flags = os.O_RDWR | os.O_CREAT | _AT_ONCE | _SAFE
        failed = f"{self.path / name} cannot be locked"
        with self._opened() as folder, _system_says(failed):
            file = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            with _system_says(failed):
                self._refuse_unsafe(os.fstat(file), name)
                locked = _lock(file)
            if not locked:
                what = f"Another process has held {self.path / name} for {PATIENCE:g} seconds."
                raise InputError("store_busy", what)
            yield
        finally:
            os.close(file)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with _system_says(f"The folder {self.path} cannot be opened"):
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
        try:
            self._refuse_unsafe(os.fstat(folder), "")
            yield folder
        finally:
            os.close(folder)

    def _refuse_unsafe(self, found: os.stat_result, name: str) -> None:
        path = self.path / name
        if not name and not stat.S_ISDIR(found.st_mode):
            raise InputError("unsafe_store", f"{path} is not a folder.")
        if name and not stat.S_ISREG(found.st_mode):
            raise InputError("unsafe_store", f"{path} is not a plain file.")
        if found.st_uid != os.geteuid():
            raise InputError("unsafe_store", f"{path} belongs to another user.")
        if found.st_mode & _OTHERS:
            mode = stat.S_IMODE(found.st_mode)
            raise InputError(
                "unsafe_store", (f"{path} can be read or written by others (mode {mode:o}).")
            )

    def _refuse_unsafe_target(self, name: str, folder: int) -> None:
        with suppress(FileNotFoundError):
            self._refuse_unsafe(os.stat(name, dir_fd=folder, follow_symlinks=False), name)


def _make(path: Path) -> None:
    """Create a folder and its missing parents, for this user only, and sync each to disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        above = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(above)
        finally:
            os.close(above)


def _refuse_open_way(path: Path) -> None:
    """Refuse a folder that another user could replace with their own.

    In a folder with the sticky bit, such as /tmp, only the owner of an entry can do that.
    """
    folder = path.parent.resolve()
    for above in (folder, *folder.parents):
        mode = above.stat().st_mode
        if mode & _EVERYBODY and not mode & stat.S_ISVTX:
            what = f"Everybody can change {above}, which contains the folder {path}."
            raise InputError("unsafe_store", what)


def _write_whole(name: str, content: bytes, *, folder: int) -> None:
    """Write a new file and wait until it is on disk; the file must not exist yet."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o600, dir_fd=folder)
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(file)


def _whole(file: int) -> bytes:
    """Return a file's contents, truncated one byte after the allowed length."""
    content = b""
    while len(content) <= MAX_BYTES and (more := os.read(file, MAX_BYTES + 1)):
        content += more
    return content


def _written(name: str, folder: int) -> float:
    """Return when a file was written; a deleted file counts as the oldest."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0.0


def _lock(file: int) -> bool:
    import fcntl

    end, nap = time.monotonic() + PATIENCE, _FIRST_NAP
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
        else:
            return True
        time.sleep(nap)
        nap = min(nap * 2, _LONGEST_NAP)


@contextmanager
def _system_says(what: str) -> Iterator[None]:
    """Say what the system refused to do; its exceptions contain only paths."""
    try:
        yield
    except OSError as error:
        code = "unsafe_store" if error.errno in _LINKS else "not_stored"
        reason = "it is a link" if code == "unsafe_store" else f"{error.strerror}"
    else:
        return
    raise InputError(code, f"{what}: {reason}.")


def default_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder for the files, or None if the environment names no home folder.

    `DDOAUTH_STORE_FOLDER` takes precedence over `XDG_STATE_HOME`, which takes precedence over
    `~/.local/state`. A leading `~` stands for the home folder. `XDG_STATE_HOME` is used only if it
    is an absolute path, as its specification requires.

    Raises:
        InputError: `bad_store_folder`, if `DDOAUTH_STORE_FOLDER` is not an absolute path.
    """
    home = _whole_path(environ.get("HOME", ""), home=None)
    if named := environ.get("DDOAUTH_STORE_FOLDER", "").strip():
        folder = _whole_path(named, home=home)
        if folder is None:
            what = f"DDOAUTH_STORE_FOLDER is {named[:80]!a}, which is not an absolute path."
            raise InputError("bad_store_folder", what)
        return folder
    if (state := _whole_path(environ.get("XDG_STATE_HOME", ""), home=home)) is not None:
        return state / FOLDER
    return home / ".local" / "state" / FOLDER if home is not None else None


def _whole_path(text: str, *, home: Path | None) -> Path | None:
    path = Path(text.strip())
    if path.parts[:1] == ("~",) and home is not None:
        path = home.joinpath(*path.parts[1:])
    return path if path.is_absolute() else None


class FileStore:
    """Store each secret in a file of mode 0600 in a folder of mode 0700.

    Files are always replaced as a whole. If a process is killed, it leaves behind either the old
    value or a complete new one, which the next store object for this folder moves into place.

    Raises:
        InputError: `unsafe_store` or `not_stored`, here and in every method.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = PrivateFolder(folder)
        with self._folder.locked(_LOCK):
            self._rename_old()
            self._finish()

    @property
    def where(self) -> str:
        """Return the folder's path."""
        return f"files that only this user can read, in {self._folder.path}"

    def get(self, slot: Slot) -> Secret | None:
        """Return the secret in the slot, or None."""
        try:
            return self._read(slot, _file(slot))
        except InputError as error:
            raise error.with_traceback(None) from None  # the frames below hold the file's content

    def put(self, slot: Slot, secret: Secret) -> None:
        """Store a secret; when this returns, it is on disk."""
        try:
            with self._folder.locked(_LOCK):
                self._finish()
                self._folder.write(_file(slot), _record(slot, secret))
        except InputError as error:
            raise error.with_traceback(None) from None

    def forget(self, slot: Slot) -> None:
        """Delete the secret in the slot, if there is one."""
        with self._folder.locked(_LOCK):
            self._finish()
            self._folder.remove(_file(slot))

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots in use, in the order in which they were written."""
        names = self._folder.names()
        found = (self._slot(name) for name in names if name.endswith(_ENDING) and name[0] != ".")
        return tuple(slot for slot in found if slot is not None and not slot.is_probe)

    def alone(self, slot: Slot) -> AbstractContextManager[None]:
        """Block all other threads and processes that need the same slot."""
        return self._folder.locked(f".alone-{_file(slot)}")

    def _finish(self) -> None:
        """Move a killed process's complete files into place, and delete the others."""
        for new in self._folder.names():
            name = new.removeprefix(NEW)
            if name == new:
                continue
            slot = self._slot(name, written=new)
            if slot is not None and not slot.is_probe and self._is_whole(slot, new):
                self._folder.rename(new, name)
            else:
                with suppress(InputError):  # a folder with that name does no harm
                    self._folder.remove(new)

    def _rename_old(self) -> None:
        """Rename files of earlier versions to names that are valid on every file system."""
        names = set(self._folder.names())
        for name in names:
            slot = slot_named(name.removesuffix(_ENDING)) if name.endswith(_ENDING) else None
            if slot is not None and _file(slot) not in names:
                self._folder.rename(name, _file(slot))

    def _slot(self, name: str, *, written: str = "") -> Slot | None:
        """Return a file's slot; if its long name was hashed, the file contains the slot's name."""
        if _HASHED not in name:
            slot = _slot_of(name)
        else:
            with suppress(InputError):
                slot = _slot_inside(self._folder.read(written or name))
                return slot if slot is not None and _file(slot) == name else None
            return None
        return slot if slot is not None and _file(slot) == name else None

    def _read(self, slot: Slot, name: str) -> Secret | None:
        content = self._folder.read(name)
        return None if content is None else _secret(slot, content, path=self._folder.path)

    def _is_whole(self, slot: Slot, name: str) -> bool:
        try:
            return self._read(slot, name) is not None
        except InputError:
            return False


def _file(slot: Slot) -> str:
    """Return a slot's file name, which works everywhere, even where `A` and `a` are the same."""
    name = _SEPARATOR.join(map(_plain, astuple(slot))).rstrip(_SEPARATOR) + _ENDING
    if len(name) <= _LONGEST:
        return name
    return f"{_plain(slot.kind)}{_HASHED}{sha256(slot.name.encode()).hexdigest()}{_ENDING}"


def _plain(text: str) -> str:
    """Encode text reversibly in lower-case letters, digits and `%`."""
    return "".join(
        chr(byte) if chr(byte) in _KEPT else f"%{byte:02x}"
        for byte in text.encode("utf-8", "surrogatepass")
    )


def _slot_of(name: str) -> Slot | None:
    parts = [unquote(part) for part in name.removesuffix(_ENDING).split(_SEPARATOR)]
    return Slot(*parts) if _FEWEST <= len(parts) <= _MOST else None


def _slot_inside(content: bytes | None) -> Slot | None:
    try:
        return slot_named(json.loads(content or b"")["slot"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _record(slot: Slot, secret: Secret) -> bytes:
    record = json.dumps({"slot": slot.name, "secret": secret.reveal()}).encode() + b"\n"
    if len(record) > MAX_BYTES:
        what = f"The {slot} is too long: {len(record)} bytes with its name (limit: {MAX_BYTES})."
        raise InputError("not_stored", what)
    return record


def _secret(slot: Slot, content: bytes, *, path: Path) -> Secret:
    """Return a file's secret if it belongs to this slot; errors don't show any part of it."""
    try:
        record = json.loads(content)
        named, value = record["slot"], record["secret"]
    except (ValueError, TypeError, KeyError, RecursionError):
        named = value = None
    if named != slot.name or not isinstance(value, str) or not value:
        what = f"The file {_file(slot)} in {path} does not contain the {slot} as it was written."
        raise InputError("not_stored", what)
    return wrapped(slot, value)
