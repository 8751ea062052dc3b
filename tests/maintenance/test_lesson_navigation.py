"""Everything that depends on the lessons' order is generated; a second run changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.maintenance.lesson_navigation import (
    BEGIN,
    END,
    Lesson,
    main,
    read_lesson,
    with_navigation,
    with_table,
)

if TYPE_CHECKING:
    from pathlib import Path


def _lesson(folder: Path, name: str, *, minutes: str = "About 5 minutes.") -> Lesson:
    cells = [
        {"cell_type": "markdown", "source": [f"# Lesson {name}\n", "\n", "It promises much.\n"]},
        {"cell_type": "markdown", "source": [minutes]},
        {"cell_type": "markdown", "source": ["## The end\n"]},
    ]
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}}), "utf-8")
    return read_lesson(path)


def test_navigation_links_the_neighbours(tmp_path: Path) -> None:
    """First and last cell link the lessons before and after, and a second pass changes nothing."""
    lessons = [_lesson(tmp_path, name) for name in ("00_a", "01_b", "02_c")]
    middle = lessons[1]
    text = with_navigation(middle.path.read_text("utf-8"), lesson=middle, lessons=lessons)
    cells = json.loads(text)["cells"]
    for cell in (cells[0], cells[-1]):
        line = cell["source"][-1]
        assert "← [Lesson 00_a](00_a.ipynb)" in line
        assert "[Contents](00_a.ipynb)" in line
        assert "[Lesson 02_c](02_c.ipynb) →" in line
    assert with_navigation(text, lesson=middle, lessons=lessons) == text


def test_the_first_lesson_lists_all_others(tmp_path: Path) -> None:
    """Links to the contents lead there, so it must list every lesson, in order."""
    lessons = [_lesson(tmp_path, name) for name in ("00_a", "01_b", "02_c")]
    text = with_navigation(lessons[0].path.read_text("utf-8"), lesson=lessons[0], lessons=lessons)
    cells = json.loads(text)["cells"]
    for cell in (cells[0], cells[-1]):
        assert "[Lesson 01_b](01_b.ipynb) · [Lesson 02_c](02_c.ipynb)" in cell["source"][-1]


def test_table_stands_between_its_marks(tmp_path: Path) -> None:
    """The README's table lists each lesson once, and what is around it stays."""
    lessons = [_lesson(tmp_path, "00_a")]
    readme = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n", lessons=lessons)
    assert readme.startswith("before\n")
    assert readme.endswith("\nafter\n")
    assert "| [00 Lesson 00_a](notebooks/00_a.ipynb) | It promises much. | 5 |" in readme
    assert "old" not in readme
    assert with_table(readme, lessons=lessons) == readme


def test_a_lesson_must_say_its_minutes(tmp_path: Path) -> None:
    """A lesson without its minutes is named, not guessed at."""
    with pytest.raises(ValueError, match=r"00_a\.ipynb needs"):
        _lesson(tmp_path, "00_a", minutes="Some time.")


def test_check_finds_nothing_stale() -> None:
    """`--check` passes on the committed lessons."""
    assert main(["--check"]) == 0
