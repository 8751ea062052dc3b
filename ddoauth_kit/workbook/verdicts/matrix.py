"""Arrange verdicts scope by site, grouped by product area, and narrow them to what is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ddoauth_kit.api.verdicts import PROBLEMS, Verdict
from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.verdicts.marks import GRAVITY
from ddoauth_kit.workbook.verdicts.matrix_html import matrix_html
from ddoauth_kit.workbook.verdicts.matrix_text import matrix_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.api.probe_report import ProbeReport
    from ddoauth_kit.api.verdicts import ProbeResult


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """Hold one scope's verdicts in the order of the sites; None where a result is missing."""

    scope: str
    area: str
    verdicts: tuple[Verdict | None, ...]

    @property
    def is_uniform(self) -> bool:
        """Tell whether the verdict is the same on every site."""
        return len(set(self.verdicts)) == 1

    @property
    def has_problem(self) -> bool:
        """Tell whether somebody must look at it."""
        return not PROBLEMS.isdisjoint(self.verdicts)


@dataclass(frozen=True, slots=True)
class MatrixArea:
    """Hold the scopes of one product area, in alphabetical order."""

    name: str
    rows: tuple[MatrixRow, ...]

    @property
    def has_problem(self) -> bool:
        """Tell whether a scope of the area has a problem."""
        return any(row.has_problem for row in self.rows)


@dataclass(frozen=True)
class VerdictMatrix:
    """Show verdicts scope by site; areas with problems stand first, then the alphabet decides.

    `whole` is the number of scopes before anything was narrowed, `complete` is false when probing
    was cancelled.
    """

    results: tuple[ProbeResult, ...]
    sites: tuple[str, ...]
    whole: int
    complete: bool = True

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
        """Return how often each verdict was found on each site; only verdicts that occur."""
        columns = list(zip(*(row.verdicts for row in self.rows), strict=True))
        counted = {v: tuple(column.count(v) for column in columns) for v in reversed(GRAVITY)}
        return {verdict: numbers for verdict, numbers in counted.items() if any(numbers)}

    @property
    def is_narrowed(self) -> bool:
        """Tell whether scopes were left out."""
        return len(self.rows) < self.whole

    @property
    def headline(self) -> str:
        """Return in a sentence how much this is, and how much of it is trouble."""
        verdicts = [verdict for row in self.rows for verdict in row.verdicts]
        problems = sum(verdict in PROBLEMS for verdict in verdicts)
        scopes = f"{len(self.rows)} of {self.whole}" if self.is_narrowed else str(self.whole)
        said = f"{_count(scopes, 'scope')} on {_count(len(self.sites), 'site')}"
        trouble = f"{_count(problems, 'verdict')} refused or failed" if problems else "no problem"
        cut = f"; cancelled, {verdicts.count(None)} missing" if not self.complete else ""
        return f"{said}: {trouble}{cut}."

    def where(
        self,
        *,
        text: str = "",
        verdict: str | Iterable[str] = (),
        area: str = "",
        problems: bool = False,
    ) -> VerdictMatrix:
        """Return the scopes that fit everything asked for, on all sites.

        Each word of `text` must be in the scope or its area, in any case. `verdict` is one or more
        of `Verdict`, found on at least one site. `problems` keeps what was refused or failed.

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
        """Return the area's own spelling."""
        known = {area.name.lower(): area.name for area in self.areas}
        if name and name.lower() not in known:
            there = ", ".join(known.values()) or "none"
            raise InputError(
                "unknown_filter", f"No scope is of the area {name!r}; there is: {there}."
            )
        return known[name.lower()] if name else ""

    def text(self, *, brief: bool = False) -> str:
        """Return it in fixed width; `brief` folds scopes whose verdict is the same everywhere."""
        return matrix_text(self, brief=brief)

    def html(self) -> str:
        """Return it as HTML that needs no script and carries its style with it."""
        return matrix_html(self)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def verdict_matrix(report: ProbeReport) -> VerdictMatrix:
    """Return the matrix of a report."""
    return VerdictMatrix(
        results=report.results,
        sites=report.sites,
        whole=len(report.scopes),
        complete=report.complete,
    )


def _verdicts(names: str | Iterable[str]) -> frozenset[Verdict]:
    given = [names] if isinstance(names, str) else list(names)
    try:
        return frozenset(Verdict(name) for name in given if name)
    except ValueError as error:
        known = ", ".join(Verdict)
        raise InputError("unknown_filter", f"{error}; there is: {known}.") from None


def _count(number: int | str, noun: str) -> str:
    return f"{number} {noun}{'' if str(number) == '1' else 's'}"
