"""Find the lessons, in a cloned repository or in the installed package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.errors.near_names import nearest
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.workbook.runs.source_notebook import checked_notebook

PACKAGE: Final = Path(__file__).resolve().parents[2]


def notebooks_folder() -> Path:
    """Return the folder that contains the lessons."""
    inside = PACKAGE / "notebooks"
    return inside if inside.is_dir() else PACKAGE.parent / "notebooks"


def find_notebooks(names: list[str] | None = None) -> list[Path]:
    """Return the lessons with these names or paths, or all of them, in order.

    A name may omit the file extension or be just the lesson's number: `01_the_whole_flow` or `01`.

    Raises:
        InputError: `unknown_notebook`, with the names that exist, `not_a_notebook` or
            `other_language`.
    """
    lessons = sorted(notebooks_folder().glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return lessons
    found = list(dict.fromkeys(_find(name, lessons) for name in names))
    stems = [path.stem for path in found]
    for stem in stems:
        if stems.count(stem) > 1:
            what = (
                f"Two notebooks are called {stem!r}: rename one of them, or run them separately, "
                "each with its own output folder."
            )
            raise InputError("unknown_notebook", what)
    return found


def _find(name: str, lessons: list[Path]) -> Path:
    path = Path(name)
    if path.is_file():
        checked_notebook(path)
        return path
    for lesson in lessons:
        if name in {lesson.name, lesson.stem, lesson.stem[:2]}:
            return lesson
    known = ", ".join(lesson.stem for lesson in lessons)
    meant = _meant(name, [lesson.stem for lesson in lessons])
    what = f"There is no notebook {quoted_path(name)}.{meant} There are: {known}."
    raise InputError("unknown_notebook", what)


def _meant(name: str, stems: list[str]) -> str:
    """Return the lessons whose names contain all these words, or else those with similar names."""
    words = [word.zfill(2) for word in re.findall(r"[a-z0-9]+", name.lower())]
    found = [stem for stem in stems if words and set(words) <= set(stem.split("_"))]
    return f" Did you mean {' or '.join(found)}?" if found else nearest(name, stems)
