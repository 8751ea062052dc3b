"""`git apply` accepts the patch, which fixes what it claims and changes no other byte."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.folders import CLIENT, FILES, MANIFEST, README, contents, cut, folder, git, put, swap

from ddoauth_kit.publishing.findings import Edit
from ddoauth_kit.publishing.folder_check import check_folder
from ddoauth_kit.publishing.integration_files import TextFile
from ddoauth_kit.publishing.patch import edited, unified_diff

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = "0193da66-1a4a-7d09-b520-469edb80cf24"
NO_SECTION = cut(README, "## Uninst", "## Data")
NO_POINTER = cut(MANIFEST, '    "unins', '    "support"')
NO_OAUTH = swap(MANIFEST, ',\n    "oauth": "assets/oauth_clients.json"', "")
WRONG_ANCHOR = swap(MANIFEST, "#Uninstallation", "#Uninstall")
WRONG_UUID = swap(MANIFEST, "3b7e5c0a-8a55-4a0b-9d9c-54c2f9f0a1d7", OTHER)
NO_UUID = cut(MANIFEST, '  "app_uuid"', '  "app_id"')
EMPTY_SECTION = cut(README, "Open the tile and", "## Data")
NO_KEYS = cut(README, "Additionally, ensure", "## Data")
NO_REVOKED = cut(README, "Once this", "\n")
MENDED = [
    [NO_SECTION],
    [NO_POINTER],
    [NO_OAUTH],
    [WRONG_ANCHOR],
    [WRONG_UUID],
    [NO_UUID],
    [EMPTY_SECTION],
    [NO_KEYS],
    [NO_REVOKED],
    [NO_REVOKED, NO_KEYS],
    [NO_SECTION, NO_POINTER, NO_OAUTH, WRONG_UUID],
]


def _every(file: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        (place / file).write_bytes((place / file).read_bytes().replace(old, new))

    return change


def _all(change: Callable[[str], Callable[[Path], None]]) -> list[Callable[[Path], None]]:
    return [change(file) for file in FILES]


def _mark(file: str) -> Callable[[Path], None]:
    return lambda place: put(file, b"\xef\xbb\xbf" + (place / file).read_bytes())(place)


def _bare(file: str) -> Callable[[Path], None]:
    return lambda place: put(file, (place / file).read_bytes().rstrip())(place)


def _minified(place: Path) -> None:
    text = (place / MANIFEST).read_text("utf-8")
    (place / MANIFEST).write_text("".join(line.strip() for line in text.splitlines()), "utf-8")


def _setup_last(place: Path) -> None:
    cut(README, "## Data", "[1]:")(place)
    swap(MANIFEST, "#Support", "#Overview")(place)


SHAPES: dict[str, list[Any]] = {
    "as it is": [],
    "CRLF": _all(lambda file: _every(file, b"\n", b"\r\n")),
    "byte order mark": _all(_mark),
    "no final newline": _all(_bare),
    "tabs": [_every(MANIFEST, b"  ", b"\t")],
    "four blanks": [_every(MANIFEST, b"  ", b"    ")],
    "minified": [_minified],
    "latin-1 letters and a form feed": [
        swap(README, "greenhouses to", "gr\u00fcn\x0c\u00ae\x85 to")
    ],
    "CRLF without final newline": [*_all(lambda file: _every(file, b"\n", b"\r\n")), *_all(_bare)],
    "mixed line endings": [swap(README, "# Acme Sensors\n", "# Acme Sensors\r\n")],
    "nothing after it": [_setup_last],
    "nothing after it, no final newline": [_setup_last, *_all(_bare)],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("breaks", MENDED)
def test_patch_mends_and_touches_nothing_else(
    tmp_path: Path, breaks: list[Any], shape: str
) -> None:
    """After `git apply`, nothing is left to fix, and reversing the patch gives the same bytes."""
    clean = folder(tmp_path / "clean", *SHAPES[shape])
    place = folder(tmp_path, *breaks, *SHAPES[shape])
    before, reference = contents(place), contents(clean)
    report = check_folder(place, earlier=clean / MANIFEST)
    assert report.findings
    assert all(found.edits for found in report.findings)
    patch = report.patch.encode()
    git(place, "apply", "-", stdin=patch)
    assert check_folder(place, earlier=clean / MANIFEST).findings == ()
    after = contents(place)
    changed = {found.at.file for found in report.findings}
    assert {name for name in before if before[name] != after[name]} == changed
    for name in changed:
        _same_form(before[name], after[name])
    if MANIFEST in changed and NO_OAUTH not in breaks and NO_UUID not in breaks:
        assert after[MANIFEST] == reference[MANIFEST]
    git(place, "apply", "-R", "-", stdin=patch)
    assert contents(place) == before


def _same_form(before: bytes, after: bytes) -> None:
    """Compare what a careless writer changes: mark, line endings, the end of the file."""
    assert after.startswith(b"\xef\xbb\xbf") == before.startswith(b"\xef\xbb\xbf")
    assert after.endswith(b"\n") == before.endswith(b"\n")
    if before.count(b"\r\n") == before.count(b"\n"):
        assert after.count(b"\r\n") == after.count(b"\n")
    if b"\r" not in before:
        assert b"\r" not in after


def test_patch_is_for_the_top_of_the_repository(tmp_path: Path) -> None:
    """In a repository, the patch applies from its top and from the folder, even with spaces."""
    top = tmp_path / "the extras \u00e9"
    top.mkdir()
    place = folder(top, NO_SECTION, NO_POINTER)
    git(top, "init", "--quiet")
    patch = check_folder(place).patch
    assert "+++ b/acme_sensors/README.md\n" in patch
    for start in (top, place):
        git(start, "apply", "-", stdin=patch.encode())
        assert check_folder(place).findings == ()
        git(start, "apply", "-R", "-", stdin=patch.encode())


@pytest.mark.parametrize("name", ["a b", "a\tb", 'a"b', "a\\b", "gr\u00fcn"])
def test_odd_names_of_folders(tmp_path: Path, name: str) -> None:
    """A folder below the top may have any name that git can write down."""
    (tmp_path / name).mkdir()
    git(tmp_path, "init", "--quiet")
    place = folder(tmp_path / name, NO_POINTER)
    git(place, "apply", "-", stdin=check_folder(place).patch.encode())
    assert check_folder(place).findings == ()


@pytest.mark.parametrize(
    "changes",
    [
        [NO_SECTION, swap(README, "## Setup", "### Setup")],
        [NO_SECTION, swap(README, "## Setup", "## How to")],
        [swap(README, "## Uninstallation", "## Uninstall")],
        [NO_SECTION, swap(README, "## Data", "```text\n\n## Data")],
        [NO_SECTION, swap(README, "## Data", "<!--\n\n## Data")],
    ],
)
def test_nothing_is_guessed(tmp_path: Path, changes: list[Any]) -> None:
    """If the place is unclear or an edit would not help, there is a finding but no patch."""
    report = check_folder(folder(tmp_path, *changes))
    lost = [found for found in report.findings if found.rule.id == "readme-uninstallation"]
    assert [found.edits for found in lost] == [()]
    assert "+## Uninstallation" not in report.patch


def test_empty_tile_gets_the_pointer(tmp_path: Path) -> None:
    """An object without members gets its first one."""
    place = folder(tmp_path, put(MANIFEST, '{"manifest_version": "2.0.0", "tile": {}}'))
    git(place, "apply", "-", stdin=check_folder(place).patch.encode())
    text = (place / MANIFEST).read_text("utf-8")
    assert '"tile": {"uninstallation": "README.md#Uninstallation"}' in text


def test_linked_file_gets_no_patch(tmp_path: Path) -> None:
    """A README that is a link within the folder is read; git could not patch it."""
    place = folder(tmp_path, NO_SECTION)
    (place / README).rename(place / "docs.md")
    (place / README).symlink_to("docs.md")
    report = check_folder(place)
    assert [found.rule.id for found in report.findings] == ["readme-uninstallation"]
    assert report.patch == ""


def test_client_file_is_never_patched(tmp_path: Path) -> None:
    """The registration is changed in the platform, so no finding in its copy has an edit."""
    changes = [swap(CLIENT, "https://login.", "http://localhost."), swap(CLIENT, "events_", "a_")]
    report = check_folder(folder(tmp_path, *changes))
    assert len(report.findings) == 2
    assert report.patch == ""


def test_insertions_at_one_place_keep_their_order() -> None:
    """Two texts that go to the same offset follow one another as they were found."""
    file = TextFile("f", "ab")
    edits = [Edit("f", 1, 1, "1"), Edit("f", 1, 1, "2"), Edit("f", 0, 1, "A")]
    assert edited(file, edits).text == "A12b"


def test_diff_of_the_same_is_empty() -> None:
    """Without a difference, there is no header either."""
    file = TextFile("f", "a\n")
    assert unified_diff(file, file) == ""


@pytest.mark.parametrize("before", ["", "a", "a\n", "a\r\nb", "\n\n"])
@pytest.mark.parametrize("after", ["", "b", "a\nb\n", "a\r\n", "\n"])
def test_diff_of_small_texts(tmp_path: Path, before: str, after: str) -> None:
    """Empty files, single lines and missing final newlines go through git unchanged."""
    if before == after:
        return
    (tmp_path / "f").write_bytes(before.encode())
    patch = unified_diff(TextFile("f", before), TextFile("f", after))
    git(tmp_path, "apply", "-", stdin=patch.encode())
    path = Path(tmp_path / "f")
    assert path.read_bytes().decode() == after
