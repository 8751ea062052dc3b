"""Results of probes are read as the command prints them, and refused with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.publishing.requested_scopes import SavedProbe, read_probes

if TYPE_CHECKING:
    from pathlib import Path

ROW = {
    "site": "eu1",
    "scope": "events_read",
    "verdict": "confirmed",
    "method": "GET",
    "path": "/api/v1/events",
    "status": 200,
    "seconds": 0.1,
    "evidence": "",
}


def test_probes_are_read(tmp_path: Path) -> None:
    """The site, scope and verdict of each row are read, whatever else there is."""
    file = tmp_path / "probes.json"
    file.write_text(json.dumps([ROW, {**ROW, "site": "us1"}]), "utf-8")
    assert read_probes(file) == (
        SavedProbe("eu1", "events_read", "confirmed"),
        SavedProbe("us1", "events_read", "confirmed"),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff", "is not text in UTF-8"),
        (b"site,scope\n", "is not JSON"),
        (b"{}", "is not a list"),
        (json.dumps([ROW, "x"]).encode(), "in entry 2"),
        (json.dumps([{**ROW, "verdict": None}]).encode(), "in entry 1"),
    ],
)
def test_bad_probes_are_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    """A file that is something else is refused by what it lacks."""
    file = tmp_path / "probes.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_probes(file)
    assert caught.value.code == "bad_probes_file"
