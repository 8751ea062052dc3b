"""All views of a probe report; a notebook cell shows the matrix."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.result_files import write_text
from ddoauth_kit.workbook.show.result_table import TABLE_MIME, ResultTable
from ddoauth_kit.workbook.verdicts.csv_and_json import as_csv, as_json, masked
from ddoauth_kit.workbook.verdicts.difference import Difference, difference
from ddoauth_kit.workbook.verdicts.latency import latency_table
from ddoauth_kit.workbook.verdicts.matrix import VerdictMatrix, verdict_matrix
from ddoauth_kit.workbook.verdicts.probe_table import verdict_frame, verdict_rows
from ddoauth_kit.workbook.verdicts.unconfirmed import findings, findings_frame, findings_rows
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.verdict import Verdict
    from ddoauth_kit.workbook.show.result_table import Bundle
    from ddoauth_kit.workbook.verdicts.saved_results import Source
    from ddoauth_kit.workbook.verdicts.svg import Picture

_VOLATILE = ("seconds",)


class ProbeTables:
    """A probe report as tables and pictures, each created on first use.

    In a cell, it shows the matrix and passes the rows to the program that runs the notebook.
    """

    def __init__(self, report: ProbeReport) -> None:
        self.report = masked(report)

    @cached_property
    def rows(self) -> ResultTable:
        """Return one row for each site and scope; `rows.frame` is `verdict_frame`."""
        return ResultTable(
            "verdicts",
            verdict_rows(self.report),
            volatile=_VOLATILE,
            framed=lambda: verdict_frame(self.report),
        )

    @cached_property
    def matrix(self) -> VerdictMatrix:
        """Return the verdicts by scope and site."""
        return verdict_matrix(self.report)

    @cached_property
    def counts(self) -> ResultTable:
        """Return how often each verdict was found: `verdict`, and a column for each site."""
        rows = [
            {"verdict": str(verdict), **dict(zip(self.matrix.sites, numbers, strict=True))}
            for verdict, numbers in self.matrix.counts.items()
        ]
        return ResultTable("verdict_counts", rows)

    @cached_property
    def by_verdict(self) -> ResultTable:
        """Return what each verdict proves, best first, with the number of scopes and an example."""
        return ResultTable("by_verdict", [*map(self._verdict_row, self.matrix.counts)])

    def _verdict_row(self, verdict: Verdict) -> dict[str, object]:
        scopes = [row.scope for row in self.matrix.rows if verdict in row.verdicts]
        mark = MARKS[verdict]
        return {
            "mark": mark.short,
            "verdict": mark.name,
            "scopes": len(scopes),
            "for example": scopes[0],
            "what it proves": mark.meaning,
        }

    @cached_property
    def not_confirmed(self) -> ResultTable:
        """Return the unconfirmed verdicts, worst first; sites with equal responses share a row."""
        found = findings(self.report.results)
        return ResultTable(
            "not_confirmed", findings_rows(found), framed=lambda: findings_frame(found)
        )

    @cached_property
    def picture(self) -> Picture:
        """Return the matrix as SVG."""
        from ddoauth_kit.workbook.verdicts.picture import verdict_picture

        return verdict_picture(self.matrix)

    @cached_property
    def latency(self) -> ResultTable:
        """Return how long each site took; `latency.text(everything=True)` shows the times."""
        return latency_table(self.report)

    def where(
        self,
        *,
        text: str = "",
        verdict: str | Iterable[str] = (),
        area: str = "",
        problems: bool = False,
    ) -> VerdictMatrix:
        """Return the part of the matrix that matches all filters.

        Raises:
            InputError: `unknown_filter`, with the verdicts or areas that exist.
        """
        return self.matrix.where(text=text, verdict=verdict, area=area, problems=problems)

    def difference(self, earlier: Source) -> Difference:
        """Return the changes since an earlier run: a report, a frame, rows or a saved file.

        Raises:
            InputError: `bad_probe_rows` if something does not contain probe results.
        """
        return difference(earlier, self.report)

    def save(self, folder: str | Path, *, earlier: Source | None = None) -> tuple[Path, ...]:
        """Write `verdicts.csv`, `.json`, `.svg` and `.html` (with changes), and return the paths.

        Raises:
            InputError: `bad_output_folder`, or `bad_probe_rows` if something does not contain probe
            results.
        """
        from ddoauth_kit.workbook.verdicts.verdict_page import as_page

        changed = None if earlier is None else self.difference(earlier)
        texts = {
            "csv": as_csv(self.report),
            "json": as_json(self.report),
            "svg": self.picture.svg,
            "html": as_page(self.report, difference=changed),
        }
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return tuple(write_text(folder / f"verdicts.{end}", t) for end, t in texts.items())
        except OSError as error:
            what = f"Nothing can be written to {quoted_path(folder)}: {error.strerror or error}."
            raise InputError("bad_output_folder", what) from None

    def __len__(self) -> int:
        return len(self.report.results)

    def __repr__(self) -> str:
        return self.matrix.text()

    def _repr_html_(self) -> str:
        return self.matrix.html()

    def _repr_mimebundle_(self, **_options: object) -> tuple[Bundle, Bundle]:
        data, metadata = self.rows.as_json()
        shown = {"text/plain": repr(self), "text/html": self._repr_html_(), TABLE_MIME: data}
        return shown, {TABLE_MIME: metadata}
