"""Files of a stranger's folder are read within bounds, or there is one clear clause."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.folders import CLIENT, MANIFEST, README, folder, put, remove

from ddoauth_kit.errors import InputError
from ddoauth_kit.publishing.folder_check import check_folder
from ddoauth_kit.publishing.integration_files import (
    MAX_BYTES,
    TextFile,
    Unreadable,
    find_file,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _loop(place: Path) -> None:
    (place / README).unlink()
    (place / README).symlink_to(README)


def _loop_of_folders(place: Path) -> None:
    (place / "assets").rename(place / "old")
    (place / "assets").symlink_to("assets")


def _fifo(place: Path) -> None:
    (place / README).unlink()
    os.mkfifo(place / README)


def _folder(place: Path) -> None:
    (place / README).unlink()
    (place / README).mkdir()


def _dangling(place: Path) -> None:
    (place / README).unlink()
    (place / README).symlink_to("nowhere.md")


def _outside(place: Path) -> None:
    (place.parent / "private.txt").write_text("canary", "utf-8")
    (place / README).unlink()
    (place / README).symlink_to("../private.txt")


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        (_loop, "readme-unreadable", "Too many levels of symbolic links"),
        (_loop_of_folders, "oauth-unreadable", "Too many levels of symbolic links"),
        (_fifo, "readme-unreadable", "is not a regular file"),
        (_folder, "readme-unreadable", "is not a regular file"),
        (_dangling, "readme-unreadable", "No such file"),
        (_outside, "readme-unreadable", "is outside the folder"),
        (put(README, b"\x00\x01"), "readme-unreadable", "is binary"),
        (put(README, b"# A\n\nb\xff\n"), "readme-unreadable", "not text in UTF-8 (line 3)"),
        (put(README, "a" * (MAX_BYTES + 1)), "readme-unreadable", "larger than 262144 bytes"),
        (put(MANIFEST, '{\n "a": 1\n'), "manifest-json", "line 3 column 1"),
        (put(CLIENT, "{'a'}"), "oauth-json", "line 1 column 2"),
        (put(MANIFEST, '{"a": ' + "9" * 5000 + "}"), "manifest-json", "a number that is too long"),
        (put(MANIFEST, "[" * 500 + "]" * 500), "manifest-json", "nested too deep"),
        (put(MANIFEST, '{"manifest_version": "1.0.0"}'), "manifest-version", "is '1.0.0'"),
    ],
)
def test_one_clear_line_for_each(
    tmp_path: Path, change: Callable[[Path], None], rule: str, words: str
) -> None:
    """An unreadable file gets one finding on one line, and the other files are still checked."""
    place = folder(tmp_path, change)
    other = README if rule.startswith(("manifest", "oauth")) else MANIFEST
    (place / other).write_text("# Bare\n" if other == README else "{}", "utf-8")
    report = check_folder(place)
    lines = [found.what for found in report.findings if found.rule.id == rule]
    assert len(lines) == 1
    assert words in lines[0]
    assert "\n" not in lines[0]
    assert any(found.at.file == other for found in report.findings)
    assert "canary" not in str(report.as_json())
    assert not report.passed


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_by_permission(tmp_path: Path) -> None:
    """A file that the user may not read is named."""
    place = folder(tmp_path)
    (place / README).chmod(0)
    assert "Permission denied" in check_folder(place).findings[0].what


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "does not exist"),
        ("", "does not exist"),
        ("file", "is not a folder"),
        ("empty", "has neither manifest.json nor assets/oauth_clients.json"),
        ("readme", "has neither manifest.json nor assets/oauth_clients.json"),
        ("loop", "does not exist"),
        ("n\0l", "does not exist"),
    ],
)
def test_no_integration(tmp_path: Path, name: str, words: str) -> None:
    """A folder that is not an integration's is refused by name."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "readme").mkdir()
    (tmp_path / "readme" / README).write_text("# A project\n", "utf-8")
    (tmp_path / "file").write_text("{}", "utf-8")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=words) as caught:
        check_folder(tmp_path / name if name else "")
    assert caught.value.code == "not_an_integration"


def test_manifest_alone_is_an_integration(tmp_path: Path) -> None:
    """Without README and client file the manifest is still checked."""
    place = folder(tmp_path, remove(README), remove(CLIENT))
    rules = [found.rule.id for found in check_folder(place).findings]
    assert rules == ["manifest-oauth-file", "readme-missing"]


def test_text_is_kept_as_it_is(tmp_path: Path) -> None:
    """Mark, line endings and the missing final newline are kept."""
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfa\r\nb\rc")
    file = read_text(tmp_path, "f")
    assert file == TextFile("f", "a\r\nb\rc", mark="\ufeff")
    assert file.whole.encode() == b"\xef\xbb\xbfa\r\nb\rc"
    assert file.newline == "\r\n"
    assert [file.line_at(offset) for offset in (0, 1, 3, 5, 6)] == [1, 1, 2, 3, 3]


def test_files_outside_are_not_found(tmp_path: Path) -> None:
    """A name that leads out of the folder, or is not a name, finds nothing."""
    place = tmp_path / "in"
    place.mkdir()
    (tmp_path / "out.txt").write_text("", "utf-8")
    (place / "in.txt").write_text("", "utf-8")
    assert find_file(place, "in.txt") == (place / "in.txt").resolve()
    for name in (
        "../out.txt",
        str(tmp_path / "out.txt"),
        str(place / "in.txt"),
        "none",
        "a\0b",
        ".",
        "x" * 5000,
    ):
        assert find_file(place, name) is None


def test_folder_may_be_a_link(tmp_path: Path) -> None:
    """A link to the whole folder is as good as the folder."""
    place = folder(tmp_path)
    (tmp_path / "link").symlink_to(place)
    assert check_folder(tmp_path / "link").findings == ()


def test_unreadable_is_no_text(tmp_path: Path) -> None:
    """UTF-16 is reported as what it is not."""
    (tmp_path / "f").write_text("# A", "utf-16")
    assert isinstance(read_text(tmp_path, "f"), Unreadable)
