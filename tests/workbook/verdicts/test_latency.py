"""Latency is summarized by site, and is not stored in a notebook."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
from support.reports import SITES, full_report

from ddoauth_kit.workbook.show.result_table import TABLE_MIME
from ddoauth_kit.workbook.verdicts import report_from_rows
from ddoauth_kit.workbook.verdicts.latency import latencies, latency_picture, latency_table

ROW = {"site": "us1", "verdict": "confirmed", "status": 200}


def test_numbers_are_those_of_numpy() -> None:
    """Median, nearest-rank 90th percentile and maximum of the answered calls, in milliseconds."""
    for each in latencies(full_report()):
        times = [
            r.seconds * 1000 for r in full_report().results if r.site == each.site and r.status
        ]
        assert each.count == len(times)
        assert each.median_ms == round(float(np.median(times)), 1)
        assert each.p90_ms == round(float(np.percentile(times, 90, method="inverted_cdf")), 1)
        assert each.max_ms == round(max(times), 1)


def test_few_and_no_calls() -> None:
    """One call is its own median, and a site without responses has no numbers."""
    rows = [
        {**ROW, "scope": "a", "seconds": 0.25},
        {**ROW, "scope": "a", "site": "eu1", "status": None, "verdict": "failed"},
    ]
    one, none = latencies(report_from_rows(rows))
    assert (one.count, one.median_ms, one.p90_ms, one.max_ms) == (1, 250, 250, 250)
    assert (none.count, none.median_ms, none.p90_ms, none.max_ms) == (0, None, None, None)
    assert "no answer" in latency_picture(report_from_rows(rows)).svg


def test_a_stored_output_has_no_times() -> None:
    """A cell shows sites and counts; the times are in the metadata, and shown on request."""
    table = latency_table(full_report())
    bundle = table._repr_mimebundle_()
    assert isinstance(bundle, tuple)
    data, metadata = bundle
    assert "median" not in str(data)
    assert metadata[TABLE_MIME]["volatile"]["median_ms"][0] == 26.0
    assert "26.0" in table.text(everything=True)
    assert "26.0" in table.html(everything=True)


def test_the_picture_has_a_bar_for_each_site() -> None:
    """Bars and lines grow with the time, and never leave their place."""
    picture = latency_picture(full_report())
    root = ET.fromstring(picture.svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text in SITES] == list(SITES)
    bars = [e.attrib for e in root.iter("{http://www.w3.org/2000/svg}rect")][1:]
    right = [float(bar["x"]) + float(bar["width"]) for bar in bars]
    assert len(bars) == 18
    assert right[::2] == sorted(right[::2])
    assert max(right) <= 401
    assert picture.text == latency_table(full_report()).text(everything=True)
