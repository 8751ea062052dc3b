"""The earlier app_uuid comes from git or a file; without git the rest is checked all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.folders import CLEAN, MANIFEST, folder, git, put, swap

from ddoauth_kit.errors import InputError
from ddoauth_kit.publishing.folder_check import check_folder

if TYPE_CHECKING:
    from pathlib import Path

UUID = "3b7e5c0a-8a55-4a0b-9d9c-54c2f9f0a1d7"
OTHER = "0193da66-1a4a-7d09-b520-469edb80cf24"


def _repository(tmp_path: Path, branch: str = "master") -> Path:
    top = tmp_path / "extras"
    top.mkdir()
    git(top, "init", "--quiet", f"--initial-branch={branch}")
    place = folder(top)
    git(top, "add", ".")
    git(top, "commit", "--quiet", "--message", "Add Acme Sensors")
    return place


@pytest.mark.parametrize("branch", ["master", "main"])
def test_changed_app_uuid_is_found_against_the_base_branch(tmp_path: Path, branch: str) -> None:
    """The usual branches are tried; the patch puts the value back."""
    place = _repository(tmp_path, branch)
    git(place, "switch", "--quiet", "--create", "oauth")
    swap(MANIFEST, UUID, OTHER)(place)
    git(place, "commit", "--quiet", "--all", "--message", "Change it")
    report = check_folder(place)
    assert [found.rule.id for found in report.findings] == ["manifest-app-uuid-changed"]
    assert f"was '{UUID}' on {branch}" in report.findings[0].what
    git(place, "apply", "-", stdin=report.patch.encode())
    assert check_folder(place).findings == ()
    assert report.notes == ()


def test_base_is_any_commit(tmp_path: Path) -> None:
    """`base` takes branches, tags and ids, and wins over the usual branches."""
    place = _repository(tmp_path)
    git(place, "tag", "released")
    swap(MANIFEST, UUID, OTHER)(place)
    git(place, "commit", "--quiet", "--all", "--message", "Change it")
    assert check_folder(place).findings == ()
    for base in ("released", "HEAD~1", git(place, "rev-parse", "released").decode().strip()):
        assert len(check_folder(place, base=base).findings) == 1


@pytest.mark.parametrize("base", ["gone", "--help", "-", "HEAD:manifest.json", "a b", "\ud800"])
def test_unknown_base_is_refused(tmp_path: Path, base: str) -> None:
    """A requested base must exist; it is never taken for an option."""
    with pytest.raises(InputError, match="Git doesn't know a commit") as caught:
        check_folder(_repository(tmp_path), base=base)
    assert caught.value.code == "bad_base"


def test_new_integration_is_noted(tmp_path: Path) -> None:
    """An integration that the base branch lacks is new: its id comes from the Publishing tab."""
    top = tmp_path / "extras"
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    git(top, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    report = check_folder(folder(top))
    assert report.findings == ()
    assert "new, because main has no manifest.json" in report.notes[0]
    assert "Publishing tab" in report.notes[0]


def test_no_repository_and_no_branch_are_noted(tmp_path: Path) -> None:
    """Without anything to compare with, a note says so, and everything else is checked."""
    place = folder(tmp_path, swap(MANIFEST, "#Support", "#Help"))
    outside = check_folder(place)
    assert "not in a git repository" in outside.notes[0]
    assert len(outside.findings) == 1
    git(place, "init", "--quiet", "--initial-branch=mine")
    assert "without a base branch" in check_folder(place).notes[0]


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git gets the same note, and the same findings."""
    place = _repository(tmp_path)
    swap(MANIFEST, "#Support", "#Help")(place)
    monkeypatch.setenv("PATH", str(tmp_path))
    report = check_folder(place)
    assert "app_uuid was not compared" in report.notes[0]
    assert [found.rule.id for found in report.findings] == ["manifest-anchor"]


def test_unreadable_manifest_on_the_base_is_noted(tmp_path: Path) -> None:
    """An earlier manifest that is not JSON or has no id does not stop the check."""
    place = _repository(tmp_path)
    put(MANIFEST, "{")(place)
    git(place, "commit", "--quiet", "--all", "--message", "Break it")
    put(MANIFEST, (CLEAN / MANIFEST).read_bytes())(place)
    report = check_folder(place)
    assert report.findings == ()
    assert "it can't be read on master" in report.notes[0]


@pytest.mark.parametrize("content", [None, "", "[]", '{"app_uuid": 7}', '{"app_uuid": ""}', "\0"])
def test_bad_earlier_manifest_is_refused(tmp_path: Path, content: str | None) -> None:
    """A named file must contain an id."""
    earlier = tmp_path / "earlier.json"
    if content is not None:
        earlier.write_text(content, "utf-8")
    with pytest.raises(InputError) as caught:
        check_folder(CLEAN, earlier=earlier)
    assert caught.value.code == "bad_earlier_manifest"


def test_git_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    """Settings of a stranger's repository start no program."""
    place = _repository(tmp_path)
    mark = tmp_path / "started"
    for name in ("core.fsmonitor", "diff.x.textconv", "core.pager", "core.sshCommand"):
        git(place, "config", name, f"touch {mark}")
    (place.parent / ".gitattributes").write_text("* diff=x\n", "utf-8")
    swap(MANIFEST, UUID, OTHER)(place)
    assert len(check_folder(place).findings) == 1
    assert not mark.exists()


def test_a_hook_of_another_repository_does_not_mislead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables that git sets for its hooks do not change the folder's repository."""
    place = _repository(tmp_path)
    swap(MANIFEST, UUID, OTHER)(place)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    report = check_folder(place)
    assert len(report.findings) == 1
    assert "b/acme_sensors/manifest.json" in report.patch
