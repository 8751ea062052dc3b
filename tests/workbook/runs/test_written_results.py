"""The results of a run can be read by people, spreadsheets and CI, and don't name anybody."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import nbformat
import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.secret import Secret
from ddoauth_kit.workbook.runs.collect import tables
from ddoauth_kit.workbook.runs.comparison import (
    ABSENT,
    Comparison,
    RunDifference,
    RunResult,
    read_earlier,
)
from ddoauth_kit.workbook.runs.outcome import RunOutcome
from ddoauth_kit.workbook.runs.run_matrix import NotebookRun, RunClient, RunSettings, matrix
from ddoauth_kit.workbook.runs.run_report import report
from ddoauth_kit.workbook.runs.run_verdicts import TONES
from ddoauth_kit.workbook.runs.written_results import write_results
from ddoauth_kit.workbook.show.result_table import TABLE_MIME
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

SITES = ("us1", "eu1")
VERDICTS = (
    *("confirmed", "let_through", "refused", "not_oauth", "not_on_site"),
    *("rate_limited", "no_operation", "inconclusive", "not_tried", "failed"),
)


def _verdict(scope: str, verdict: str, **more: Any) -> dict[str, Any]:
    evidence = "jane.doe@example.com may not; <script>alert(1)</script>"
    call = {"method": "GET", "path": "/api/v1/monitor", "status": 403.0, "seconds": 0.5}
    return {"scope": scope, "verdict": verdict, **call, "evidence": evidence, **more}


def _outcome(folder: Path, *, changed: bool = False) -> RunOutcome:
    """Return a run of two notebooks on two sites for two clients, with its notebooks on disk."""
    clients = [RunClient("Acme", ""), RunClient("Globex", "")]
    cases = matrix([Path("01_a.ipynb"), Path("05_scopes.ipynb")], sites=SITES, clients=clients)
    runs = []
    for number, case in enumerate(cases[:-1]):
        error = (
            "" if number else "InputError: [unknown_site] 'mars' is no site. Mail bob@corp.example"
        )
        rows = [_verdict(f"scope_{i}", verdict) for i, verdict in enumerate(VERDICTS)]
        if changed and case.site == "eu1":
            rows[0]["verdict"] = "refused"
        tables = {"verdicts": rows, "people": [{"user": "Bob", "n": "=1+1"}]}
        notebook = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_markdown_cell(f"# {case.name}\n[a](01_a.ipynb) [b](../README.md)"),
                nbformat.v4.new_code_cell("bob@corp.example", outputs=_outputs()),
            ]
        )
        nbformat.write(notebook, folder / f"{case.name}.ipynb")
        runs.append(
            NotebookRun(
                notebook=case.notebook.stem,
                site=case.site,
                client=case.client.label,
                status="failed" if error else "passed",
                seconds=number + 0.5,
                error=error,
                output=f"{case.name}.ipynb",
                attempts=2 if number == 1 else 1,
                tables=tables if case.notebook.stem == "05_scopes" else {},
            )
        )
    return RunOutcome(cases, runs, RunSettings(), "2026-01-02T03:04:05+00:00", 12.5)


def _outputs() -> list[Any]:
    card = "<table><tr><th>organization</th><td>Acme Org</td></tr></table>"
    return [
        nbformat.v4.new_output(
            "stream", text="\x1b[31mred\x1b[0m organization\norg_name=Acme+Org\n"
        ),
        nbformat.v4.new_output("display_data", {"text/html": f"{card}<script>x</script>"}),
        nbformat.v4.new_output(
            "display_data", {"image/svg+xml": "<svg/>", "text/plain": "a chart"}
        ),
        nbformat.v4.new_output("display_data", {"text/plain": "{'email': 'bob@corp.example'}"}),
        nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["Traceback", "E: v"]),
    ]


class _Page(HTMLParser):
    """Collect what a page refers to, and check that its tags match."""

    void = ("meta", "br", "img", "wbr", "link", "hr", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given["href"] or "")
        if tag == "img":
            self.images.append(given)
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Give a folder with the results of a run."""
    write_results(_outcome(tmp_path), out=tmp_path)
    return tmp_path


def test_summary(out: Path) -> None:
    """The summary has counts, the cases that never ran, and each result without its tables."""
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert (summary["passed"], summary["failed"]) == (6, 1)
    assert summary["not_run"] == ["05_scopes.eu1.globex"]
    assert summary["runs"][1]["attempts"] == 2
    assert "tables" not in summary["runs"][0]
    assert summary["findings"] == []


def test_tables(out: Path) -> None:
    """Each table is a CSV over all runs; people are masked, formulas disarmed, floats kept."""
    with (out / "tables" / "people.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "notebook": "05_scopes",
        "site": "us1",
        "client": "Acme",
        "user": "(masked)",
        "n": "'=1+1",
    }
    with (out / "rows.csv").open(encoding="utf-8") as file:
        assert {row["table"] for row in csv.DictReader(file)} == {"verdicts", "people"}


def test_junit(out: Path) -> None:
    """JUnit has a case for each notebook, site and client, verdicts as properties."""
    root = ET.fromstring((out / "junit.xml").read_text("utf-8"))
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("8", "1", "1")
    cases = {(c.get("classname"), c.get("name")): c for c in suite}
    failure = cases["01_a", "us1 [Acme]"].find("failure")
    assert failure is not None
    assert failure.get("type") == "InputError"
    assert "corp.example" not in (failure.get("message") or "")
    values = {
        p.get("name"): p.get("value") for p in cases["05_scopes", "us1 [Acme]"].iter("property")
    }
    assert values["verdict scope_2 on us1"] == "refused"
    assert cases["05_scopes", "eu1 [Globex]"].find("skipped") is not None


def test_report(out: Path) -> None:
    """The report is one self-contained file that says what failed, why, and what to do next."""
    text = (out / "report.html").read_text("utf-8")
    page = _Page(text)
    assert page.open == []
    assert not re.search(r"<script|<link|<iframe|src=|url\(|@import|https?://", text)
    assert "default-src 'none'" in text
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    assert set(page.links) <= {path.name for path in out.iterdir()}
    assert "6 of 8 passed, 1 failed" in page.text
    assert "The site you named is not in the site table" in page.text
    assert "05_scopes on eu1 for Globex" in page.text
    assert "started 2 times" in page.text
    assert "not run" in page.text
    assert "alert(1)" in page.text
    assert "All files of this run were scanned for secrets" in page.text
    assert not re.search(r"jane\.doe|corp\.example", text)


def test_a_run_names_the_command_that_explains(tmp_path: Path) -> None:
    """A kernel's error points to a shell command in the report, JUnit and the terminal."""
    outcome = _outcome(tmp_path)
    raised = f"InputError: {InputError('unknown_site', 'mars is not a site.')}"
    outcome = replace(outcome, runs=[replace(outcome.runs[0], error=raised)])
    write_results(outcome, out=tmp_path)
    for name in ("report.html", "junit.xml"):
        text = (tmp_path / name).read_text("utf-8")
        assert "More: ddoauth explain unknown_site." in text
        assert "explain(" not in text
    assert outcome.runs[0].complaint.endswith("More: ddoauth explain unknown_site.")
    assert replace(outcome.runs[0], error="KeyError: 'x'").complaint == "KeyError: 'x'"


def test_a_live_run_names_what_it_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Datadog is named only if no sandbox takes its place."""
    outcome = RunOutcome([], [], RunSettings(mode="live"), "2026-01-02T03:04:05+00:00", 1.0)
    monkeypatch.delenv("DDOAUTH_SANDBOX", raising=False)
    assert "against real Datadog" in _Page(report(outcome)).text
    monkeypatch.setenv("DDOAUTH_SANDBOX", "http://127.0.0.1:8470")
    assert "against the sandbox at 127.0.0.1:8470" in _Page(report(outcome)).text


def test_sites_of_the_run_and_of_the_probes_are_told_apart(tmp_path: Path) -> None:
    """A lesson that ran for one site may probe several, and the report gives both numbers."""
    outcome = _outcome(tmp_path)
    assert "2 notebooks, run for 2 sites" in _Page(report(outcome)).text
    assert "Scopes were probed" not in _Page(report(outcome)).text
    rows = [_verdict("scope_0", "confirmed", site=site) for site in (*SITES, "us3")]
    [case] = [c for c in outcome.cases if c.name == "05_scopes.us1.acme"]
    run = replace(outcome.runs[0], tables={"verdicts": rows})
    text = _Page(report(replace(outcome, cases=[case], runs=[run]))).text
    assert "1 notebook, run for 1 site" in text
    assert "Scopes were probed on 3 sites." in text


def test_verdicts_have_the_names_and_marks_of_the_workbook(out: Path) -> None:
    """Each verdict has its mark in its cell, and its name, mark and number in the filter."""
    assert set(TONES) == set(VERDICTS)
    text = (out / "report.html").read_text("utf-8")
    for verdict in VERDICTS:
        mark = MARKS[Verdict(verdict)]
        assert f'<td class="{verdict}" title="{mark.name}">{mark.short}</td>' in text
        assert f'<span class="chip {verdict}">{mark.name}</span> {mark.short} (2)' in text
    assert "<td>403</td>" in text


def test_the_report_begins_with_what_changed(tmp_path: Path) -> None:
    """The differences are above the long list of scopes, and a filter hides whole areas."""
    write_results(_outcome(tmp_path), out=tmp_path)
    write_results(replace(_outcome(tmp_path), earlier=read_earlier(tmp_path)), out=tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert text.index("<h2>What changed") < text.index("<h2>Scopes and sites")
    assert "~ details:not(.has-confirmed)," in text
    assert re.search(r'<details class="area [^"]*has-confirmed', text)


def test_a_verdict_of_another_name_is_text(tmp_path: Path) -> None:
    """No verdict name from a notebook adds an attribute to the report."""
    outcome = _outcome(tmp_path)
    tables = {"verdicts": [_verdict("scope_0", 'x"><b onclick="y')]}
    outcome = replace(outcome, runs=[replace(run, tables=tables) for run in outcome.runs])
    text = report(outcome)
    assert "<b" not in text.partition("<body>")[2].replace("<br", "")
    assert "&lt;b onclick" in text


def test_colours_can_be_read() -> None:
    """Ink on each ground has a contrast of 4.5 or more, in light and dark (WCAG 2.2, 1.4.3)."""
    from ddoauth_kit.workbook.runs.notebook_pages import STYLE

    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    for part in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
        pairs = [("ink", "page"), ("soft", "page"), ("link", "page"), ("ink", "box")]
        pairs += [(f"{tone}-ink", tone) for tone in set(TONES.values())]
        for ink, ground in pairs:
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_pages_of_notebooks(out: Path) -> None:
    """An executed notebook is a page beside the report; its links stay within the results."""
    text = (out / "01_a.us1.acme.html").read_text("utf-8")
    page = _Page(text.replace("<script>x</script>", ""))
    assert page.links == ["report.html", "#failed", "01_a.us1.acme.html"]
    assert "default-src 'none'" in text
    assert page.images[0]["alt"] == "a chart"
    assert "red organization" in page.text
    assert not re.search(r"Acme Org|Acme\+Org|corp\.example|\x1b", text)


def test_differences(tmp_path: Path) -> None:
    """Changes, additions and removals since an earlier run are in the summary and the report."""
    before, now = tmp_path / "before", tmp_path / "now"
    before.mkdir()
    now.mkdir()
    write_results(_outcome(before), out=before)
    outcome = replace(_outcome(now, changed=True), earlier=read_earlier(before))
    gone = replace(outcome, runs=outcome.runs[1:])
    differences = gone.comparison.differences
    assert RunDifference("scope_0 on eu1 (Acme)", "confirmed", "refused") in differences
    assert RunDifference("01_a.us1.acme", "failed", ABSENT) in differences
    assert replace(outcome, runs=_outcome(now).runs).comparison == Comparison()
    write_results(gone, out=now)
    assert "differences from before" in (now / "report.html").read_text("utf-8")
    assert json.loads((now / "summary.json").read_text("utf-8"))["differences"]


def test_a_new_or_missing_part_is_named_once(tmp_path: Path) -> None:
    """A lesson, site or client that one run lacks is one line, not a line for each verdict."""
    whole = _outcome(tmp_path)
    site, lesson = (
        replace(whole, runs=[run for run in whole.runs if getattr(run, name) != value])
        for name, value in (("site", "us1"), ("notebook", "05_scopes"))
    )
    for few, words in (
        (site, "us1 is new in this run (4 runs, 20 verdicts)"),
        (lesson, "05_scopes is new in this run (3 runs, 30 verdicts)"),
    ):
        out = tmp_path / few.runs[0].name
        out.mkdir()
        write_results(few, out=out)
        grown = replace(whole, earlier=read_earlier(out))
        assert [part.words for part in grown.comparison.parts] == [words]
        assert grown.comparison.differences == ()
        write_results(grown, out=out)
        assert words in _Page((out / "report.html").read_text("utf-8")).text
        shrunk = replace(few, earlier=read_earlier(out))
        (part,) = shrunk.comparison.parts
        assert part.words == words.replace("new in this run", "only in the earlier run")
        assert shrunk.comparison.differences == ()
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["only_in_one_run"][0]["verdicts"] == 30
    lost = replace(
        whole, earlier=read_earlier(out), runs=[replace(r, tables={}) for r in whole.runs]
    )
    assert [part.words for part in lost.comparison.parts] == [
        "05_scopes has verdicts only in the earlier run (30 verdicts)"
    ]


def test_tables_of_a_run_before_are_not_compared(tmp_path: Path) -> None:
    """A folder that was used twice counts with its last run only."""
    whole = _outcome(tmp_path)
    write_results(whole, out=tmp_path)
    few = replace(whole, runs=[run for run in whole.runs if run.notebook == "01_a"])
    write_results(few, out=tmp_path)
    assert (tmp_path / "tables" / "verdicts.csv").exists()
    assert read_earlier(tmp_path).verdicts == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"runs": [1]}', '{"runs": [{}]}'])
def test_what_is_no_run_cannot_be_compared(text: str, tmp_path: Path) -> None:
    """A folder without readable results is refused by name."""
    (tmp_path / "summary.json").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_earlier(tmp_path)
    assert caught.value.code == "not_a_run"


def test_the_scan_ends_each_run(tmp_path: Path) -> None:
    """A secret in one of the run's files is a finding; it is not repeated anywhere."""
    secret = Secret("canary-known-4711", label="DD_API_KEY")
    outcome = _outcome(tmp_path)
    path = tmp_path / outcome.runs[0].output
    path.write_text(path.read_text("utf-8").replace("a chart", secret.reveal()), "utf-8")
    (tmp_path / "not-ours.log").write_text(secret.reveal(), "utf-8")
    scanned = write_results(outcome, out=tmp_path, secrets=(secret,))
    assert {finding.what for finding in scanned.findings or ()} == {"the value of <DD_API_KEY>"}
    names = [finding.path.rpartition("/")[2] for finding in scanned.findings or ()]
    assert names == [path.name, f"{outcome.runs[0].name}.html"]
    report = (tmp_path / "report.html").read_text("utf-8")
    assert "2 found: delete them." in report
    assert secret.reveal() not in report + (tmp_path / "summary.json").read_text("utf-8")


@pytest.mark.checklist("N9")
@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("n" * 300, [{"a": 1}]),
        ("\u00e4" * 200, [{"a": 1}]),
        ("../../up", [{"a": 1}]),
        ("verdicts", [{"scope": ["a"], "verdict": {"b": 1}}]),
        ("verdicts", [{"scope": "a", "verdict": "b", "status": float("inf")}]),
        ("verdicts", [{"scope": "a", "verdict": "b", "seconds": [1]}]),
        ("people", [{"user": [["a"]], "b": {"c": [None]}}]),
        ("nested", [{"a": {"email": "bob@corp.example", "b": ["jane.doe@x.example"]}}]),
    ],
)
def test_a_strange_table_ends_no_run(table: str, rows: list[Any], tmp_path: Path) -> None:
    """Whatever a notebook has as a table, the report, summary and scan are produced."""
    outcome = _outcome(tmp_path)
    odd = replace(outcome.runs[1], tables={table: rows, table.upper(): rows})
    scanned = write_results(replace(outcome, runs=[odd]), out=tmp_path)
    assert scanned.findings == []
    assert "Secrets in the results" in (tmp_path / "report.html").read_text("utf-8")
    assert json.loads((tmp_path / "summary.json").read_text("utf-8"))["findings"] == []
    tables = list((tmp_path / "tables").iterdir())
    assert (
        len(tables) == len({name.casefold() for name in (table, table.upper())}) or len(tables) == 2
    )
    assert not [path for path in tables if "corp.example" in path.read_text("utf-8")]


ODD_VALUES: Final = (
    *("", "\x00", "\ud800", "=1+1", "a" * 5000, "\x1b[2J", "</script>", "bob@corp.example"),
    *(None, True, -1, 10**400, float("nan"), float("-inf"), 1e308, [], {}, [[[[]]]]),
)


def _odd(drawn: random.Random, depth: int = 3) -> Any:
    """Return a JSON value of any kind, drawn."""
    if depth and drawn.random() < 0.5:
        keys = [str(drawn.choice(ODD_VALUES)) for _ in range(drawn.randrange(4))]
        values = [_odd(drawn, depth - 1) for _ in keys]
        return dict(zip(keys, values, strict=True)) if drawn.random() < 0.6 else values
    return drawn.choice(ODD_VALUES)


def test_a_heading_is_masked(tmp_path: Path) -> None:
    """A notebook's own title is in the report, but a secret in it is not."""
    outcome = _outcome(tmp_path)
    secret = Secret("canary-in-a-title-4711", label="DD_API_KEY")
    notebook = tmp_path / "05_scopes.ipynb"
    cell = nbformat.v4.new_markdown_cell(f"# All about {secret.reveal()}")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), notebook)
    cases = [replace(case, notebook=tmp_path / case.notebook) for case in outcome.cases]
    scanned = write_results(replace(outcome, cases=cases), out=tmp_path, secrets=[secret])
    report = (tmp_path / "report.html").read_text("utf-8")
    assert "05 All about &lt;DD_API_KEY&gt;" in report
    assert secret.reveal() not in report
    assert scanned.findings == []


@pytest.mark.checklist("N9")
@pytest.mark.parametrize("seed", range(24))
def test_drawn_outputs_end_no_run(seed: int, tmp_path: Path) -> None:
    """Whatever replaces a notebook's tables, the report, summary and scan are produced."""
    drawn = random.Random(seed)
    names = [str(drawn.choice((*ODD_VALUES, "verdicts", "../up", "n" * 300))) for _ in range(3)]
    rows = [[{"scope": _odd(drawn), "verdict": _odd(drawn), str(_odd(drawn)): 1}] for _ in names]
    whole = [{"name": name, "rows": each} for name, each in zip(names, rows, strict=True)]
    strange = [_odd(drawn), {"name": "x", "rows": _odd(drawn)}, {"name": _odd(drawn), "rows": []}]
    outputs = [
        nbformat.v4.new_output(
            "display_data", data={TABLE_MIME: each}, metadata={TABLE_MIME: _odd(drawn)}
        )
        for each in (*whole, *strange)
    ]
    cell = nbformat.v4.new_code_cell("x", outputs=outputs)
    read = tables(nbformat.v4.new_notebook(cells=[cell]))
    outcome = _outcome(tmp_path)
    assert read
    odd = replace(outcome.runs[1], tables=read, error=str(_odd(drawn)))
    write_results(replace(outcome, runs=[odd]), out=tmp_path)
    assert "Secrets in the results" in (tmp_path / "report.html").read_text("utf-8")
    assert json.loads((tmp_path / "summary.json").read_text("utf-8"))["findings"] == []


@pytest.mark.parametrize(
    "error",
    [
        *('level=error user="alice" code=1', "call(user='alice', n=1)", 'SET user="alice";'),
        *('{"user": "alice"}', "user=alice&x=1", "insert email='alice@corp.example'"),
    ],
)
def test_masked_summaries_are_json(error: str, tmp_path: Path) -> None:
    """People are masked in values: a quote in an error breaks neither summary nor comparison."""
    outcome = _outcome(tmp_path)
    failed = replace(outcome.runs[0], error=f"ValueError: {error}")
    write_results(replace(outcome, runs=[failed]), out=tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert "alice" not in json.dumps(summary)
    assert read_earlier(tmp_path).cases


def test_a_page_that_takes_too_long_is_named(tmp_path: Path) -> None:
    """A notebook's time limit applies to its page; the others and the report are written."""
    write_results(_outcome(tmp_path), out=tmp_path, seconds=1e-9)
    assert "could not be created (TimeoutError)" in (tmp_path / "01_a.us1.acme.html").read_text(
        "utf-8"
    )
    assert (tmp_path / "report.html").exists()


def test_a_comparison_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text from an earlier run's files is masked as if it were new."""
    monkeypatch.setenv("DD_API_KEY", "canary-known-4711")
    known = "canary-known-4711"
    runs = [{"output": known, "notebook": known, "status": "c0ffee00c0ffee11c0ffee22c0ffee33"}]
    (tmp_path / "summary.json").write_text(json.dumps({"runs": runs}), "utf-8")
    earlier = read_earlier(tmp_path)
    assert earlier.cases == {"<DD_API_KEY>": RunResult("<DD_API_KEY>", "", "", "<api_key …ee33>")}


def test_each_file_is_read_once(tmp_path: Path) -> None:
    """Page and scan share one reading of a notebook, and what was written is read by the scan."""
    outcome = _outcome(tmp_path)
    read: Counter[str] = Counter()
    counting = True

    def note(event: str, given: tuple[Any, ...]) -> None:
        """Count what is opened to be read; a hook stays for as long as the process."""
        if counting and event == "open" and str(given[0]).startswith(str(tmp_path)):
            read[str(given[0])] += not given[2] & (os.O_WRONLY | os.O_RDWR)

    sys.addaudithook(note)
    write_results(outcome, out=tmp_path)
    counting = False
    files = [str(path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 2 * len(outcome.runs)
    assert {path: read[path] for path in files} == dict.fromkeys(files, 1)
