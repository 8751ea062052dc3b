"""The grade is the worst requirement, and nothing that was not tried counts as passed."""

from __future__ import annotations

from itertools import product

import pytest

from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.results import CheckResult, Grade, GradeReport, Verdict

MUST = REQUIREMENTS["pkce-s256"]
MAY = REQUIREMENTS["token-host"]
ASKS = REQUIREMENTS["data-site"]


def result(requirement: object, verdict: Verdict) -> CheckResult:
    """Return a result without evidence."""
    return CheckResult(requirement=requirement, verdict=verdict, expected="x", actual="y")  # type: ignore[arg-type]


def report(*results: CheckResult) -> GradeReport:
    """Return a report of these results."""
    return GradeReport(results=results, sites=("us1",), connects=3, seconds=1.25)


@pytest.mark.parametrize(("must", "may"), list(product(Verdict, Verdict)))
def test_the_grade_is_the_worst(must: Verdict, may: Verdict) -> None:
    """Broken, then a must that was not tried, then risk, then met."""
    untried = {Verdict.NOT_SEEN, Verdict.NOT_TESTED}
    grade = report(result(MUST, must), result(MAY, may)).grade
    if Verdict.BROKEN in {must, may}:
        assert grade is Grade.BROKEN
    elif must in untried:
        assert grade is Grade.INCOMPLETE
    elif Verdict.RISK in {must, may}:
        assert grade is Grade.RISK
    else:
        assert grade is Grade.MET


def test_nothing_tried_is_never_met() -> None:
    """A report without results, or with untried ones alone, is incomplete."""
    assert report().grade is Grade.INCOMPLETE
    assert report(result(MAY, Verdict.NOT_TESTED)).grade is Grade.INCOMPLETE


def test_the_headline_counts_what_was_tried_and_names_the_next_setting() -> None:
    """It says what one table more would add."""
    found = report(result(MUST, Verdict.MET), result(ASKS, Verdict.NOT_TESTED))
    assert found.headline == (
        "incomplete: 1 of 2 requirements were tried on 1 site (1 not tested, 1 met). "
        "The table [send] would add 1."
    )


def test_json_has_the_names_that_others_read() -> None:
    """`grade`, and `verdicts` with id, verdict, requirement, source, expected to fix."""
    found = report(result(MUST, Verdict.BROKEN), result(MAY, Verdict.MET)).as_dict()
    assert found["grade"] == "broken"
    first, second = found["verdicts"]
    assert {"id", "verdict", "requirement", "source", "expected", "actual", "evidence", "fix"} <= (
        first.keys()
    )
    assert (first["id"], first["verdict"], second["verdict"]) == ("pkce-s256", "broken", "met")
    assert first["fix"] == MUST.fix
    assert second["fix"] == ""


def test_requirements_are_whole() -> None:
    """Each has a sentence, a source and a fix, and at worst a risk or broken."""
    for name, each in REQUIREMENTS.items():
        assert each.id == name
        assert each.sentence.endswith(".")
        assert each.fix.endswith(".")
        assert each.source
        assert each.worst in {Verdict.RISK, Verdict.BROKEN}
    assert len(REQUIREMENTS) == 56
