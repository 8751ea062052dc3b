"""The command lists, deletes and exports the stored secrets, and prints none of them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from support.builders import API_KEY, REFRESH_TOKEN

from ddoauth_kit.cli import main
from ddoauth_kit.commands.store import export_secrets
from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import EnvironmentFirst, FileStore, MemoryStore, Slot

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = Slot("refresh_token", "us1", "acme")
KEY = Slot("api_key", "eu1", "acme", "published", "org-2")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    """Store two secrets where the command looks."""
    monkeypatch.setenv("DDOAUTH_STORE", "file")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "kept"))
    opened = FileStore(tmp_path / "kept")
    opened.put(TOKEN, Secret(REFRESH_TOKEN, label="refresh_token"))
    opened.put(KEY, Secret(API_KEY, label="api_key"))
    return opened


@pytest.mark.checklist("N2")
def test_it_lists(store: FileStore, capsys: pytest.CaptureFixture[str]) -> None:
    """Names are on stdout, their places on stderr, and secrets nowhere."""
    assert main(["store"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "refresh_token:us1:acme  refresh_token of acme on us1",
        "api_key:eu1:acme:published:org-2  api_key of published acme on eu1 in org-2",
    ]
    assert "files that only this user can read" in err
    assert REFRESH_TOKEN not in out + err
    assert API_KEY not in out + err


def test_it_forgets_by_name(store: FileStore, capsys: pytest.CaptureFixture[str]) -> None:
    """Named secrets are deleted, missing ones are reported with exit code 1, and the rest stays."""
    assert main(["store", "--forget", KEY.name, "--forget", "api_key:us1:none"]) == 1
    assert "'api_key:us1:none' is not stored here" in capsys.readouterr().err
    assert store.slots() == (TOKEN,)
    assert main(["store", "--forget-all"]) == 0
    assert store.slots() == ()


def test_it_exports(store: FileStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it goes to a new file; a second time it is refused, with exit code 2."""
    path = tmp_path / "export.jsonl"
    assert main(["store", "--export", str(path)]) == 0
    found = [json.loads(line)["secret"] for line in path.read_text("utf-8").splitlines()]
    assert found == [REFRESH_TOKEN, API_KEY]
    assert main(["store", "--export", str(path)]) == 2
    out, err = capsys.readouterr()
    assert API_KEY not in out + err
    assert len(store.slots()) == 2


@pytest.fixture
def mixed() -> EnvironmentFirst:
    """Return a store with two secrets, and a third one in the environment."""
    kept = MemoryStore()
    kept.put(TOKEN, Secret(REFRESH_TOKEN, label="refresh_token"))
    kept.put(KEY, Secret(API_KEY, label="api_key"))
    return EnvironmentFirst(kept, {"DDOAUTH_API_KEY_US5": "of-the-environment"})


def test_to_a_new_file(mixed: EnvironmentFirst, tmp_path: Path) -> None:
    """The file is 0600 and has one JSON object a line, of the store's own secrets."""
    path = tmp_path / "export.jsonl"
    assert export_secrets(mixed, to=path) == 2
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
    assert (second["org"], second["secret"]) == ("org-2", API_KEY)


def test_to_a_descriptor(mixed: EnvironmentFirst) -> None:
    """A pipe gets the requested slots, and stays open."""
    end, start = os.pipe()
    assert export_secrets(mixed, to=start, slots=[KEY]) == 1
    os.write(start, b"more")
    os.close(start)
    with os.fdopen(end) as pipe:
        line, rest = pipe.read().split("\n")
    assert json.loads(line)["secret"] == API_KEY
    assert rest == "more"


@pytest.mark.checklist("N2")
def test_to_no_terminal(mixed: EnvironmentFirst) -> None:
    """A descriptor that is a terminal is refused."""
    controller, terminal = os.openpty()
    try:
        with pytest.raises(InputError, match="A terminal would show") as caught:
            export_secrets(mixed, to=terminal)
    finally:
        os.close(controller)
        os.close(terminal)
    assert caught.value.code == "bad_export"


@pytest.mark.checklist("N4")
@pytest.mark.parametrize("make", ["file", "link", "folder"])
def test_to_nothing_that_exists(mixed: EnvironmentFirst, tmp_path: Path, make: str) -> None:
    """No existing file and no target of a link is overwritten."""
    path, target = tmp_path / "export", tmp_path / "target"
    {
        "file": lambda: path.write_text("mine", "utf-8"),
        "link": lambda: path.symlink_to(target),
        "folder": path.mkdir,
    }[make]()
    with pytest.raises(InputError, match="cannot be created") as caught:
        export_secrets(mixed, to=path)
    assert caught.value.code == "bad_export"
    assert not target.exists()
