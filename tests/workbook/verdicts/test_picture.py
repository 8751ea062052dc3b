"""The picture shows each verdict as a word on its colour, at a size that can be read."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from support.reports import SITES, full_report, report_on

from ddoauth_kit.workbook.verdicts import verdict_matrix
from ddoauth_kit.workbook.verdicts.picture import verdict_picture
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

if TYPE_CHECKING:
    from ddoauth_kit.workbook.verdicts.svg import Picture

MATRIX = verdict_matrix(full_report())
SVG = "{http://www.w3.org/2000/svg}"


# Drawn when first asked for: what is done while modules load, each process of the tests does.
@cache
def _picture() -> Picture:
    return verdict_picture(MATRIX)


@cache
def _root() -> ET.Element:
    return ET.fromstring(_picture().svg)


def _texts() -> list[ET.Element]:
    return list(_root().iter(f"{SVG}text"))


def _size(element: ET.Element) -> float:
    return float(element.attrib["font-size"])


def test_every_scope_and_every_verdict_is_there() -> None:
    """All names are text, and there are as many words as verdicts, plus those in the legend."""
    words = Counter(element.text for element in _texts())
    for verdict, numbers in MATRIX.counts.items():
        assert words[MARKS[verdict].short] == sum(numbers) + 1
    assert all(words[row.scope] == 1 for row in MATRIX.rows)
    assert all(words[area.name] >= 1 for area in MATRIX.areas)
    assert all(words[site] == 2 for site in SITES)


def test_grounds_have_the_colours_of_the_verdicts() -> None:
    """Every verdict's ground is drawn, and the legend explains each."""
    for verdict in MATRIX.counts:
        assert MARKS[verdict].light.ground in _picture().svg
        assert MARKS[verdict].name in {element.text for element in _texts()}


def test_it_can_be_read() -> None:
    """In two blocks it fits a notebook's 1,070 pixels, and no letter is below 8 of them."""
    width, height = (float(_root().attrib[name].removesuffix("pt")) for name in ("width", "height"))
    pixels_per_point = 96 / 72
    assert width * pixels_per_point <= 1_070
    assert height < 2 * width
    assert min(map(_size, _texts())) * pixels_per_point >= 8


def test_nothing_lies_on_something_else() -> None:
    """No two texts start in the same place, and all start within the picture."""
    places = [(float(e.attrib["x"]), float(e.attrib["y"])) for e in _texts()]
    assert len(set(places)) == len(places)
    _, _, width, height = map(float, _root().attrib["viewBox"].split())
    assert all(0 < x < width and 0 < y < height for x, y in places)


def test_it_says_what_it_shows() -> None:
    """Title and description name what must be looked at; the text is the matrix in brief."""
    title, description = _root()[0], _root()[1]
    assert title.text == "Verdicts, scope by site"
    assert "apm_read on us3: refused" in str(description.text)
    assert _picture().text == MATRIX.text(brief=True)


def test_it_carries_nothing_of_the_day_or_the_machine() -> None:
    """The picture has no date, program name or id that could clash with a second picture."""
    assert not re.search(r"<metadata|Matplotlib|\bid=|202\d", _picture().svg)


def test_few_scopes_stand_in_one_block() -> None:
    """A small registration on one site makes a small picture, and none at all an empty one."""
    small = ET.fromstring(verdict_picture(verdict_matrix(report_on(["us1"], every=10))).svg)
    assert [e.text for e in small.iter(f"{SVG}text")].count("us1") == 1
    empty = verdict_picture(MATRIX.where(text="no such scope"))
    assert ET.fromstring(empty.svg)[0].text == "Verdicts, scope by site"
