"""The site's own files say what a tab can do, and keep nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import nbformat
import pytest

from ddoauth_kit.maintenance.site.contents import (
    FIRST,
    READ_ONLY,
    lab_page,
    lesson_text,
    llms_text,
    root_page,
    settings,
)
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

LESSONS = find_notebooks()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_gets_a_note_and_keeps_everything_else(path: object) -> None:
    """Cells and outputs are those of the repository; only the note and the kernel are new."""
    (lesson,) = (each for each in LESSONS if each == path)
    before, after = nbformat.read(lesson, as_version=4), json.loads(lesson_text(lesson))
    note = after["cells"].pop(1)
    assert after["cells"] == before["cells"]
    assert after["metadata"]["kernelspec"]["name"] == "python"
    runs = lesson.name[:2] not in READ_ONLY
    assert ("does not run in a browser tab" in note["source"]) is not runs


def test_nothing_is_kept_and_nothing_else_is_asked() -> None:
    """Notebooks, settings and workspaces live in memory, and no registry is a way out."""
    config = settings(["ddoauth-kit"])["jupyter-config-data"]
    drivers = [value for name, value in config.items() if name.endswith("StorageDrivers")]
    assert drivers == [["memoryStorageDriver"]] * 3
    (kernel,) = config["litePluginSettings"].values()
    assert kernel["disablePyPIFallback"] is True
    assert kernel["loadPyodideOptions"] == {"packages": ["ddoauth-kit"]}


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append({"": tag, **dict(attrs)})


def test_the_root_opens_the_first_lesson() -> None:
    """It redirects automatically and has a link, and the configuration that other pages read."""
    tags = _Tags(root_page()).found
    target = f"lab/index.html?path={FIRST}"
    assert any(tag.get("content") == f"0; url={target}" for tag in tags)
    assert any(tag.get("href") == target for tag in tags)
    assert any(tag.get("id") == "jupyter-config-data" for tag in tags)
    assert LESSONS[0].name == FIRST


def test_a_page_without_a_head_is_refused() -> None:
    """The script that names the lesson in the address is in the page, or the build fails."""
    assert lab_page("<head></head>").count(FIRST) == 1
    with pytest.raises(ValueError, match="no </head>"):
        lab_page("<body></body>")


def test_programs_find_every_lesson() -> None:
    """`llms.txt` has one line a lesson, with its promise."""
    lines = [line for line in llms_text(LESSONS).splitlines() if line.startswith("- [")]
    assert len(lines) == len(LESSONS)
    assert all(f"(files/{path.name})" in line for path, line in zip(LESSONS, lines, strict=True))
