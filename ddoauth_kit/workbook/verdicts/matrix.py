"""Arrange verdicts by scope and site, grouped by product area, and filter them."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import counted
from ddoauth_kit.probing.verdict import PROBLEMS, Verdict
from ddoauth_kit.scopes import known_scopes
from ddoauth_kit.workbook.verdicts.style import ROOT, style
from ddoauth_kit.workbook.verdicts.unconfirmed import findings
from ddoauth_kit.workbook.verdicts.words_and_colours import GRAVITY, MARKS, MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.verdict import ProbeResult
    from ddoauth_kit.workbook.verdicts.unconfirmed import Unconfirmed

WIDTH: Final = 100
_SHORT: Final = max(len(mark.short) for mark in MARKS.values())
# After this many lines, the site names are out of sight, so the next area repeats them.
_HEAD_AGAIN: Final = 20


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One scope's verdicts in the order of the sites, with None for a missing result."""

    scope: str
    area: str
    verdicts: tuple[Verdict | None, ...]

    @property
    def is_uniform(self) -> bool:
        """Return whether the verdict is the same on every site."""
        return len(set(self.verdicts)) == 1

    @property
    def has_problem(self) -> bool:
        """Return whether the scope needs attention."""
        return not PROBLEMS.isdisjoint(self.verdicts)


@dataclass(frozen=True, slots=True)
class MatrixArea:
    """The scopes of one product area, in alphabetical order."""

    name: str
    rows: tuple[MatrixRow, ...]

    @property
    def has_problem(self) -> bool:
        """Return whether a scope in the area has a problem."""
        return any(row.has_problem for row in self.rows)


@dataclass(frozen=True)
class VerdictMatrix:
    """Show verdicts by scope and site; areas with problems come first.

    `whole` is the number of scopes before filtering, `complete` is false if probing was cancelled,
    and `missing` is the number of missing results.
    """

    results: tuple[ProbeResult, ...]
    sites: tuple[str, ...]
    whole: int
    complete: bool = True
    missing: int = 0

    @cached_property
    def rows(self) -> tuple[MatrixRow, ...]:
        """Return one row for each scope, in alphabetical order."""
        found = {(result.scope, result.site): result.verdict for result in self.results}
        areas: dict[str, str] = {}
        for result in self.results:
            areas.setdefault(result.scope, result.area)
        return tuple(
            MatrixRow(scope, areas[scope], tuple(found.get((scope, site)) for site in self.sites))
            for scope in sorted(areas)
        )

    @cached_property
    def areas(self) -> tuple[MatrixArea, ...]:
        """Return the rows by product area, areas with problems first."""
        grouped: dict[str, list[MatrixRow]] = {}
        for row in self.rows:
            grouped.setdefault(row.area, []).append(row)
        areas = [MatrixArea(name, tuple(rows)) for name, rows in grouped.items()]
        return tuple(sorted(areas, key=lambda area: (not area.has_problem, area.name.lower())))

    @cached_property
    def counts(self) -> dict[Verdict, tuple[int, ...]]:
        """Return how often each verdict was found on each site, without those never found."""
        columns = list(zip(*(row.verdicts for row in self.rows), strict=True))
        counted = {v: tuple(column.count(v) for column in columns) for v in reversed(GRAVITY)}
        return {verdict: numbers for verdict, numbers in counted.items() if any(numbers)}

    @property
    def is_narrowed(self) -> bool:
        """Return whether scopes were filtered out."""
        return len(self.rows) < self.whole

    @property
    def headline(self) -> str:
        """State in one sentence how many verdicts there are and how many are problems."""
        verdicts = [verdict for row in self.rows for verdict in row.verdicts]
        problems = sum(verdict in PROBLEMS for verdict in verdicts)
        scopes = f"{len(self.rows)} of {self.whole}" if self.is_narrowed else str(self.whole)
        said = f"{counted(scopes, 'scope')} on {counted(len(self.sites), 'site')}"
        trouble = f"{counted(problems, 'verdict')} refused or failed" if problems else "no problems"
        unknown = sum(row.scope not in known_scopes() for row in self.rows)
        untried = 0 if problems else verdicts.count(Verdict.NOT_TRIED)
        odd = f", {counted(unknown, 'scope')} not known" if unknown else ""
        odd += f", {untried} not tried" if untried else ""
        if self.complete:
            return f"{said}: {trouble}{odd}."
        so_far = trouble if problems else "nothing refused or failed so far"
        return f"{said}: {so_far}{odd}; cancelled, {self.missing} missing."

    def where(
        self,
        *,
        text: str = "",
        verdict: str | Iterable[str] = (),
        area: str = "",
        problems: bool = False,
    ) -> VerdictMatrix:
        """Return the scopes that match all filters, on all sites.

        Each word of `text` must occur in the scope or its area, in upper or lower case. `verdict`
        is one or more values of `Verdict`, found on at least one site. `problems` keeps only scopes
        that were refused or failed.

        Raises:
            InputError: `unknown_filter`, with the verdicts or areas that exist.
        """
        wanted = _verdicts(verdict)
        only = self._area(area)
        words = text.lower().split()
        kept = {
            row.scope
            for row in self.rows
            if all(word in f"{row.scope} {row.area}".lower() for word in words)
            and (not wanted or not wanted.isdisjoint(row.verdicts))
            and (not only or row.area == only)
            and (not problems or row.has_problem)
        }
        results = tuple(result for result in self.results if result.scope in kept)
        return replace(self, results=results)

    def _area(self, name: str) -> str:
        """Return an area in its original spelling."""
        known = {area.name.lower(): area.name for area in self.areas}
        if name and name.lower() not in known:
            there = ", ".join(known.values()) or "none"
            raise InputError(
                "unknown_filter", f"There is no scope in the area {name!r}; there are: {there}."
            )
        return known[name.lower()] if name else ""

    def text(self, *, brief: bool = False, width: int = 0) -> str:
        """Return fixed-width text; `brief` combines scopes with the same verdict everywhere.

        With a `width` in characters, sites that don't fit on a line follow below.
        """
        return matrix_text(self, brief=brief, width=width)

    def html(self) -> str:
        """Return the matrix as HTML without scripts, including its style."""
        return matrix_html(self)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def verdict_matrix(report: ProbeReport) -> VerdictMatrix:
    """Return a report's matrix."""
    return VerdictMatrix(
        results=report.results,
        sites=report.sites,
        whole=len(report.scopes),
        complete=report.complete,
        missing=report.missing,
    )


def _verdicts(names: str | Iterable[str]) -> frozenset[Verdict]:
    given = [names] if isinstance(names, str) else list(names)
    try:
        return frozenset(Verdict(name) for name in given if name)
    except ValueError as error:
        known = ", ".join(Verdict)
        raise InputError("unknown_filter", f"{error}; there are: {known}.") from None


def matrix_html(matrix: VerdictMatrix) -> str:
    """Return the matrix with its style, counts above and evidence below."""
    return f'<div class="{ROOT}">{style()}{matrix_body(matrix)}{evidence_html(matrix)}</div>'


def matrix_body(matrix: VerdictMatrix) -> str:
    """Return the headline, the counts and the areas; areas with problems are unfolded."""
    headline = f"<p>{escape(matrix.headline)}</p>"
    if not matrix.rows:
        return headline
    areas = "".join(_area(area, matrix) for area in matrix.areas)
    return (
        f"{headline}{counts_html(matrix)}"
        '<div class="scroll areas" tabindex="0" role="group" aria-label="Verdicts, scope by site">'
        f"{areas}</div>"
    )


def counts_html(matrix: VerdictMatrix) -> str:
    """Return how often each verdict was found on each site; this is also the legend."""
    rows = "".join(
        f'<tr><th scope="row">{chip(verdict)} {MARKS[verdict].short}</th>'
        f"{''.join(f'<td>{number}</td>' for number in numbers)}</tr>"
        for verdict, numbers in matrix.counts.items()
    )
    return (
        '<div class="scroll counts" tabindex="0" role="group" aria-label="Verdicts by site">'
        f"<table>{_head('verdict', matrix.sites)}<tbody>{rows}</tbody></table></div>"
    )


def evidence_html(matrix: VerdictMatrix) -> str:
    """Return the unconfirmed verdicts, folded, with the server's error texts."""
    found = findings(matrix.results)
    if not found:
        return ""
    return (
        "<details><summary>Scopes that are not confirmed, with the evidence "
        f"({len(found)})</summary>"
        f"{findings_html(found, sites=matrix.sites)}</details>"
    )


def findings_html(found: Iterable[Unconfirmed], *, sites: Sequence[str]) -> str:
    """Return one row for each finding; `sites` are all probed sites."""
    rows = "".join(
        f'<tr><th scope="row">{scope_html(finding.scope)}</th>'
        f'<td class="mark">{chip(finding.verdict)}</td><td>{_sites(finding, sites)}</td>'
        f"<td>{escape(finding.call)}</td><td>{escape(finding.said)}</td></tr>"
        for finding in found
    )
    head = _head("scope", ("verdict", "sites", "call", "the server said"))
    return f'<table class="long">{head}<tbody>{rows}</tbody></table>'


def _sites(finding: Unconfirmed, sites: Sequence[str]) -> str:
    everywhere = len(finding.sites) == len(sites) > 1
    return "all sites" if everywhere else escape(" ".join(finding.sites))


def chip(verdict: Verdict, number: int | None = None) -> str:
    """Return a verdict's name on a background of its colour, with a count if there is one."""
    counted = "" if number is None else f" {number}"
    return f'<span class="chip {verdict}">{MARKS[verdict].name}{counted}</span>'


def scope_html(scope: str) -> str:
    """Return a scope that can wrap after underscores in a narrow column."""
    return escape(scope).replace("_", "_<wbr>")


def _area(area: MatrixArea, matrix: VerdictMatrix) -> str:
    found = Counter(verdict for row in area.rows for verdict in row.verdicts if verdict)
    chips = " ".join(chip(verdict, found[verdict]) for verdict in GRAVITY if found[verdict])
    columns = "<col>" * (len(matrix.sites) + 1)
    opened = " open" if area.has_problem or matrix.is_narrowed else ""
    scopes = counted(len(area.rows), "scope")
    return (
        f"<details{opened}><summary><strong>{escape(area.name)}</strong> ({scopes}) {chips}"
        f"</summary><table><colgroup>{columns}</colgroup>{_head('scope', matrix.sites)}"
        f"<tbody>{''.join(map(_row, area.rows))}</tbody></table></details>"
    )


def _row(row: MatrixRow) -> str:
    cells = "".join(map(_cell, row.verdicts))
    return f'<tr><th scope="row">{scope_html(row.scope)}</th>{cells}</tr>'


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return f"<td>{MISSING}</td>"
    mark = MARKS[verdict]
    return f'<td class="{verdict}" title="{mark.name}">{mark.short}</td>'


def _head(first: str, others: Iterable[str]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in (first, *others))
    return f"<thead><tr>{names}</tr></thead>"


def matrix_text(matrix: VerdictMatrix, *, brief: bool, width: int = 0) -> str:
    """Return the counts, which also serve as the legend, then the scopes by area.

    With Datadog's nine sites and longest scope, a line is 100 characters long.
    """
    if not matrix.rows:
        return matrix.headline
    lines = [matrix.headline]
    for grid in _Grid(matrix, slice(None)).within(width):
        lines += ["", *grid.counts(), "", *(grid.brief() if brief else grid.full())]
    return "\n".join(line.rstrip() for line in lines)


class _Grid:
    """The column widths for some of the sites; formats lines."""

    def __init__(self, matrix: VerdictMatrix, places: slice) -> None:
        self.matrix, self.places = matrix, places
        self.sites = matrix.sites[places]
        self.labels = {
            verdict: f"{MARKS[verdict].short:<{_SHORT}}  {MARKS[verdict].name}"
            for verdict in matrix.counts
        }
        names = [f"  {row.scope}" for row in matrix.rows]
        self.first = max(
            map(len, (*names, *(area.name for area in matrix.areas), *self.labels.values())),
            default=0,
        )
        self.widths = [max(len(site), _SHORT) for site in self.sites]
        self.head = self.line("", self.sites)

    def within(self, width: int) -> Iterator[_Grid]:
        """Yield grids of at most this width, each with at least one site."""
        begin, room = 0, width - self.first
        for end, needed in enumerate(self.widths):
            room -= needed + 1
            if width and room < 0 and end > begin:
                yield _Grid(self.matrix, slice(begin, end))
                begin, room = end, width - self.first - needed - 1
        yield _Grid(self.matrix, slice(begin, None))

    def line(self, first: str, cells: Sequence[str]) -> str:
        fitted = (f"{cell:<{width}}" for cell, width in zip(cells, self.widths, strict=True))
        return " ".join((f"{first:<{self.first}}", *fitted))

    def row(self, row: MatrixRow) -> str:
        cells = [_short(verdict) for verdict in row.verdicts[self.places]]
        return self.line(f"  {row.scope}", cells)

    def counts(self) -> Iterator[str]:
        yield self.head
        for verdict, numbers in self.matrix.counts.items():
            cells = [str(number) for number in numbers[self.places]]
            yield self.line(self.labels[verdict], cells)

    def full(self) -> Iterator[str]:
        since = _HEAD_AGAIN
        for area in self.matrix.areas:
            again = since >= _HEAD_AGAIN
            yield self.line(area.name, self.sites) if again else area.name
            yield from (self.row(row) for row in area.rows)
            since = (0 if again else since) + 1 + len(area.rows)

    def brief(self) -> Iterator[str]:
        for area in self.matrix.areas:
            mixed = [row for row in area.rows if not row.is_uniform]
            yield self.line(area.name, self.sites) if mixed else area.name
            yield from (self.row(row) for row in mixed)
            yield from _everywhere(area)


def _everywhere(area: MatrixArea) -> Iterator[str]:
    """Yield a paragraph for each verdict that scopes in the area have on every site."""
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
