"""A difference names what changed between two runs, and whether for the better."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.markup import read_html
from support.reports import full_report, report_on, with_verdict

from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.workbook.verdicts import as_csv, as_json, difference, verdict_frame
from ddoauth_kit.workbook.verdicts.difference import Meaning

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = "monitors_read"


@pytest.mark.parametrize(
    ("before", "after", "meaning"),
    [
        (Verdict.CONFIRMED, Verdict.REFUSED, Meaning.WORSE),
        (Verdict.CONFIRMED, Verdict.LET_THROUGH, Meaning.WORSE),
        (Verdict.LET_THROUGH, Verdict.NOT_ON_SITE, Meaning.WORSE),
        (Verdict.INCONCLUSIVE, Verdict.FAILED, Meaning.WORSE),
        (Verdict.REFUSED, Verdict.CONFIRMED, Meaning.BETTER),
        (Verdict.FAILED, Verdict.NOT_OAUTH, Meaning.BETTER),
        (Verdict.NO_OPERATION, Verdict.LET_THROUGH, Meaning.BETTER),
        (Verdict.REFUSED, Verdict.FAILED, Meaning.CHANGED),
        (Verdict.INCONCLUSIVE, Verdict.RATE_LIMITED, Meaning.CHANGED),
    ],
)
def test_what_a_change_means(before: Verdict, after: Verdict, meaning: Meaning) -> None:
    """Granted is better than unknown, unknown better than refused; the rest is just another."""
    earlier = with_verdict(report_on(["us1"]), before, site="us1", scope="apm_read")
    later = with_verdict(report_on(["us1"]), after, site="us1", scope="apm_read")
    (change,) = difference(earlier, later).changes
    assert (change.before, change.after, change.meaning) == (before, after, meaning)
    assert change.evidence == "changed on purpose"


def test_no_change_is_said() -> None:
    """A run compared with itself, or with one that took longer, has no difference."""
    slow = tuple(replace(result, seconds=9.0) for result in full_report().results)
    found = difference(full_report(), replace(full_report(), results=slow))
    assert len(found) == 0
    assert repr(found) == "Of 1179 verdicts in both runs: no change."
    assert "<table" not in found.html()


def test_new_and_gone() -> None:
    """A scope or site that only one run has is named so, with what the other found."""
    found = difference(report_on(["us1", "eu1"]), report_on(["eu1", "ap1"]))
    assert found.compared == 131
    by_meaning = {
        meaning: [c for c in found.changes if c.meaning is meaning] for meaning in Meaning
    }
    assert {c.site for c in by_meaning[Meaning.NEW]} == {"ap1"}
    assert {c.site for c in by_meaning[Meaning.GONE]} == {"us1"}
    assert all(c.after is None and c.evidence == "" for c in by_meaning[Meaning.GONE])
    assert [c.meaning for c in found.changes] == sorted(
        (c.meaning for c in found.changes), key=list(Meaning).index
    )


def test_a_cancelled_run_is_no_proof_that_something_is_gone() -> None:
    """The headline says that verdicts may just be missing."""
    cut = replace(full_report(), results=full_report().results[:-1], complete=False)
    assert "may just be missing" in difference(full_report(), cut).headline


def test_every_kind_of_source(tmp_path: Path) -> None:
    """Last week's run may be a report, a frame or a saved file: the difference is the same."""
    earlier = with_verdict(full_report(), Verdict.FAILED, site="eu1", scope=SCOPE)
    (tmp_path / "old.json").write_text(as_json(earlier), "utf-8")
    (tmp_path / "old.csv").write_text(as_csv(earlier), "utf-8", newline="")
    sources = (earlier, verdict_frame(earlier), tmp_path / "old.json", tmp_path / "old.csv")
    found = [difference(source, full_report()) for source in sources]
    assert found == [found[0]] * 4
    assert [(c.site, c.scope, str(c.meaning)) for c in found[0].changes] == [
        ("eu1", SCOPE, "better")
    ]


def test_text_html_and_table_agree() -> None:
    """All three show the same rows; HTML has words where colours are stripped."""
    earlier = with_verdict(full_report(), Verdict.FAILED, site="eu1", scope=SCOPE)
    found = difference(earlier, full_report())
    assert found.text().splitlines()[-1].split()[:5] == [
        "eu1",
        SCOPE,
        "failed",
        "confirmed",
        "better",
    ]
    row = read_html(found.html()).all("tbody")[0].all("tr")[0]
    assert [cell.text for cell in row.all("td")][:4] == ["eu1", "failed", "confirmed", "better"]
    assert found.table.frame.iloc[0]["meaning"] == "better"
