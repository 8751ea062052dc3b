"""Lessons follow one skeleton, define nothing, and are stored as they ran."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.maintenance.lesson_navigation import read_lesson, rewritten
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks, notebooks_folder

LESSONS = find_notebooks()
HEADINGS = ["## Break it", "## Check yourself", "## Try it", "## What you know now"]
PARAMETERS = {"SITE": "us1", "MODE": "sandbox", "CLIENT": "", "WRITES": False}
SEVERAL_SITES = ("05_probe_the_scopes", "07_every_site")


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson_path(request: pytest.FixtureRequest) -> Path:
    """Name one lesson."""
    assert isinstance(request.param, Path)
    return request.param


@pytest.fixture
def lesson(lesson_path: Path) -> Any:
    """Read one lesson."""
    return nbformat.read(lesson_path, as_version=4)


def _code(lesson: Any) -> list[Any]:
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def _prose(lesson: Any) -> list[str]:
    return [cell.source for cell in lesson.cells if cell.cell_type == "markdown"]


def test_no_stray_notebooks() -> None:
    """The folder contains the numbered lessons and nothing else."""
    assert sorted(path.name for path in notebooks_folder().iterdir() if path.is_file()) == [
        path.name for path in LESSONS
    ]


def test_skeleton(lesson: Any) -> None:
    """A lesson has its promise, goals that match its sections, and the four closing headings."""
    prose = "\n".join(_prose(lesson))
    headings = re.findall(r"^#{1,2} .*$", prose, re.MULTILINE)
    goals = re.findall(r"^\d\. ", _prose(lesson)[1], re.MULTILINE)
    steps = [heading for heading in headings if re.match(r"## \d\. ", heading)]
    assert headings[0].startswith("# ")
    assert sum(heading.startswith("# ") for heading in headings) == 1
    assert headings[1:] == [*steps, *HEADINGS]
    assert 3 <= len(steps) <= 5
    assert len(goals) == len(steps)
    assert "*Notice*" in prose
    assert "References:" in _prose(lesson)[-1]


def test_parameters(lesson: Any, lesson_path: Path) -> None:
    """The parameters are in the third cell at the latest; two lessons also have `SITES`."""
    first = next(i for i, cell in enumerate(lesson.cells) if cell.cell_type == "code")
    cell = lesson.cells[first]
    assert first <= 2
    assert cell.metadata["tags"] == ["parameters"]
    assignments = ast.parse(cell.source).body
    given = {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}  # type: ignore[attr-defined]
    several = {"SITES": ""} if lesson_path.stem in SEVERAL_SITES else {}
    assert given == PARAMETERS | several


def test_no_code_is_explained_twice() -> None:
    """A lesson that repeats an error links to the lesson that explains it."""
    sources = (cell.source for path in LESSONS for cell in _code(nbformat.read(path, as_version=4)))
    explained = [code for text in sources for code in re.findall(r'explain\("(\w+)"\)', text)]
    assert "invalid_grant" in explained
    assert len(explained) == len(set(explained))


def test_cells_are_small_and_introduced(lesson: Any) -> None:
    """Code cells are short and come after prose; prose cells have at most 110 words."""
    sizes = sorted(len(cell.source.splitlines()) for cell in _code(lesson))
    assert sizes[-1] <= 12
    assert sizes[len(sizes) // 2] <= 4
    for before, cell in zip(lesson.cells, lesson.cells[1:], strict=False):
        assert cell.cell_type == "markdown" or before.cell_type == "markdown"
    without_diagrams = [re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in _prose(lesson)]
    words = [[w for w in text.split() if re.search(r"\w", w)] for text in without_diagrams]
    assert max(map(len, words)) <= 110


def test_words(lesson: Any) -> None:
    """Prose speaks calmly: no exclamation marks, no "simply", no "just"."""
    prose = re.sub(r"<!--.*?-->", "", "\n".join(_prose(lesson)))
    assert not re.findall(r"!(?!\[)|\b[Ss]imply\b|\b[Jj]ust\b", prose)


def test_defines_nothing(lesson: Any) -> None:
    """Helpers live in the package, not in a lesson."""
    for cell in _code(lesson):
        nodes = ast.walk(ast.parse(cell.source))
        assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_stored_as_executed(lesson: Any) -> None:
    """Outputs are stored, in order, without an error, without widget state or machine traces."""
    counts = [cell.execution_count for cell in _code(lesson)]
    assert counts == list(range(1, len(counts) + 1))
    text = nbformat.writes(lesson)
    assert "widgets" not in lesson.metadata
    assert '"ename"' not in text
    assert not re.search(r"127\.0\.0\.1:(?!8484)\d|/home/|/root/|/tmp/|/Users/", text)
    assert lesson.metadata.kernelspec.name == "python3"


def test_solution_is_hidden_and_run(lesson: Any) -> None:
    """The exercise's answer is a cell that is folded for readers and executed by tests."""
    solutions = [cell for cell in _code(lesson) if "solution" in cell.metadata.get("tags", [])]
    assert solutions
    assert all(cell.metadata.jupyter.source_hidden for cell in solutions)


def test_navigation_and_readme_are_fresh() -> None:
    """The generated parts match the current lessons."""
    assert not rewritten()


def test_lessons_say_what_they_take() -> None:
    """Every lesson names its minutes, and its promise is one sentence."""
    for path in LESSONS:
        lesson = read_lesson(Path(path))
        assert 0 < lesson.minutes <= 60
        assert lesson.promise.endswith(".")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1", "01_the_whole_flow"),
        ("1_whole", "01_the_whole_flow"),
        ("whole flow", "01_the_whole_flow"),
        ("01_the_whole_flw", "01_the_whole_flow"),
    ],
)
def test_a_lesson_is_known_by_its_words(typed: str, meant: str) -> None:
    """A name that no lesson has gets the lesson that has all its words, or is spelt nearly so."""
    with pytest.raises(InputError, match=f"Did you mean {meant}"):
        find_notebooks([typed])
