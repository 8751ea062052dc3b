"""Write probe results as CSV and JSON, and make sure that the evidence has no secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.masking.redaction import redact
from ddoauth_kit.workbook.show.spreadsheet import write_csv
from ddoauth_kit.workbook.verdicts.probe_table import COLUMNS, verdict_rows

if TYPE_CHECKING:
    from ddoauth_kit.probing.probe_report import ProbeReport


def masked(report: ProbeReport) -> ProbeReport:
    """Return the report with all evidence and paths masked once more, each on one line.

    Text from the server is masked when it is read; this is the last check before a file is written.
    Characters that a terminal would interpret as commands become question marks.
    """
    results = tuple(
        replace(result, evidence=_plain(result.evidence), path=_plain(result.path))
        for result in report.results
    )
    baselines = tuple(
        replace(baseline, evidence=_plain(baseline.evidence)) for baseline in report.baselines
    )
    return replace(report, results=results, baselines=baselines)


def as_json(report: ProbeReport) -> str:
    """Return a JSON list with an object for each site and scope, as in `ProbeResult.as_dict`."""
    rows = [result.as_dict() for result in masked(report).results]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def as_csv(report: ProbeReport) -> str:
    """Return CSV (RFC 4180) that no spreadsheet executes, with the columns of `verdict_frame`.

    Text that begins like a formula gets a leading apostrophe, which `difference` removes when it
    reads the file.
    """
    return write_csv(COLUMNS, verdict_rows(masked(report)))


def _plain(text: str) -> str:
    line = " ".join(redact(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in line)
