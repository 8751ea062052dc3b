"""The lessons' diagrams are drawn on pages that run no script."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import nbformat
import pytest

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.sequence_diagram import sequence_svg

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_diagram_of_the_lessons_is_drawn() -> None:
    """Each picture is XML, contains each name and word, and fits its frame."""
    diagrams = [
        (path.stem, source)
        for path in find_notebooks()
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for source in FENCE.findall(cell.source)
    ]
    assert len(diagrams) >= 4
    for lesson, source in diagrams:
        _assert_drawn(lesson, source)


def _assert_drawn(lesson: str, source: str) -> None:
    svg = sequence_svg(source)
    assert svg is not None, lesson
    root = ET.fromstring(svg)
    words = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    said = re.findall(r"(?: as |: )(.+)", source.replace("<br/>", " "))
    assert said
    for line in said:
        assert set(line.split()) <= set(words.split())
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 < float(text.attrib["x"]) < float(root.attrib["width"])
        assert 0 < float(text.attrib["y"]) < float(root.attrib["height"])


@pytest.mark.parametrize(
    "source",
    ["graph TD\n A-->B", "sequenceDiagram\n loop forever\n end", "sequenceDiagram\nA->>B: x"],
)
def test_another_diagram_is_left_as_text(source: str) -> None:
    """An unsupported diagram is not drawn at all."""
    assert sequence_svg(source) is None


def test_a_hostile_text_stays_text() -> None:
    """Names and messages are escaped."""
    svg = sequence_svg("sequenceDiagram\nparticipant A as <script>\nA->>A: </svg><script>")
    assert svg is not None
    assert "<script" not in svg
