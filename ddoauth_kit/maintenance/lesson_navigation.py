"""Write the lessons' navigation and the README's table, both from the lessons' order.

`python -m ddoauth_kit.maintenance.lesson_navigation` rewrites both; `--check` only compares.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a dataclass field is read at run time
from typing import Any, Final

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks, notebooks_folder

NAVIGATION: Final = " <!-- navigation -->"
BEGIN: Final = "<!-- notebooks: begin -->"
END: Final = "<!-- notebooks: end -->"
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"
_MINUTES: Final = re.compile(r"About (\d+) minutes")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson's title, its promise in one sentence, and its length in minutes."""

    path: Path
    title: str
    promise: str
    minutes: int


def read_lesson(path: Path) -> Lesson:
    """Read a lesson's first two cells: the heading with its promise, and the goals."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    lines = [line.strip() for line in "".join(cells[0]["source"]).splitlines() if line.strip()]
    minutes = _MINUTES.search("".join(cells[1]["source"]))
    if not lines[0].startswith("# ") or len(lines) < 2 or minutes is None:  # noqa: PLR2004
        raise ValueError(f"{path.name} needs a heading, a promise and `About N minutes`.")
    return Lesson(path, lines[0].removeprefix("# "), lines[1], int(minutes[1]))


def with_navigation(text: str, *, lesson: Lesson, lessons: list[Lesson]) -> str:
    """Return a notebook's text with the navigation line in its first and last cell.

    Values that differ from run to run are removed to keep diffs small: the Python version, the
    times in the metadata of outputs, and views of widgets that no longer exist.
    """
    notebook = json.loads(text)
    notebook["metadata"]["language_info"] = {"name": "python"}
    notebook["metadata"].pop("widgets", None)
    for output in (each for cell in notebook["cells"] for each in cell.get("outputs", ())):
        if "data" in output:
            output["metadata"] = {}
            output["data"].pop(WIDGET_VIEW, None)
    line = _navigation(lesson, lessons)
    for cell in (notebook["cells"][0], notebook["cells"][-1]):
        _set_navigation(cell, line)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def with_table(readme: str, *, lessons: list[Lesson]) -> str:
    """Return the README's text with the table of lessons between its two markers."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [
        f"| [{lesson.path.stem[:2]} {lesson.title}](notebooks/{lesson.path.name}) "
        f"| {lesson.promise} | {lesson.minutes} |"
        for lesson in lessons
    ]
    table = ["| notebook | what you get | minutes |", "|---|---|---|", *rows]
    return "\n".join([head + BEGIN, *table, END]) + tail


def rewritten() -> dict[Path, str]:
    """Return the files with outdated generated parts, each with its new text."""
    lessons = [read_lesson(path) for path in find_notebooks()]
    readme = notebooks_folder().parent / "README.md"
    texts = {readme: with_table(readme.read_text("utf-8"), lessons=lessons)}
    for lesson in lessons:
        text = lesson.path.read_text("utf-8")
        texts[lesson.path] = with_navigation(text, lesson=lesson, lessons=lessons)
    return {path: text for path, text in texts.items() if text != path.read_text("utf-8")}


def _navigation(lesson: Lesson, lessons: list[Lesson]) -> str:
    """Return the links of a lesson; the first lesson links to all others.

    The README can't provide those links, because copied lessons are in a folder without it.
    """
    at = lessons.index(lesson)
    if not at:
        return f"Contents: {' · '.join(map(_link, lessons[1:]))}{NAVIGATION}"
    after = f" · {_link(lessons[at + 1])} →" if at + 1 < len(lessons) else ""
    contents = f"[Contents]({lessons[0].path.name})"
    return f"← {_link(lessons[at - 1])} · {contents}{after}{NAVIGATION}"


def _link(lesson: Lesson) -> str:
    return f"[{lesson.title}]({lesson.path.name})"


def _set_navigation(cell: dict[str, Any], line: str) -> None:
    text = "".join(cell["source"])
    kept = [old for old in text.splitlines() if not old.endswith(NAVIGATION)]
    new = "\n".join(kept).rstrip() + "\n\n" + line
    cell["source"] = new.splitlines(keepends=True)


def rewrite(stale: dict[Path, str], *, check: bool) -> int:
    """Write outdated files (with `check`, only print their names), and return the exit code."""
    for path, text in stale.items():
        print(path.name)  # noqa: T201 - the answer
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and check else 0


def main(arguments: list[str]) -> int:
    """Rewrite outdated files; with `--check`, only print their names and exit with 1."""
    return rewrite(rewritten(), check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
