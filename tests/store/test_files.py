"""Files protect a secret from everybody else, and survive any failure during a write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import API_KEY, REFRESH_TOKEN, shown, with_locals

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, MemoryStore, Slot, open_store, refuse_unwritable
from ddoauth_kit.store import files as folder_module
from ddoauth_kit.store.choice import KINDS
from ddoauth_kit.store.files import default_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLOT = Slot("refresh_token", "us1", "acme")
OTHER = Slot("api_key", "us1-fed", "acme:1/..", "published", "org/2")
TOKEN = Secret(REFRESH_TOKEN, label="refresh_token")
KEY = Secret(API_KEY, label="api_key", show_last_four=True)
NOBODY = 65534
FILE = "refresh_token,us1,acme.json"
IS_ROOT = os.geteuid() == 0

pytestmark = pytest.mark.checklist("N4")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a folder that does not exist yet."""
    return tmp_path / "state" / "ddoauth-kit"


@pytest.fixture
def store(path: Path) -> FileStore:
    """Open a store in it."""
    return FileStore(path)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _refused(use: Callable[[], object], code: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        use()
    assert caught.value.code == code
    assert REFRESH_TOKEN not in str(caught.value) + with_locals(caught.value)


def test_modes(store: FileStore, path: Path) -> None:
    """The folder is 0700 and each file in it 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        FileStore(path.parent / "other").put(SLOT, TOKEN)
        store.put(SLOT, TOKEN)
    finally:
        os.umask(before)
    for folder in (path, path.parent / "other"):
        assert _mode(folder) == 0o700
        assert {_mode(file) for file in folder.iterdir()} == {0o600}


def test_a_store_keeps_and_forgets(store: FileStore, path: Path) -> None:
    """A stored value stays, for the next store as well, until it is replaced or deleted."""
    assert store.get(SLOT) is None
    store.put(SLOT, TOKEN)
    store.put(OTHER, KEY)
    store.put(SLOT, Secret("newer", label="refresh_token"))
    again = FileStore(path)
    assert str(again.get(OTHER)) == f"<api_key …{API_KEY[-4:]}>"
    assert again.get(SLOT) == Secret("newer", label="refresh_token")
    again.forget(SLOT)
    again.forget(SLOT)
    assert store.get(SLOT) is None
    assert store.get(OTHER) == KEY


def test_it_lists_what_it_holds_and_shows_none_of_it(store: FileStore, path: Path) -> None:
    """Slots come back whole, trials and locks are none, and nothing printable has a secret."""
    store.put(SLOT, TOKEN)
    os.utime(path / FILE, (1, 1))  # some file systems don't tell times within milliseconds apart
    store.put(OTHER, KEY)
    store.put(SLOT.probe, Secret("x", label="probe"))
    with store.alone(SLOT):
        assert store.slots() == (SLOT, OTHER)
    text = shown([store, store.slots(), store.where, vars(store)])
    assert REFRESH_TOKEN not in text
    assert API_KEY not in text


def test_a_folder_open_to_others_is_refused(store: FileStore, path: Path) -> None:
    """One bit for the group is too much, when it opens and when it is used."""
    store.put(SLOT, TOKEN)
    path.chmod(0o710)
    _refused(lambda: FileStore(path), "unsafe_store", r"by others \(mode 710\)")
    _refused(lambda: store.get(SLOT), "unsafe_store", "by others")
    _refused(lambda: store.put(SLOT, TOKEN), "unsafe_store", "by others")


def test_a_file_open_to_others_is_refused(store: FileStore, path: Path) -> None:
    """A readable file is neither read nor trusted as a place to write to."""
    store.put(SLOT, TOKEN)
    (path / FILE).chmod(0o640)
    _refused(lambda: store.get(SLOT), "unsafe_store", r"by others \(mode 640\)")
    _refused(lambda: store.put(SLOT, TOKEN), "unsafe_store", "by others")


def test_links_are_not_followed(store: FileStore, path: Path, tmp_path: Path) -> None:
    """A link in the place of the folder, the file or the lock is refused, its target untouched."""
    target = tmp_path / "elsewhere"
    target.write_text("mine", "utf-8")
    for name, use in (
        (FILE, lambda: store.get(SLOT)),
        (FILE, lambda: store.put(SLOT, TOKEN)),
        (".lock", lambda: store.forget(SLOT)),
    ):
        (path / name).unlink(missing_ok=True)
        (path / name).symlink_to(target)
        _refused(use, "unsafe_store", "link|not a plain file")
        (path / name).unlink()
    assert target.read_text("utf-8") == "mine"
    link = tmp_path / "link"
    link.symlink_to(path)
    _refused(lambda: FileStore(link), "unsafe_store", "it is a link")


def test_what_is_no_plain_file_is_refused(store: FileStore, path: Path) -> None:
    """A folder in the place of a file is `unsafe_store` and no crash."""
    (path / FILE).mkdir(mode=0o700)
    _refused(lambda: store.get(SLOT), "unsafe_store", "not a plain file")


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_what_belongs_to_others_is_refused(store: FileStore, path: Path) -> None:
    """A file or folder of another user is not trusted, whatever its mode."""
    store.put(SLOT, TOKEN)
    os.chown(path / FILE, NOBODY, NOBODY)
    _refused(lambda: store.get(SLOT), "unsafe_store", "belongs to another user")
    os.chown(path, NOBODY, NOBODY)
    _refused(lambda: FileStore(path), "unsafe_store", "belongs to another user")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"slot": "refresh_token:us1:acme"}',
        b"\xff",
        b"[" * 60_000,
        b"1" * 99_999,
        json.dumps({"slot": FILE, "secret": REFRESH_TOKEN}).encode(),
    ],
    ids=range(8),
)
def test_a_file_that_was_not_written_here(store: FileStore, path: Path, content: bytes) -> None:
    """Reading a bad file is `not_stored` without quoting it; writing repairs the file."""
    (path / FILE).write_bytes(content)
    (path / FILE).chmod(0o600)
    _refused(lambda: store.get(SLOT), "not_stored", "does not contain the refresh_token of acme")
    store.put(SLOT, TOKEN)
    assert store.get(SLOT) == TOKEN


@pytest.mark.parametrize("client", ["x" * 300, "ключ" * 40, "CON", "a" * 180])
def test_a_long_name_is_a_hash(path: Path, store: FileStore, client: str) -> None:
    """Any client id can be stored, listed and read; its file has a name that any system accepts."""
    slot = Slot("api_key", "us1", client)
    store.put(slot, KEY)
    again = FileStore(path)
    assert (again.get(slot), again.slots()) == (KEY, (slot,))
    assert all(len(file.name) <= 200 for file in path.iterdir())


def test_files_of_earlier_versions_are_renamed(path: Path, store: FileStore) -> None:
    """A name with colons, which Windows forbids, is changed when the store is opened."""
    store.put(SLOT, TOKEN)
    (path / FILE).rename(path / "refresh_token:us1:acme.json")
    again = FileStore(path)
    assert (again.get(SLOT), again.slots()) == (TOKEN, (SLOT,))
    assert (path / FILE).is_file()
    assert not list(path.glob("*:*"))


@generated(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
def test_two_slots_never_share_a_file(clients: list[str]) -> None:
    """In any alphabet, and even if `A` and `a` are the same, every slot has its own file."""
    first, second = (Slot("api_key", "us1", client) for client in clients)
    names = [folder_module._file(slot) for slot in (first, second)]
    assert names[0].casefold() != names[1].casefold()
    for slot, name in zip((first, second), names, strict=True):
        assert not set('<>:"/\\|?*') & set(name)
        assert name.isascii()
        assert folder_module._slot_of(name) == slot or len(name) > 100


def test_a_folder_is_a_text_or_a_path(tmp_path: Path) -> None:
    """A plain text works like a path; everything else is refused by name."""
    folder = str(tmp_path / "kept")
    FileStore(folder).put(SLOT, TOKEN)
    assert FileStore(tmp_path / "kept").get(SLOT) == TOKEN
    for given in (None, "", 3, b"kept", [folder]):
        with pytest.raises(InputError, match="is not the path of a folder") as caught:
            FileStore(given)  # type: ignore[arg-type]
        assert caught.value.code == "not_a_path"


def test_what_was_written_whole_is_put_in_place(store: FileStore, path: Path) -> None:
    """After a kill between writing and renaming, the next store finishes; a torn file goes."""
    store.put(SLOT, TOKEN)
    newer = json.dumps({"slot": SLOT.name, "secret": "newer"})
    for content, kept in ((newer[:-9], REFRESH_TOKEN), (newer, "newer")):
        new = path / f".new-{FILE}"
        new.write_text(content, "utf-8")
        new.chmod(0o600)
        found = FileStore(path).get(SLOT)
        assert found is not None
        assert found.reveal() == kept
        assert not new.exists()


FILL = """
import resource, sys
from pathlib import Path
from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, Slot, refuse_unwritable
slot = Slot("refresh_token", "us1", "acme")
store = FileStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for use in (lambda: store.put(slot, Secret("n" * 50, label="x")),
            lambda: refuse_unwritable(store, slot)):
    try:
        use()
    except InputError as error:
        print(error.code, error.what)
print(store.get(slot).reveal())
"""


def test_a_full_disk_keeps_the_old_value(store: FileStore, path: Path) -> None:
    """If the disk is full, the error is `not_stored`, and the previous value is kept."""
    store.put(SLOT, TOKEN)
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, check=True
    )
    first, second, kept = done.stdout.splitlines()
    assert first.startswith("not_stored")
    assert "File too large" in first
    assert second.startswith("not_stored")
    assert kept == REFRESH_TOKEN
    assert [file.name for file in path.iterdir() if file.name.startswith(".new-")] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """Mount 64 KiB of memory as a disk, if this user may."""
    mounted = tmp_path / "disk"
    mounted.mkdir(mode=0o700)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(mounted)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this user may not mount a disk")
    return mounted


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    """On a disk without a free block the old value survives, and there is a reason."""
    try:
        store = FileStore(small_disk / "kept")
        store.put(SLOT, TOKEN)
        with (small_disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while ballast.write(b"x" * 4096):
                pass
        _refused(lambda: store.put(SLOT, KEY), "not_stored", "No space left")
        _refused(lambda: refuse_unwritable(store, SLOT), "not_stored", "No space left")
        assert store.get(SLOT) == TOKEN
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


WRITE = """
import sys
from pathlib import Path
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, Slot
store = FileStore(Path(sys.argv[1]))
slot = Slot("refresh_token", "us1", "acme")
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    store.put(slot, Secret(f"{sys.argv[3]}-{number:06}-" + "x" * 2000, label="x"))
"""


def _writer(path: Path, count: int, mark: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(path), str(count), mark]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_tear_nothing(store: FileStore, path: Path) -> None:
    """While two processes write the same slot, a reader sees one complete value or the other."""
    writers = [_writer(path, 100_000, mark) for mark in "ab"]
    seen: Counter[str] = Counter()
    while len(seen) < len(writers) or seen.total() < 300:
        assert [writer.poll() for writer in writers] == [None, None]
        found = store.get(SLOT)
        if found is not None:
            assert len(found.reveal()) == 9 + 2000
            seen[found.reveal()[0]] += 1
    for writer in writers:
        with writer:
            writer.kill()
    assert FileStore(path).get(SLOT) is not None
    assert {file.name for file in path.iterdir()} == {".lock", FILE}


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.soak)])
def test_a_kill_leaves_the_old_value_or_the_new(store: FileStore, path: Path, count: int) -> None:
    """A process killed while it writes leaves a whole value behind, and no lock."""
    store.put(SLOT, TOKEN)
    for number in range(count):
        with _writer(path, 100_000, f"k{number:04}") as writer:
            time.sleep(0.0001 * (number % 100))
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        found = FileStore(path).get(SLOT)
        assert found is not None
        assert found == TOKEN or len(found.reveal()) == 13 + 2000
        assert {file.name for file in path.iterdir()} == {".lock", FILE}


def test_alone_means_alone(store: FileStore, path: Path) -> None:
    """Threads on two stores of one folder take turns; another slot does not wait."""
    inside, most = [], []

    def enter() -> None:
        with FileStore(path).alone(SLOT):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    with store.alone(OTHER):
        threads = [threading.Thread(target=enter) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1] * 8


def test_nobody_waits_for_ever(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is not given back is `store_busy` after a while."""
    monkeypatch.setattr(folder_module, "PATIENCE", 0.05)
    with store.alone(SLOT):
        _refused(lambda: store.alone(SLOT).__enter__(), "store_busy", "Another process has held")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DDOAUTH_STORE_FOLDER": "/a", "XDG_STATE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_STATE_HOME": "/b", "HOME": "/c"}, "/b/ddoauth-kit"),
        ({"HOME": "/c"}, "/c/.local/state/ddoauth-kit"),
        ({}, None),
    ],
)
def test_where_the_folder_is(environ: dict[str, str], expected: str | None) -> None:
    """The environment determines the folder; without a home there is none."""
    found = default_folder(environ)
    assert (None if found is None else str(found)) == expected


def test_files_are_next_best(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a keyring files are used, with the reason; a folder open to others is skipped."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    environ = {"DDOAUTH_STORE_FOLDER": str(path)}
    chosen = open_store(environ=environ)
    assert str(path) in chosen.store.where
    assert chosen.reason == "the package keyring is not installed"
    path.chmod(0o777)
    worse = open_store(environ=environ)
    assert worse.store.where == MemoryStore.where
    assert "by others (mode 777)" in worse.reason


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_kind_can_be_asked_for(path: Path, kind: str) -> None:
    """`DDOAUTH_STORE` prevents trying better kinds, and is given as the reason."""
    environ = {"DDOAUTH_STORE_FOLDER": str(path), "DDOAUTH_STORE": kind}
    chosen = open_store(environ=environ)
    assert (str(path) in chosen.store.where) == (kind == "file")
    assert chosen.reason == f"DDOAUTH_STORE says {kind}"


def test_an_unknown_kind_is_refused() -> None:
    """A misspelled kind is reported, not ignored."""
    _refused(lambda: open_store(environ={"DDOAUTH_STORE": "vault"}), "unknown_store", "'vault'")


@pytest.mark.parametrize("name", ["BINDER_LAUNCH_HOST", "BINDER_SERVICE_HOST"])
def test_binder_keeps_nothing(path: Path, name: str) -> None:
    """On Binder, secrets stay in memory, whatever else is available."""
    chosen = open_store(environ={name: "x", "DDOAUTH_STORE_FOLDER": str(path)})
    assert chosen.store.where == MemoryStore.where
    assert "Binder" in chosen.reason
    assert not path.exists()
