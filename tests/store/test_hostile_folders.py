"""A store refuses by name what it cannot do safely, and does the rest right."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.builders import REFRESH_TOKEN

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, KeyringStore, Slot, open_store
from ddoauth_kit.store import files as folder_module
from ddoauth_kit.store.files import MAX_BYTES, NEW, default_folder

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.checklist("N4")
SLOT = Slot("refresh_token", "us1", "acme")
FILE = f"{SLOT.name}.json"
TOKEN = Secret(REFRESH_TOKEN, label="refresh_token")
USES: dict[str, Callable[[FileStore], object]] = {
    "get": lambda store: store.get(SLOT),
    "put": lambda store: store.put(SLOT, TOKEN),
    "forget": lambda store: store.forget(SLOT),
    "alone": lambda store: store.alone(SLOT).__enter__(),
}


def _refused(use: Callable[[], object]) -> InputError:
    with pytest.raises(InputError) as caught:
        use()
    assert REFRESH_TOKEN not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.EIO, errno.ENOSYS, errno.EINTR, errno.EPERM]
)
@pytest.mark.parametrize("use", ["put", "forget", "alone"])
def test_a_lock_that_fails(
    use: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the file system has no locks, the error is `not_stored` with the system's words."""
    store = FileStore(tmp_path / "kept")

    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", fails)
    error = _refused(lambda: USES[use](store))
    assert error.code == "not_stored"
    assert "cannot be locked" in error.what
    assert os.strerror(number) in error.what


@pytest.mark.parametrize("umask", [0, 0o002, 0o022, 0o077])
def test_folders_above_are_this_users_alone(umask: int, tmp_path: Path) -> None:
    """Whatever the umask is, no folder that the store creates is open to others."""
    before = os.umask(umask)
    try:
        FileStore(tmp_path / "a" / "b" / "c" / "kept").put(SLOT, TOKEN)
    finally:
        os.umask(before)
    made = [tmp_path / part for part in ("a", "a/b", "a/b/c", "a/b/c/kept")]
    assert {folder.stat().st_mode & 0o777 for folder in made} == {0o700}


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o702, 0o703, 0o773, 0o722])
@pytest.mark.parametrize("above", ["", "a", "a/b"])
def test_a_folder_that_everybody_can_change(above: str, mode: int, tmp_path: Path) -> None:
    """Wherever above the store it is, somebody else could put another folder in its place."""
    for folder in ("x", "x/a", "x/a/b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder).chmod(0o755)  # whatever the umask is
    FileStore(tmp_path / "x" / "a" / "b" / "kept").put(SLOT, TOKEN)
    (tmp_path / "x" / above).chmod(mode)
    error = _refused(lambda: FileStore(tmp_path / "x" / "a" / "b" / "kept"))
    assert error.code == "unsafe_store"
    assert "Everybody can change" in error.what
    (tmp_path / "x" / above).chmod(mode | 0o1000)
    assert FileStore(tmp_path / "x" / "a" / "b" / "kept").get(SLOT) == TOKEN, "like /tmp"


def test_a_link_above_is_looked_through(tmp_path: Path) -> None:
    """A link in the path counts as the folders that it leads to."""
    (tmp_path / "open" / "inner").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open" / "inner")
    assert _refused(lambda: FileStore(tmp_path / "link" / "kept")).code == "unsafe_store"


HOME = {"HOME": "/home/acme"}


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"DDOAUTH_STORE_FOLDER": "~/x", **HOME}, "/home/acme/x"),
        ({"DDOAUTH_STORE_FOLDER": "~", **HOME}, "/home/acme"),
        ({"DDOAUTH_STORE_FOLDER": " /x ", **HOME}, "/x"),
        ({"XDG_STATE_HOME": "~/state", **HOME}, "/home/acme/state/ddoauth-kit"),
        ({"XDG_STATE_HOME": "state", **HOME}, "/home/acme/.local/state/ddoauth-kit"),
        ({"XDG_STATE_HOME": "./state"}, None),
        ({"HOME": "home"}, None),
        ({"HOME": "~"}, None),
        ({"HOME": ""}, None),
        ({"HOME": "."}, None),
    ],
)
def test_where_the_folder_is(environ: dict[str, str], found: str | None) -> None:
    """`~` is the home folder, and nothing depends on the current folder."""
    folder = default_folder(environ)
    assert (str(folder) if folder else None) == found


@pytest.mark.parametrize(
    "named", ["x", "./x", "../x", ".", "..", "~x", "~x/y", "~/x", "x/~", "$HOME/x", "C:x"]
)
def test_a_folder_that_is_no_whole_path(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is refused by name, for every kind of store, and nothing is created."""
    monkeypatch.chdir(tmp_path)
    for kind in ("", "keyring", "file"):
        environ = {"DDOAUTH_STORE_FOLDER": named, "DDOAUTH_STORE": kind}
        error = _refused(lambda environ=environ: open_store(environ=environ))
        assert error.code == "bad_store_folder"
        assert named in error.what
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [-2000, -200, -100, 0, 1, 1000, 100_000])
@pytest.mark.parametrize("letter", ["x", "é", "\n", '"', "\U0001f600"])
def test_what_is_kept_can_be_read(letter: str, more: int, tmp_path: Path) -> None:
    """A value is refused before it is written, or it comes back whole."""
    store = FileStore(tmp_path / "kept")
    store.put(SLOT, TOKEN)
    long = Secret(letter * ((MAX_BYTES + more) // len(ascii(letter)[1:-1])), label="x")
    with suppress(InputError):
        store.put(SLOT, long)
        assert more < 0
        assert store.get(SLOT) == long
        return
    assert store.get(SLOT) == TOKEN
    assert "is too long" in _refused(lambda: store.put(SLOT, long)).what


@pytest.mark.parametrize("name", [FILE, ".lock", f".alone-{FILE}", f"{NEW}{FILE}"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "full folder", "link", "dangling"])
@pytest.mark.parametrize("use", USES)
def test_strange_things_in_the_folder(use: str, kind: str, name: str, tmp_path: Path) -> None:
    """A pipe does not block, and anything else there is refused by name or ignored."""
    path = tmp_path / "kept"
    store = FileStore(path)
    store.put(SLOT, TOKEN)
    (path / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path / name, 0o600)
    elif kind.endswith("folder"):
        (path / name).mkdir(mode=0o700)
        if kind == "full folder":
            (path / name / "x").touch()
    else:
        target = tmp_path / "target"
        if kind == "link":
            target.write_text("mine", "utf-8")
        (path / name).symlink_to(target)
    outcome: list[InputError | None] = []

    def call() -> None:
        try:
            USES[use](store)
            outcome.append(None)
        except InputError as error:
            outcome.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(20)
    assert outcome, "it hangs"
    (error,) = outcome
    assert error is None or error.code in {"unsafe_store", "not_stored"}
    assert not (tmp_path / "target").exists() or (tmp_path / "target").read_text() == "mine"


@pytest.mark.parametrize("name", [f"{NEW}x", f"{NEW}", f"{NEW}{FILE}x", f"{NEW}a:b:c.json"])
def test_a_strange_draft_blocks_nobody(name: str, tmp_path: Path) -> None:
    """A folder with a draft's name stays, and secrets are stored next to it."""
    (tmp_path / "kept").mkdir(mode=0o700)
    (tmp_path / "kept" / name).mkdir()
    store = FileStore(tmp_path / "kept")
    store.put(SLOT, TOKEN)
    assert FileStore(tmp_path / "kept").get(SLOT) == TOKEN
    store.forget(SLOT)


def test_each_new_folder_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent of each created folder is synced, so that a crash loses none of them."""
    synced: list[str] = []
    real = os.fsync

    def note(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        if path.is_relative_to(tmp_path):  # other threads may sync files of theirs
            synced.append(str(path))
        real(file)

    monkeypatch.setattr(folder_module.os, "fsync", note)
    FileStore(tmp_path / "a" / "b" / "kept")
    assert synced == [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b")]


def test_a_keyring_lists_more_than_one_entry_holds() -> None:
    """With entries as small as on Windows, the list of names continues in the next entry."""
    from support.backends import MemoryKeyring

    class Small(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            if len(password.encode("utf-16-le")) > 2560:
                raise ValueError("too long")
            super().set_password(service, username, password)

    store = KeyringStore(Small())
    client = "6dd8ed6c-0000-4000-8000-00000000c11e"
    slots = [Slot("api_key", "us1", client, "private", f"{client}-{n}") for n in range(40)]
    for slot in slots:
        store.put(slot, TOKEN)
    assert store.slots() == tuple(slots)
    for slot in slots[::2]:
        store.forget(slot)
    assert store.slots() == tuple(slots[1::2])
    for slot in slots[1::2]:
        store.forget(slot)
    assert store.slots() == ()
