"""Find the lessons: in the repository they were cloned with, or in the installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ddoauth_kit.errors import InputError

PACKAGE: Final = Path(__file__).resolve().parents[1]


def notebooks_folder() -> Path:
    """Return the folder that holds the lessons."""
    beside = PACKAGE.parent / "notebooks"
    return beside if beside.is_dir() else PACKAGE / "notebooks"


def find_notebooks(names: list[str] | None = None) -> list[Path]:
    """Return the lessons of these names or paths, or all of them, in order.

    A name may leave out the ending, or be just the lesson's number: `01` or `01_the_whole_flow`.

    Raises:
        InputError: `unknown_notebook`, with the names that exist.
    """
    lessons = sorted(notebooks_folder().glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return lessons
    return [_find(name, lessons) for name in names]


def _find(name: str, lessons: list[Path]) -> Path:
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    for lesson in lessons:
        if name in {lesson.name, lesson.stem, lesson.stem[:2]}:
            return lesson
    known = ", ".join(lesson.stem for lesson in lessons)
    raise InputError("unknown_notebook", f"There is no notebook {name!r}. There are: {known}.")
