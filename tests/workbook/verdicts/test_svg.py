"""A picture is the same in every run, and says in words what it shows."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ddoauth_kit.workbook.verdicts.svg import Drawing, Picture

SVG = "{http://www.w3.org/2000/svg}"


def _drawn() -> str:
    drawing = Drawing(20, 10.5)
    drawing.rectangle(1, 2, 3.25, 4, colour="#abcdef")
    drawing.text(5, 6, "$a$ <b> & c", size=7, more=' font-weight="bold"')
    return drawing.svg(title="<a>", description='b & "c"')


def test_shapes_stand_where_they_were_put() -> None:
    """In the order in which they were added, on a ground as large as the picture."""
    root = ET.fromstring(_drawn())
    title, description, ground, box, text = root
    assert root.attrib["viewBox"] == "0 0 20 10.5"
    assert (root.attrib["width"], root.attrib["height"]) == ("20pt", "10.5pt")
    assert (ground.attrib["width"], ground.attrib["height"]) == ("20", "10.5")
    assert [box.attrib[name] for name in ("x", "y", "width", "height")] == ["1", "2", "3.25", "4"]
    assert box.attrib["fill"] == "#abcdef"
    assert (text.tag, text.text, text.attrib["font-weight"]) == (
        f"{SVG}text",
        "$a$ <b> & c",
        "bold",
    )
    assert (title.text, description.text) == ("<a>", 'b & "c"')
    assert root.attrib["role"] == "img"


def test_same_bytes_each_time() -> None:
    """The drawing does not depend on the day, the machine or the process."""
    assert _drawn() == _drawn()


def test_a_picture_says_the_same_in_words() -> None:
    """A notebook gets both, and a terminal the words."""
    picture = Picture(svg="<svg/>", text="words")
    assert repr(picture) == "words"
    assert picture._repr_mimebundle_() == {"text/plain": "words", "image/svg+xml": "<svg/>"}
