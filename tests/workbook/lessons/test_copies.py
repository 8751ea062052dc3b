"""Lessons are copied once, renewed while nobody touched them, and never written over."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.places import KIT

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.lessons.copies import NOTE, Copies, copy_notebooks
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """Return a lesson as it is installed."""
    path = tmp_path / "installed" / "00_start_here.ipynb"
    path.parent.mkdir()
    path.write_text("first edition")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name a folder of the user's that does not exist yet."""
    return tmp_path / "mine" / "lessons"


def copy(lesson: Path, folder: Path) -> Copies:
    """Copy one lesson."""
    return copy_notebooks([lesson], folder=folder)


def test_all_lessons_arrive(folder: Path) -> None:
    """Every lesson of the package is in the folder, byte for byte."""
    lessons = find_notebooks()
    assert copy_notebooks(lessons, folder=folder).new == tuple(path.name for path in lessons)
    assert all((folder / p.name).read_bytes() == p.read_bytes() for p in lessons)
    assert {p.name for p in folder.iterdir()} == {NOTE, *(p.name for p in lessons)}


def test_each_link_of_a_copy_leads_somewhere(folder: Path) -> None:
    """In a folder that has the lessons and nothing else, no link is dead."""
    copy_notebooks(find_notebooks(), folder=folder)
    links = [
        (path.name, target)
        for path in folder.glob("*.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        for target in LINK.findall("".join(cell["source"]) if cell["cell_type"] != "code" else "")
    ]
    local = [(name, target) for name, target in links if not target.startswith("https://")]
    assert len(local) > 40
    assert not [(name, to) for name, to in local if not (folder / to.split("#")[0]).is_file()]


def test_an_installed_package_brings_its_lessons(tmp_path: Path) -> None:
    """The wheel has them inside the package, and `ddoauth lab` finds them there."""
    project = tomllib.loads((KIT.parent / "pyproject.toml").read_text("utf-8"))
    forced = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert forced == {"notebooks": "ddoauth_kit/notebooks"}
    site = tmp_path / "site-packages"
    shutil.copytree(KIT, site / "ddoauth_kit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(KIT.parent / "notebooks", site / forced["notebooks"])
    code = (
        "from ddoauth_kit.workbook.lessons.notebooks import *; print(*find_notebooks(), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = done.stdout.splitlines()
    assert [Path(path).name for path in found] == [path.name for path in find_notebooks()]
    assert {Path(path).parent for path in found} == {site / forced["notebooks"]}


def test_an_untouched_copy_is_renewed(lesson: Path, folder: Path) -> None:
    """A new edition replaces a copy that is as it was copied."""
    copy(lesson, folder)
    assert copy(lesson, folder) == Copies(folder)
    lesson.write_text("second edition")
    assert copy(lesson, folder).updated == (lesson.name,)
    assert (folder / lesson.name).read_text() == "second edition"


def test_a_changed_copy_stays(lesson: Path, folder: Path) -> None:
    """The user's changes are kept, edition after edition, and reported."""
    copy(lesson, folder)
    (folder / lesson.name).write_text("mine")
    for edition in ("second", "third", "mine too"):
        lesson.write_text(edition)
        assert copy(lesson, folder).kept == (lesson.name,)
        assert (folder / lesson.name).read_text() == "mine"


@pytest.mark.parametrize("note", ["", "[]", "{", '{"00_start_here.ipynb": 7}'])
def test_a_broken_note_overwrites_nothing(lesson: Path, folder: Path, note: str) -> None:
    """If the record of copies is missing, a file that differs counts as changed."""
    copy(lesson, folder)
    (folder / NOTE).write_text(note)
    lesson.write_text("second edition")
    assert copy(lesson, folder).kept == (lesson.name,)


def test_a_link_is_not_written_through(lesson: Path, folder: Path, tmp_path: Path) -> None:
    """A copy that is a link, dangling or not, is the user's."""
    folder.mkdir(parents=True)
    target = tmp_path / "elsewhere.ipynb"
    (folder / lesson.name).symlink_to(target)
    assert copy(lesson, folder).kept == (lesson.name,)
    assert not target.exists()
    target.write_text("other")
    assert copy(lesson, folder).kept == (lesson.name,)
    assert target.read_text() == "other"


def test_a_folder_that_is_a_file(lesson: Path, tmp_path: Path) -> None:
    """The reason is named, and the file stays."""
    taken = tmp_path / "taken"
    taken.write_text("file")
    with pytest.raises(InputError, match="Nothing can be written") as caught:
        copy(lesson, taken)
    assert caught.value.code == "bad_output_folder"
    assert taken.read_text() == "file"
