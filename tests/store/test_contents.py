"""An export hands over everything, to a place that was named, and to no screen."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from support.builders import API_KEY, REFRESH_TOKEN

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import EnvironmentFirst, MemoryStore, Slot, export_secrets

if TYPE_CHECKING:
    from pathlib import Path

SLOT = Slot("refresh_token", "us1", "acme")
KEY_SLOT = Slot("api_key", "us1", "acme", "private", "org")


@pytest.fixture
def store() -> EnvironmentFirst:
    """Return a store with two secrets, and a third one in the environment."""
    kept = MemoryStore()
    kept.put(SLOT, Secret(REFRESH_TOKEN, label="refresh_token"))
    kept.put(KEY_SLOT, Secret(API_KEY, label="api_key"))
    return EnvironmentFirst(kept, {"DDOAUTH_API_KEY_EU1": "of-the-environment"})


def test_to_a_new_file(store: EnvironmentFirst, tmp_path: Path) -> None:
    """The file is 0600 and has one JSON object a line, of the store's own secrets."""
    path = tmp_path / "export.jsonl"
    assert export_secrets(store, to=path) == 2
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
    assert (second["org"], second["secret"]) == ("org", API_KEY)


def test_to_a_descriptor(store: EnvironmentFirst) -> None:
    """A pipe gets the slots that were asked for, and stays open."""
    end, start = os.pipe()
    assert export_secrets(store, to=start, slots=[KEY_SLOT]) == 1
    os.write(start, b"more")
    os.close(start)
    with os.fdopen(end) as pipe:
        line, rest = pipe.read().split("\n")
    assert json.loads(line)["secret"] == API_KEY
    assert rest == "more"


@pytest.mark.checklist("N2")
def test_to_no_terminal(store: EnvironmentFirst) -> None:
    """A descriptor that is a terminal is refused."""
    controller, terminal = os.openpty()
    try:
        with pytest.raises(InputError, match="A terminal shows") as caught:
            export_secrets(store, to=terminal)
    finally:
        os.close(controller)
        os.close(terminal)
    assert caught.value.code == "bad_export"


@pytest.mark.checklist("N4")
@pytest.mark.parametrize("make", ["file", "link", "folder"])
def test_to_nothing_that_exists(store: EnvironmentFirst, tmp_path: Path, make: str) -> None:
    """Neither an existing file nor the target of a link is written to."""
    path, target = tmp_path / "export", tmp_path / "target"
    {
        "file": lambda: path.write_text("mine", "utf-8"),
        "link": lambda: path.symlink_to(target),
        "folder": path.mkdir,
    }[make]()
    with pytest.raises(InputError, match="cannot be made") as caught:
        export_secrets(store, to=path)
    assert caught.value.code == "bad_export"
    assert not target.exists()
