"""Run lessons for several sites from inside a lesson, and show the results as tables."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.binder import in_a_tab
from ddoauth_kit.errors import InputError
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.comparison import ABSENT, EarlierRun, compare, results_of
from ddoauth_kit.workbook.runs.ledger import Ledger
from ddoauth_kit.workbook.runs.outcome import RunOutcome
from ddoauth_kit.workbook.runs.run_matrix import RunClient, RunSettings, client_of_file, matrix
from ddoauth_kit.workbook.show.result_table import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun

KERNELS: Final = 2
_CODE: Final = re.compile(r"\w+: \[(?P<code>[a-z_]+)\] (?P<said>.*)")


@dataclass(frozen=True, slots=True, repr=False)
class LessonRuns:
    """The results of lessons on several sites; a notebook shows the matrix, without times."""

    runs: list[NotebookRun]
    written: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return repr(self.matrix)

    def _repr_mimebundle_(self, **options: object) -> Any:  # noqa: ANN401 - what Jupyter takes
        return self.matrix._repr_mimebundle_(**options)

    @property
    def matrix(self) -> ResultTable:
        """Return one row per lesson and one column per site: `passed` or `failed`."""
        lessons: dict[str, dict[str, object]] = {}
        for run in self.runs:
            lessons.setdefault(run.notebook, {"notebook": run.notebook})[run.site] = run.status
        return ResultTable("runs", list(lessons.values()))

    @property
    def failures(self) -> ResultTable:
        """Return the failures; columns: `notebook`, `site`, `code`, `what happened`."""
        failed = [run for run in self.runs if run.status == "failed"]
        return ResultTable("failures", [_failure(run) for run in failed])

    @property
    def files(self) -> ResultTable:
        """Return the written files, with `*` for the site; columns: `file`, `how many`."""
        sites = "|".join(re.escape(run.site) for run in self.runs)
        names = [re.sub(rf"\.(?:{sites})\.", ".*.", name) for name in self.written]
        rows = [{"file": name, "how many": names.count(name)} for name in dict.fromkeys(names)]
        return ResultTable("files", rows)

    def table(self, name: str) -> ResultTable:
        """Return a table from the lessons, for all sites; the first column is `site`."""
        rows = [{"site": run.site, **row} for run in self.runs for row in run.tables.get(name, ())]
        return ResultTable(f"{name} by site", rows)

    def difference(self, earlier: LessonRuns) -> ResultTable:
        """Return the differences from an earlier run; columns: `what`, `before`, `now`."""
        before = EarlierRun("earlier", 0.0, results_of(earlier.runs), {})
        found = compare(self.runs, verdicts=(), earlier=before)
        rows = [{"what": c.what, "before": c.before, "now": c.now} for c in found.differences]
        for part in found.parts:
            words = (ABSENT, "there") if part.now else ("there", ABSENT)
            rows.append({"what": part.name, "before": words[0], "now": words[1]})
        return ResultTable("differences", rows)


def run_lessons(*lessons: str, sites: str | Iterable[str] = "all", client: str = "") -> LessonRuns:
    """Run each lesson on each site in the sandbox, in a separate kernel, two at a time.

    It works like `ddoauth run`, but passes site names on unchanged and deletes the files before it
    returns. `sites` is a list of names, a string of names separated by spaces, or `all`; `client`
    is the path of an `oauth_clients.json`.

    Raises:
        InputError: `unknown_notebook`, `bad_client_file` or `no_processes`; nothing ran.
    """
    refuse_in_a_tab("run lessons in their own kernels")
    from ddoauth_kit.workbook.runs.local_runner import LocalRunner  # these two load Jupyter's parts
    from ddoauth_kit.workbook.runs.written_results import write_results

    cases = matrix(
        find_notebooks(list(lessons)),
        sites=_names(sites),
        clients=[client_of_file(client) if client else RunClient()],
    )
    settings = RunSettings()
    begun, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    with TemporaryDirectory(prefix="ddoauth-lesson-") as folder:
        out = Path(folder)
        ledger = Ledger(out, settings=settings)
        LocalRunner(jobs=KERNELS).run(cases, settings=settings, out=out, done=ledger.add)
        seconds = round(time.perf_counter() - begun, 2)
        runs = ledger.runs(cases)
        write_results(
            RunOutcome(cases=cases, runs=runs, settings=settings, started=started, seconds=seconds),
            out=out,
        )
        written = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    return LessonRuns(runs, written)


def _names(sites: str | Iterable[str]) -> tuple[str, ...]:
    if sites == "all":
        return DATADOG_SITES.names
    return tuple(sites.split() if isinstance(sites, str) else sites)


def _failure(run: NotebookRun) -> dict[str, str]:
    """Return the row for a failure; only the kit's own errors have a code."""
    found = _CODE.match(run.error)
    return {
        "notebook": run.notebook,
        "site": run.site,
        "code": found["code"] if found else "",
        "what happened": found["said"].split(". ")[0] + "." if found else run.error,
    }


def refuse_in_a_tab(what: str) -> None:
    """Refuse work that needs processes if this runs in a browser tab.

    Raises:
        InputError: `no_processes`.
    """
    if in_a_tab():
        raise InputError("no_processes", f"A browser tab has no processes, so it can't {what}.")
