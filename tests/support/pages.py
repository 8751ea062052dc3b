"""Write the final pages that people read, exactly as the programs write them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import urlopen

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.grading.reports.comparison import VerdictChange
from ddoauth_kit.grading.reports.page import grade_page
from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.results import CheckResult, GradeReport
from ddoauth_kit.grading.results import Verdict as Graded
from ddoauth_kit.oauth.callback import callback_pages
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.outcome import RunOutcome
from ddoauth_kit.workbook.runs.run_matrix import NotebookRun, RunClient, RunSettings, matrix
from ddoauth_kit.workbook.runs.run_report import report
from ddoauth_kit.workbook.verdicts import ProbeTables
from support.reports import SITES, report_on

if TYPE_CHECKING:
    from pathlib import Path

FAILURE = "TokenError: [invalid_grant] The code was refused.\nThe server said: invalid_grant."


def finished_run(*, every: int) -> RunOutcome:
    """Return a run of all lessons on nine sites with every verdict, in which one lesson failed."""
    probes = report_on(SITES, every=every)
    cases = matrix(find_notebooks(), sites=probes.sites, clients=[RunClient("Acme", "")])
    runs = [
        NotebookRun(
            notebook=case.notebook.stem,
            site=case.site,
            client=case.client.label,
            status="passed" if number else "failed",
            seconds=1.5 + number,
            error="" if number else FAILURE,
            output=f"{case.name}.ipynb",
            tables={"verdicts": [r.as_dict() for r in probes.results if r.site == case.site]}
            if case.notebook.stem.startswith("05")
            else {},
        )
        for number, case in enumerate(cases)
    ]
    return RunOutcome(cases, runs, RunSettings(), "2026-01-02T03:04:05+00:00", 12.5, findings=[])


def finished_grade() -> GradeReport:
    """Return a grading report with every requirement and every verdict."""
    verdicts = list(Graded)
    results = tuple(
        CheckResult(
            requirement=requirement,
            verdict=verdicts[number % len(verdicts)],
            expected=requirement.sentence,
            actual="The token request came to app.datadoghq.com.",
            evidence=("#12 POST app.datadoghq.com/api/v2/oauth2/token 404",) * 2,
            excerpt="500 Something failed",
            reason="[call] is missing from the settings." if number % 2 else "",
        )
        for number, requirement in enumerate(REQUIREMENTS.values())
    )
    return GradeReport(
        results=results,
        sites=("us1", "eu1"),
        connects=61,
        seconds=48.5,
        tolerated=("no-pkce: the sandbox let an authorization request without PKCE pass",),
        left_out={"login-required": "our gateway asks for the login"},
        notes=("A note.",),
    )


def finished_pages(folder: Path, *, every: int) -> dict[str, Path]:
    """Return the files by name: the report, the verdicts, consent, and a browser's final page.

    They show every nth scope; if `n` is three or less, each verdict occurs.
    """
    facts = {"Organization": "Acme (us1)", "Site": "us1 (datadoghq.com)", "Granted scopes (1)": "x"}
    denied = AuthorizationError("access_denied", "The customer said no.")
    ends = {
        "authorized": callback_pages.success_page(facts),
        "denied": callback_pages.error_page(denied, waits=False),
        "answered": callback_pages.answered_page(),
        "stranger": callback_pages.refusal(404),
    }
    texts = {name: reply.body.decode() for name, reply in ends.items()}
    texts["report"] = report(finished_run(every=every))
    texts["grade"] = grade_page(
        finished_grade(), changed=(VerdictChange("denied", Graded.BROKEN, Graded.MET),)
    )
    ProbeTables(report_on(SITES, every=every)).save(folder / "verdicts")
    with Sandbox() as sandbox:
        app = sandbox.endpoints["us1"]["app_url"]
        for page in ("integrations", "developer", "organization-settings/app-scopes"):
            with urlopen(f"{app}/{page}") as answer:
                texts[page.rpartition("/")[2]] = answer.read().decode()
    written = {name: folder / f"{name}.html" for name in texts}
    for name, text in texts.items():
        written[name].write_text(text, encoding="utf-8")
    return {**written, "verdicts": folder / "verdicts" / "verdicts.html"}
