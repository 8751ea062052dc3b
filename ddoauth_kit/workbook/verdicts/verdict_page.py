"""Write all findings from a run to one HTML page without scripts or external resources."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ddoauth_kit.workbook.verdicts.csv_and_json import masked
from ddoauth_kit.workbook.verdicts.latency import latency_picture, latency_table
from ddoauth_kit.workbook.verdicts.matrix import chip, findings_html, matrix_body, verdict_matrix
from ddoauth_kit.workbook.verdicts.picture import verdict_picture
from ddoauth_kit.workbook.verdicts.style import ROOT, style
from ddoauth_kit.workbook.verdicts.unconfirmed import findings
from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

if TYPE_CHECKING:
    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.workbook.verdicts.difference import Difference
    from ddoauth_kit.workbook.verdicts.matrix import VerdictMatrix

# The page asks the reader's system whether it is dark; the pictures always have a light background.
_PAGE: Final = """
:root{color-scheme:light dark;--jp-ui-font-color1:#1f2328;--jp-layout-color1:#fff;
--jp-layout-color2:#f3f4f6;--jp-border-color2:#d0d7de;--jp-brand-color1:#0969da}
@media(prefers-color-scheme:dark){:root{--jp-ui-font-color1:#e6e6e6;--jp-layout-color1:#16181c;
--jp-layout-color2:#23262c;--jp-border-color2:#3c4149;--jp-brand-color1:#6cb2ff}}
body{margin:0 auto;padding:1rem;max-width:75rem;font-family:system-ui,Arial,sans-serif;
background:var(--jp-layout-color1);color:var(--jp-ui-font-color1)}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:1.6rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem .8rem;font-size:13px}dd{margin:0}
"""


def as_page(
    report: ProbeReport, *, difference: Difference | None = None, title: str = "Scopes and sites"
) -> str:
    """Return the whole page.

    It contains the matrix, the unconfirmed verdicts with their evidence, the differences from an
    earlier run if there is one, pictures, latencies, and the meanings of the verdicts.
    """
    report = masked(report)
    matrix = verdict_matrix(report)
    changed = _section("What changed", difference.body()) if difference else ""
    parts = (
        _dead_tokens(report),
        changed,
        _section("Verdicts", matrix_body(matrix)),
        _not_confirmed(matrix),
        _section("What the verdicts mean", _meanings()),
        _section(
            "The same as a picture", _picture(verdict_picture(matrix).svg, kind="picture wide")
        ),
        _section("Latency by site", _latency(report)),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_PAGE}</style>{style(follow_system=True)}</head>"
        f'<body><main class="{ROOT}"><h1>{escape(title)}</h1>'
        f"{''.join(parts)}</main></body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _dead_tokens(report: ProbeReport) -> str:
    """Return the sites whose token is dead, because the other results say nothing about them."""
    dead = [baseline for baseline in report.baselines if not baseline.alive]
    items = "".join(
        f"<li>{escape(baseline.site)}: {escape(baseline.evidence or 'no reason given')}</li>"
        for baseline in dead
    )
    return _section("Sites without a working token", f"<ul>{items}</ul>") if dead else ""


def _not_confirmed(matrix: VerdictMatrix) -> str:
    found = findings(matrix.results)
    body = (
        findings_html(found, sites=matrix.sites)
        if found
        else "<p>All scopes are confirmed on all sites.</p>"
    )
    return _section("Scopes that are not confirmed, with the evidence", body)


def _meanings() -> str:
    items = (f"<dt>{chip(v)}</dt><dd>{escape(mark.meaning)}</dd>" for v, mark in MARKS.items())
    return f"<dl>{''.join(items)}</dl>"


def _latency(report: ProbeReport) -> str:
    table = latency_table(report).html(everything=True)
    drawn = _picture(latency_picture(report).svg)
    region = '<div class="scroll counts" tabindex="0" role="group" aria-label="Latency">'
    return f"{drawn}{region}{table}</div>"


def _picture(svg: str, *, kind: str = "picture") -> str:
    return f'<div class="{kind}" tabindex="0" role="group" aria-label="Picture">{svg}</div>'
