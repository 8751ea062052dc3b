"""Choose scopes and sites, probe them, and watch the table grow."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.without_threads import threads_exist
from ddoauth_kit.workbook.lab.backend import Mode
from ddoauth_kit.workbook.lab.without_sockets import run_inline
from ddoauth_kit.workbook.panels.checks import Checks
from ddoauth_kit.workbook.panels.matrix_filter import FilterableMatrix
from ddoauth_kit.workbook.panels.panel import Panel, button, row
from ddoauth_kit.workbook.show.cards import Skipped
from ddoauth_kit.workbook.verdicts.probe_tables import ProbeTables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.probe_run import ProbeProgress, Probing
    from ddoauth_kit.workbook.lab.lab import Lab

GLANCE: Final = 0.5
NOT_YET: Final = "No probes have run yet; in a cell, run `lab.scopes.probe()`."


class ProbePanel(Panel):
    """Runs and cancels probes; `probes` has the results so far, as `lab.scopes.probe` returns them.

    Initially, the scopes that a cell has probed are selected, or else all of the client's scopes on
    the lab's site.

    In live mode, only the lab's own site is offered, because each site has its own credentials.
    """

    def __init__(self, lab: Lab, probes: ProbeTables | None = None) -> None:
        super().__init__()
        self._lab = lab
        self.probes = probes
        self._probing: Probing | None = None
        self._cancelled = False
        self._shown_at = 0.0
        self._matrix: FilterableMatrix | None = None
        self._table = widgets.VBox()
        live = lab.backend.mode is Mode.LIVE
        sites = (lab.site.name,) if live else lab.oauth.sites.names
        probed = probes.report.results if probes else ()
        scopes = {each.scope for each in probed} or lab.registration.scopes
        self._scopes = Checks("Scopes", lab.registration.scopes, scopes)
        self._sites = Checks("Sites", sites, {each.site for each in probed} or {lab.site.name})
        self._run = button("Run probes", self.run, tooltip="Probe the chosen scopes and sites")
        self._stop = button("Cancel", self.cancel, tooltip="Stop, and keep the results so far")
        self._stop.disabled = True
        self._bar = widgets.IntProgress(description="Progress", max=1)
        if probes is not None:
            self._show(probes)

    @property
    def value(self) -> object:
        """Return a statement that nothing has been probed; results have their own matrix."""
        return Skipped(NOT_YET, state="not yet")

    def text(self) -> str:
        """Return the matrix as text."""
        return self.probes.matrix.text() if self.probes else super().text()

    def html(self) -> str:
        """Return the matrix as HTML."""
        return self.probes.matrix.html() if self.probes else super().html()

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the fields, the buttons, the progress bar and the table."""
        fields = row(self._scopes, self._sites)
        return (fields, row(self._run, self._stop, self._bar), self._table)

    def run(self) -> None:
        """Probe the selection, as `lab.scopes.probe` does, one run at a time."""
        self.start(self._probe)

    def cancel(self) -> None:
        """Stop soon, and keep the results."""
        self._cancelled = True
        if self._probing is not None:
            self._probing.cancel()

    def _probe(self) -> None:
        scopes, sites = tuple(self._scopes.value), tuple(self._sites.value)
        if not scopes or not sites:
            self.say("Choose at least one scope and one site.")
            return
        self._cancelled = False
        self._run.disabled, self._stop.disabled = True, False
        self._bar.value, self._bar.max = 0, len(scopes) * len(sites)
        self.say("Getting tokens.")
        try:
            self._probing = self._lab.scopes.probing(*scopes, sites=sites, watch=self._watch)
            if self._cancelled:
                self._probing.cancel()
            run = asyncio.run if threads_exist() else run_inline
            report = run(self._probing.run())
            done = len(report.results)
            if done:
                self._show(ProbeTables(report))
            ended = "Cancelled" if self._cancelled else "Done"
            self.say(f"{ended}: {done} of {self._bar.max} probed.{_reason(report)}")
        finally:
            self._probing = None
            self._run.disabled, self._stop.disabled = False, True

    def _watch(self, progress: ProbeProgress) -> None:
        self._bar.value = progress.done
        if self._probing is not None and time.monotonic() - self._shown_at > GLANCE:
            self._show(ProbeTables(self._probing.report()))
            self._shown_at = time.monotonic()

    def _show(self, probes: ProbeTables) -> None:
        self.probes = probes
        if self._matrix is None:
            self._matrix = FilterableMatrix(probes.matrix)
            self._table.children = (self._matrix.panel,)
        else:
            self._matrix.show(probes.matrix)


def _reason(report: ProbeReport) -> str:
    """Return the reason that every probe failed, if they all share one."""
    reasons = {(result.verdict, result.evidence) for result in report.results}
    verdict, evidence = reasons.pop() if len(reasons) == 1 else ("", "")
    return f" {evidence}" if verdict == Verdict.FAILED else ""
