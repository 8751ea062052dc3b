"""A lesson can run others on several sites, and shows what came of it without any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders import notebook_file
from support.places import TESTS

from ddoauth_kit.errors import InputError
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook import run_lessons
from ddoauth_kit.workbook.show.result_table import TABLE_MIME

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.workbook.lessons.lesson_runs import LessonRuns

READER = TESTS / "data" / "reader_client.json"
SITES = ("us1", "eu", "us1-fed")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> LessonRuns:
    """Run a notebook that uses sites, and one that fails in its own way."""
    folder = tmp_path_factory.mktemp("lessons")
    table = (
        "from ddoauth_kit import DATADOG_SITES\n"
        "from ddoauth_kit.workbook.show.result_table import ResultTable\n"
        "ResultTable('hosts', [{'domain': DATADOG_SITES.named(SITE).domain}])"
    )
    works = notebook_file(folder, "works", table)
    fails = notebook_file(folder, "fails", "1 / 0")
    return run_lessons(str(works), str(fails), sites=SITES)


def test_the_matrix(runs: LessonRuns) -> None:
    """A row is a lesson, a column a site, in the order they were named; it is what is shown."""
    assert list(runs.matrix.frame.columns) == ["notebook", *SITES]
    assert runs.matrix.frame.to_numpy().tolist() == [
        ["works", "passed", "failed", "passed"],
        ["fails", "failed", "failed", "failed"],
    ]
    assert repr(runs) == repr(runs.matrix)
    bundle = runs._repr_mimebundle_()
    assert bundle[TABLE_MIME]["name"] == "runs"


def test_failures_have_a_reason(runs: LessonRuns) -> None:
    """One of the kit's codes is separate from its sentence; other errors are shown unchanged."""
    first, second, *_ = runs.failures.frame.to_dict(orient="records")
    assert first == {
        "notebook": "works",
        "site": "eu",
        "code": "unknown_site",
        "what happened": "'eu' is not a Datadog site.",
    }
    assert (second["site"], second["code"]) == ("us1", "")
    assert second["what happened"] == "ZeroDivisionError: division by zero"


def test_tables_of_all_sites(runs: LessonRuns) -> None:
    """The notebooks' rows come with their site; a table that no notebook has is empty."""
    assert runs.table("hosts").frame.to_dict(orient="records") == [
        {"site": "us1", "domain": "datadoghq.com"},
        {"site": "us1-fed", "domain": "ddog-gov.com"},
    ]
    assert len(runs.table("nothing")) == 0


def test_files_without_names_of_sites(runs: LessonRuns) -> None:
    """The files are those of `ddoauth run`, the notebooks and pages of all sites in one row."""
    files = {row["file"]: row["how many"] for row in runs.files.frame.to_dict(orient="records")}
    assert files["works.*.ipynb"] == files["fails.*.html"] == len(SITES)
    assert {"report.html", "summary.json", "junit.xml", "tables/hosts.csv"} <= set(files)


def test_every_site_and_the_differences(runs: LessonRuns, tmp_path: Path) -> None:
    """Without a list each site has its column; cases came, went or ended otherwise."""
    now = run_lessons(str(notebook_file(tmp_path, "fails", "print(SITE)")))
    assert list(now.matrix.frame.columns) == ["notebook", *DATADOG_SITES.names]
    assert len(now.runs) == 9
    assert len(now.failures) == 0
    rows = now.difference(runs).frame.to_dict(orient="records")
    assert {"what": "fails.us1", "before": "failed", "now": "passed"} in rows
    assert {"what": "ap1", "before": "not there", "now": "there"} in rows
    assert {"what": "works", "before": "there", "now": "not there"} in rows
    assert len(now.difference(now)) == 0


def test_a_client_file(tmp_path: Path) -> None:
    """The notebooks get the whole path of a client file; a bad one stops before any run."""
    notebook = notebook_file(
        tmp_path,
        "client",
        "from ddoauth_kit.workbook.show.result_table import ResultTable\n"
        "from pathlib import Path\n"
        "ResultTable('client', [{'name': Path(CLIENT).name, 'whole': Path(CLIENT).is_absolute()}])",
    )
    runs = run_lessons(str(notebook), sites=["us1"], client=str(READER))
    assert runs.table("client").frame.to_dict(orient="records") == [
        {"site": "us1", "name": READER.name, "whole": True}
    ]
    with pytest.raises(InputError) as caught:
        run_lessons("00", client=str(tmp_path / "none.json"))
    assert caught.value.code == "bad_client_file"
