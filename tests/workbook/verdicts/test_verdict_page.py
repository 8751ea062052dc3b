"""One self-contained page has everything, for phones and wide screens, light and dark."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from support.markup import read_html
from support.reports import full_report, report_on, with_verdict

from ddoauth_kit.probing.probe_report import Baseline
from ddoauth_kit.probing.verdict import MEANINGS, Verdict
from ddoauth_kit.workbook.verdicts import difference
from ddoauth_kit.workbook.verdicts.verdict_page import as_page

if TYPE_CHECKING:
    from support.markup import Element

EARLIER = with_verdict(full_report(), Verdict.CONFIRMED, site="us3", scope="apm_read")


# Made when first asked for: what is done while modules load, each process of the tests does.
@cache
def _html() -> str:
    return as_page(full_report(), difference=difference(EARLIER, full_report()))


@cache
def _page() -> Element:
    return read_html(_html())


def test_every_part_is_there() -> None:
    """The page has the changes, the matrix, the evidence, the meanings and both pictures."""
    assert [h.text for h in _page().all("h1")] == ["Scopes and sites"]
    assert [h.text for h in _page().all("h2")] == [
        "What changed",
        "Verdicts",
        "Scopes that are not confirmed, with the evidence",
        "What the verdicts mean",
        "The same as a picture",
        "Latency by site",
    ]
    assert [dd.text for dd in _page().all("dd")] == list(MEANINGS.values())
    assert [svg.all("title")[0].text for svg in _page().all("svg")] == [
        "Verdicts, scope by site",
        "Latency by site",
    ]
    assert "1 worse" in _page().text


def test_it_needs_nothing_else() -> None:
    """The page has no scripts, no handlers, and no addresses except SVG's namespace names."""
    assert not _page().all("script") + _page().all("link") + _page().all("iframe")
    assert set(re.findall(r"https?://[^\"'\s<]+", _html())) <= {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }
    assert not re.search(r"\son\w+=|url\(|@import|src=", _html())
    ids = re.findall(r'\bid="([^"]+)"', _html())
    assert len(ids) == len(set(ids))


def test_it_follows_the_readers_system() -> None:
    """It has a language, a viewport for phones, and colours for the dark."""
    assert _page().all("html")[0].attributes == {"lang": "en"}
    assert 'name="viewport"' in _html()
    assert _html().count("prefers-color-scheme:dark") == 2


def test_dead_tokens_are_told_first() -> None:
    """If the baseline failed, no other result means anything."""
    report = report_on(["us1"], every=40)
    dead = replace(report, baselines=(Baseline("us1", alive=False, status=401, evidence="<no>"),))
    first = read_html(as_page(dead)).all("section")[0]
    assert first.text == "Sites without a working tokenus1: <no>"


def test_all_is_well() -> None:
    """A run without problems says so, under a custom title."""
    report = report_on(["us1"], every=40)
    good = tuple(replace(r, verdict=Verdict.CONFIRMED) for r in report.results)
    html = as_page(replace(report, results=good), title="Acme & Co")
    assert "All scopes are confirmed on all sites." in html
    assert "<title>Acme &amp; Co</title>" in html
    assert "What changed" not in html
