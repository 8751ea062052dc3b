"""Draw the matrix as one picture, with a colour and a short word in every cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from ddoauth_kit.probing.verdict import PROBLEMS
from ddoauth_kit.workbook.verdicts.svg import Drawing, Picture
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.probing.verdict import Verdict
    from ddoauth_kit.workbook.verdicts.matrix import MatrixArea, MatrixRow, VerdictMatrix

# All lengths are in points, from the top left corner.
_MARGIN: Final = 8.0
_LINE: Final = 12.0
_CELL: Final = 20.0
_LEGEND: Final = 76.0
_LETTER: Final = 4.1
_NAME: Final = 7.0
_WORD: Final = 6.2
_HEAD: Final = 32.0
_BASE: Final = 3.3
_ONE_BLOCK: Final = 60


@dataclass(frozen=True, slots=True)
class _Layout:
    """The dimensions of the drawing."""

    blocks: tuple[Sequence[MatrixArea], ...]
    names: float
    block: float
    legend: int
    top: float
    width: float
    height: float


def verdict_picture(matrix: VerdictMatrix) -> Picture:
    """Return the matrix as SVG, grouped by product area; many scopes are split into two blocks."""
    layout = _layout(matrix)
    drawing = Drawing(layout.width, layout.height)
    _draw_legend(drawing, matrix, layout)
    for number, areas in enumerate(layout.blocks):
        _draw_block(drawing, matrix, areas, left=_MARGIN + number * layout.block, layout=layout)
    svg = drawing.svg(title="Verdicts, scope by site", description=_description(matrix))
    return Picture(svg=svg, text=matrix.text(brief=True))


def _description(matrix: VerdictMatrix) -> str:
    """Return the headline and a description of everything that needs attention."""
    problems = [
        f"{row.scope} on {site}: {MARKS[verdict].name}"
        for row in matrix.rows
        for site, verdict in zip(matrix.sites, row.verdicts, strict=True)
        if verdict is not None and verdict in PROBLEMS
    ]
    return " ".join(filter(None, (matrix.headline, "; ".join(problems))))


def _layout(matrix: VerdictMatrix) -> _Layout:
    blocks = _blocks(matrix.areas)
    longest = max((len(row.scope) for row in matrix.rows), default=0)
    names = longest * _LETTER + 6
    block = names + len(matrix.sites) * _CELL + 2 * _MARGIN
    width = max(len(blocks) * block + _MARGIN, 4 * _LEGEND)
    legend = max(int((width - 2 * _MARGIN) // _LEGEND), 1)
    top = _MARGIN + _LINE * (2 + -(-len(matrix.counts) // legend)) + _HEAD
    height = top + _LINE * max(map(_lines, blocks)) + _MARGIN
    return _Layout(blocks, names, block, legend, top, width, height)


def _blocks(areas: Sequence[MatrixArea]) -> tuple[Sequence[MatrixArea], ...]:
    """Return the areas in one block, or in two of about the same height."""
    if _lines(areas) <= _ONE_BLOCK:
        return (areas,)
    cut = min(range(1, len(areas) + 1), key=lambda i: max(_lines(areas[:i]), _lines(areas[i:])))
    return (areas[:cut], areas[cut:]) if areas[cut:] else (areas,)


def _lines(areas: Sequence[MatrixArea]) -> int:
    return sum(1 + len(area.rows) for area in areas)


def _draw_legend(drawing: Drawing, matrix: VerdictMatrix, layout: _Layout) -> None:
    drawing.text(_MARGIN, _MARGIN + 6, matrix.headline, size=9)
    for number, verdict in enumerate(matrix.counts):
        left = _MARGIN + number % layout.legend * _LEGEND
        top = _MARGIN + _LINE * (1.2 + number // layout.legend)
        _draw_ground(drawing, verdict, left=left, top=top, cells=1)
        _draw_word(drawing, verdict, left=left, top=top)
        drawing.text(left + _CELL + 4, top + _LINE - _BASE, MARKS[verdict].name, size=_NAME)


def _draw_block(
    drawing: Drawing,
    matrix: VerdictMatrix,
    areas: Sequence[MatrixArea],
    *,
    left: float,
    layout: _Layout,
) -> None:
    cells = left + layout.names
    for place, site in enumerate(matrix.sites):
        across, base = cells + (place + 0.45) * _CELL, layout.top - 3
        slant = f' transform="rotate(-45 {across:.5g} {base:.5g})"'
        drawing.text(across, base, site, size=_NAME, more=slant)
    top = layout.top
    for area in areas:
        base = top + _LINE - _BASE
        drawing.text(left, base, area.name, size=_NAME, more=' font-weight="bold"')
        for number, row in enumerate(area.rows, start=1):
            _draw_row(drawing, row, left=left, cells=cells, top=top + number * _LINE)
        top += _LINE * (1 + len(area.rows))


def _draw_row(drawing: Drawing, row: MatrixRow, *, left: float, cells: float, top: float) -> None:
    """Draw a scope's name, one background for equal neighbours, and the words."""
    drawing.text(left + 6, top + _LINE - _BASE, row.scope, size=_NAME)
    place = 0
    for verdict, neighbours in groupby(row.verdicts):
        count = len(list(neighbours))
        if verdict is not None:
            _draw_ground(drawing, verdict, left=cells + place * _CELL, top=top, cells=count)
            for number in range(place, place + count):
                _draw_word(drawing, verdict, left=cells + number * _CELL, top=top)
        place += count


def _draw_ground(
    drawing: Drawing, verdict: Verdict, *, left: float, top: float, cells: int
) -> None:
    ground = MARKS[verdict].light.ground
    drawing.rectangle(left, top + 0.5, cells * _CELL - 1, _LINE - 1, colour=ground)


def _draw_word(drawing: Drawing, verdict: Verdict, *, left: float, top: float) -> None:
    drawing.text(
        left + (_CELL - 1) / 2,
        top + _LINE - _BASE,
        MARKS[verdict].short,
        size=_WORD,
        colour=MARKS[verdict].light.text,
        more=' text-anchor="middle"',
    )
