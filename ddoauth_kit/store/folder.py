"""Reach files of one folder that nobody else can read, swap or link away (POSIX only).

Every file is named within an open folder, so that a folder that is exchanged in between changes
nothing, and is opened without following links. Owner and mode are read off what was opened.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE: Final = 90.0
MAX_BYTES: Final = 64 * 1024
NEW: Final = ".new-"
_OTHERS: Final = 0o077
_LINKS: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})
_SAFE: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FIRST_NAP: Final = 0.001
_LONGEST_NAP: Final = 0.05


class PrivateFolder:
    """Write, read and list the files of a folder whose mode is 0700 and whose files' is 0600.

    Raises:
        InputError: `unsafe_store`, for what belongs to somebody else, is open to others or is a
            link; `not_stored`, for what the system refuses (a full disk, a missing permission).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if os.name != "posix":
            raise InputError("not_stored", "File modes keep nobody out on this system.")
        with _system_says(f"The folder {path} cannot be made"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
        with self._opened():
            pass

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none."""
        with self._opened() as folder, _system_says(f"{self.path / name} cannot be read"):
            try:
                file = os.open(name, os.O_RDONLY | _SAFE, dir_fd=folder)
            except FileNotFoundError:
                return None
            try:
                self._refuse_unsafe(os.fstat(file), name)
                return _whole(file)
            finally:
                os.close(file)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file at once and for good: whoever looks sees the old content or the new."""
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

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        with (
            self._opened() as folder,
            _system_says(f"{self.path / name} cannot be removed"),
            suppress(FileNotFoundError),
        ):
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def finish(self, name: str) -> None:
        """Give a file that was written whole and not yet put in place its name."""
        with self._opened() as folder, _system_says(f"{self.path / name} cannot be written"):
            os.replace(f"{NEW}{name}", name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def names(self) -> tuple[str, ...]:
        """Return the names of all files, in the order in which they were written."""
        with self._opened() as folder, _system_says(f"{self.path} cannot be listed"):
            found = os.listdir(folder)  # noqa: PTH208 - of the open folder, not of its path
            return tuple(sorted(found, key=lambda name: _written(name, folder)))

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Be the only thread of all processes here, for one name; wait 90 seconds at most.

        The system gives the lock back when a process ends, however it ends.

        Raises:
            InputError: `store_busy`.
        """
        flags = os.O_RDWR | os.O_CREAT | _SAFE
        with self._opened() as folder, _system_says(f"{self.path / name} cannot be locked"):
            file = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            self._refuse_unsafe(os.fstat(file), name)
            if not _lock(file):
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
            raise InputError("unsafe_store", f"{path} is no folder.")
        if name and not stat.S_ISREG(found.st_mode):
            raise InputError("unsafe_store", f"{path} is no plain file.")
        if found.st_uid != os.geteuid():
            raise InputError("unsafe_store", f"{path} belongs to another user.")
        if found.st_mode & _OTHERS:
            mode = stat.S_IMODE(found.st_mode)
            raise InputError("unsafe_store", f"{path} is open to others (mode {mode:o}).")

    def _refuse_unsafe_target(self, name: str, folder: int) -> None:
        with suppress(FileNotFoundError):
            self._refuse_unsafe(os.stat(name, dir_fd=folder, follow_symlinks=False), name)


def _write_whole(name: str, content: bytes, *, folder: int) -> None:
    """Write a new file and wait until the disk has it; its name was never there before."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o600, dir_fd=folder)
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(file)


def _whole(file: int) -> bytes:
    """Return what a file holds, up to one byte more than any file here has."""
    content = b""
    while len(content) <= MAX_BYTES and (more := os.read(file, MAX_BYTES + 1)):
        content += more
    return content


def _written(name: str, folder: int) -> float:
    """Return when a file was written; one that is gone by now counts as the oldest."""
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
    """Name what the system refused; its own exception carries paths only."""
    try:
        yield
    except OSError as error:
        code = "unsafe_store" if error.errno in _LINKS else "not_stored"
        reason = "it is a link" if code == "unsafe_store" else f"{error.strerror}"
    else:
        return
    raise InputError(code, f"{what}: {reason}.")
