"""Readiness reports the evidence, says what is missing, and shows no secret to anybody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import registration

from ddoauth_kit.grading.reports.written import write_grade
from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.results import CheckResult, GradeReport
from ddoauth_kit.grading.results import Verdict as Graded
from ddoauth_kit.grading.settings import SettingsError
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.publishing.folder_check import check_folder
from ddoauth_kit.publishing.uninstallation import uninstallation_section
from ddoauth_kit.workbook import Lab, open_lab, open_sandbox_lab
from ddoauth_kit.workbook.lessons.lesson_tables import folder_findings
from ddoauth_kit.workbook.submission.example_folder import example_folder
from ddoauth_kit.workbook.submission.publication import DeveloperPage, switch_to
from ddoauth_kit.workbook.submission.readiness import Readiness, readiness
from ddoauth_kit.workbook.submission.readiness_evidence import public_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "c0ffee" * 5 + "42"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open a lab that nothing was done in."""
    with open_lab("us3") as opened:
        yield opened


def _ready(report: Readiness) -> dict[str, str]:
    return {entry.requirement: str(entry.ready) for entry in report.entries}


def test_nothing_done_is_nothing_seen(lab: Lab) -> None:
    """A fresh lab has no steps and no data flow, and each open row says what to do."""
    report = readiness(lab)
    ready = _ready(report)
    assert not report.is_ready
    assert {ready[step] for step in ("authorized", "API key created", "data sent")} == {"not seen"}
    assert ready["data flow for metrics_read"] == "not seen"
    assert report.missing.frame["next"].str.len().min() > 0


def test_what_was_done_is_seen_where_it_was_done(lab: Lab) -> None:
    """After the steps on one site each is met there, with the request as evidence."""
    tokens = lab.refresh(lab.connect())
    lab.send_data(lab.api_key(tokens))
    lab.revoke(tokens)
    entries = {entry.requirement: entry for entry in readiness(lab).entries}
    for step in ("authorized", "API key created", "data sent", "refreshed", "revoked"):
        assert (str(entries[step].ready), entries[step].sites) == ("yes", ("us3",)), step
    assert "POST /api/v2/series: 202" in entries["data sent"].evidence
    assert entries["revoked"].when.endswith("+00:00")


@pytest.mark.parametrize(
    ("verdict", "ready"),
    [
        (Graded.MET, "yes"),
        (Graded.RISK, "by hand"),
        (Graded.NOT_TESTED, "not seen"),
        (Graded.BROKEN, "no"),
    ],
)
def test_a_grade_of_the_own_server_is_evidence(
    lab: Lab, tmp_path: Path, verdict: Graded, ready: str
) -> None:
    """The grade and its headline count, from the value and from the folder that was written."""
    requirement = REQUIREMENTS["denied"]
    result = CheckResult(requirement=requirement, verdict=verdict, expected="x", actual="y")
    grade = GradeReport(results=(result,), sites=("us1",), connects=2, seconds=1.0)
    write_grade(grade, out=tmp_path)
    for given in (grade, tmp_path):
        report = readiness(lab, grade=given)
        entry = next(e for e in report.entries if e.requirement == "own server graded")
        assert (str(entry.ready), entry.evidence) == (ready, grade.headline)
    assert "own server graded" not in _ready(readiness(lab))


def test_a_folder_without_a_grading_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Evidence that cannot be read counts for nothing, and the message names the file."""
    with pytest.raises(SettingsError, match="is not the report of a grading"):
        readiness(lab, grade=tmp_path)


def test_another_client_proves_nothing() -> None:
    """What the private client did is no evidence for the published one."""
    with open_sandbox_lab(private=True) as private:
        private.connect()
        page = DeveloperPage(private)
        page.publish()
        published = switch_to(private, page.take_over())
        assert _ready(readiness(private))["authorized"] == "yes"
        assert _ready(readiness(published, private))["authorized"] == "not seen"


@pytest.mark.parametrize(
    ("verdict", "ready"),
    [
        (Verdict.CONFIRMED, "yes"),
        (Verdict.LET_THROUGH, "yes"),
        (Verdict.REFUSED, "no"),
        (Verdict.FAILED, "no"),
        (Verdict.NOT_TRIED, "not seen"),
        (Verdict.INCONCLUSIVE, "by hand"),
        (Verdict.NO_OPERATION, "by hand"),
        (Verdict.NOT_OAUTH, "by hand"),
    ],
)
def test_data_flow_is_what_the_probe_proved(lab: Lab, verdict: Verdict, ready: str) -> None:
    """A verdict that proves nothing is never a yes."""
    report = lab.scopes.probe("metrics_read").report
    report = replace(report, results=(replace(report.results[0], verdict=verdict),))
    assert _ready(readiness(lab, probes=report))["data flow for metrics_read"] == ready


def test_words_never_outvote_what_was_seen(lab: Lab) -> None:
    """A person may state what no program sees, and is named; a no stays a no."""
    stated = {"test authorization": "opened our page", "public addresses": "they are"}
    entries = {entry.requirement: entry for entry in readiness(lab, stated=stated).entries}
    assert entries["test authorization"].evidence == "stated by a person: opened our page"
    assert entries["test authorization"].ready == "yes"
    assert entries["public addresses"].ready == "no"


@pytest.mark.parametrize(
    ("redirect", "onboarding", "ready"),
    [
        ("https://acme.com/cb", "https://acme.com/on", "yes"),
        ("https://acme.com/cb", "http://127.0.0.1/on", "no"),
        ("https://localhost/cb", "https://acme.com/on", "no"),
        ("https://acme.example/cb", "https://acme.com/on", "by hand"),
        ("https://acme.com/cb", "https://staging.acme.com/on", "by hand"),
        ("https://acme.example/cb", "http://localhost/on", "no"),
    ],
)
def test_addresses_count_as_in_the_checks(redirect: str, onboarding: str, ready: str) -> None:
    """An address on this machine is a no; a person judges a name that looks like a test."""
    client = registration(redirect_uris=(redirect,), onboarding_url=onboarding)
    entry = public_addresses(client, "")
    assert str(entry.ready) == ready
    assert bool(entry.fix) == (ready != "yes")


def test_no_secret_in_any_form(lab: Lab, tmp_path: Path) -> None:
    """Secrets in statements, probes or stores are masked in the table, the page and the JSON."""
    tokens = lab.connect()
    api_key = lab.api_key(tokens)
    secret, token = lab.registration.secret.reveal(), tokens.refresh_token
    assert api_key
    assert token is not None
    words = f"{CANARY} {secret} {token.reveal()} {api_key.key.reveal()} <b>\n"
    report = lab.scopes.probe("metrics_read").report
    report = replace(report, results=(replace(report.results[0], path=f"/{CANARY}"),))
    ready = readiness(lab, probes=report, stated={"test authorization": words})
    files = "".join(path.read_text("utf-8") for path in ready.save(tmp_path / "new"))
    shown = files + repr(ready) + repr(ready.missing) + ready.table.html()
    for canary in (CANARY, secret, token.reveal(), api_key.key.reveal()):
        assert canary not in shown
    assert "stated by a person" in shown


def test_the_page_runs_and_loads_nothing(lab: Lab) -> None:
    """It has no script, no address to load from, and no markup out of evidence."""
    page = readiness(lab, stated={"test authorization": "<script src=x>"}).html()
    assert "<script" not in page
    assert not re.search(r"\b(?:src|href)=", page.replace("&lt;script src=x&gt;", ""))
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page


def test_json_says_what_the_table_says(lab: Lab, tmp_path: Path) -> None:
    """The file has every entry, and whether it is ready."""
    ready = readiness(lab)
    _, path = ready.save(tmp_path)
    content = json.loads(path.read_text("utf-8"))
    assert [row["requirement"] for row in content["requirements"]] == [
        entry.requirement for entry in ready.entries
    ]
    assert content["ready"] is False
    assert content["evidence_from"] == "the sandbox in this kernel"


def test_the_example_lacks_what_publishing_adds(lab: Lab) -> None:
    """Without the section the check finds it missing; with it the manifest's pointer is left."""
    section = uninstallation_section(lab.registration.name)
    with example_folder(lab.registration) as folder:
        bare = check_folder(folder)
    with example_folder(lab.registration, section=section) as folder:
        written = check_folder(folder)
    with example_folder(lab.registration, section=section, app_uuid="") as folder:
        unnamed = check_folder(folder)
    assert not folder.exists()
    added = {"readme-uninstallation"}
    assert {f.rule.id for f in bare.findings} - {f.rule.id for f in written.findings} == added
    assert "manifest-app-uuid" in set(folder_findings(unnamed).frame["rule"])
    assert _ready(readiness(lab, check=written))["folder checked"] == "no"
    passed = replace(written, findings=())
    assert _ready(readiness(lab, check=passed))["folder checked"] == "yes"
