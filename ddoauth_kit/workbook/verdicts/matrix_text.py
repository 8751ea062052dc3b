"""Lay the matrix out in fixed width, for terminals, for GitHub and for reading aloud."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from ddoauth_kit.workbook.verdicts.marks import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ddoauth_kit.api.verdicts import Verdict
    from ddoauth_kit.workbook.verdicts.matrix import MatrixArea, MatrixRow, VerdictMatrix

WIDTH: Final = 100
_SHORT: Final = max(len(mark.short) for mark in MARKS.values())
# After so many lines the sites' names are out of sight, and are repeated at the next area.
_HEAD_AGAIN: Final = 20


def matrix_text(matrix: VerdictMatrix, *, brief: bool) -> str:
    """Return the counts, which are the legend as well, then the scopes by area.

    With nine sites of Datadog's and its longest scope a line has 100 characters.
    """
    grid = _Grid(matrix)
    if not matrix.rows:
        return matrix.headline
    areas = grid.brief() if brief else grid.full()
    lines = [matrix.headline, "", *grid.counts(), "", *areas]
    return "\n".join(line.rstrip() for line in lines)


class _Grid:
    """Know the widths of the columns, and put lines together."""

    def __init__(self, matrix: VerdictMatrix) -> None:
        self.matrix = matrix
        self.labels = {
            verdict: f"{MARKS[verdict].short:<{_SHORT}}  {MARKS[verdict].name}"
            for verdict in matrix.counts
        }
        names = [f"  {row.scope}" for row in matrix.rows]
        self.first = max(
            map(len, (*names, *(area.name for area in matrix.areas), *self.labels.values())),
            default=0,
        )
        self.widths = [max(len(site), _SHORT) for site in matrix.sites]
        self.head = self.line("", matrix.sites)

    def line(self, first: str, cells: Sequence[str]) -> str:
        fitted = (f"{cell:<{width}}" for cell, width in zip(cells, self.widths, strict=True))
        return " ".join((f"{first:<{self.first}}", *fitted))

    def row(self, row: MatrixRow) -> str:
        return self.line(f"  {row.scope}", [_short(verdict) for verdict in row.verdicts])

    def counts(self) -> Iterator[str]:
        yield self.head
        for verdict, numbers in self.matrix.counts.items():
            yield self.line(self.labels[verdict], [str(number) for number in numbers])

    def full(self) -> Iterator[str]:
        since = _HEAD_AGAIN
        for area in self.matrix.areas:
            again = since >= _HEAD_AGAIN
            yield self.line(area.name, self.matrix.sites) if again else area.name
            yield from (self.row(row) for row in area.rows)
            since = (0 if again else since) + 1 + len(area.rows)

    def brief(self) -> Iterator[str]:
        for area in self.matrix.areas:
            mixed = [row for row in area.rows if not row.is_uniform]
            yield self.line(area.name, self.matrix.sites) if mixed else area.name
            yield from (self.row(row) for row in mixed)
            yield from _everywhere(area)


def _everywhere(area: MatrixArea) -> Iterator[str]:
    """Yield one paragraph for each verdict that scopes of the area have on every site."""
    scopes: dict[Verdict | None, list[str]] = {}
    for row in area.rows:
        if row.is_uniform:
            scopes.setdefault(row.verdicts[0], []).append(row.scope)
    for verdict, names in scopes.items():
        start = f"  {_short(verdict):<{_SHORT}} "
        yield textwrap.fill(
            " ".join(names),
            width=WIDTH,
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_on_hyphens=False,
        )


def _short(verdict: Verdict | None) -> str:
    return "" if verdict is None else MARKS[verdict].short
