"""Lay the matrix out as HTML: words in every cell, areas that fold, no script.

GitHub strips styles, so nothing depends on them: headings, words and tables say all of it.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from ddoauth_kit.workbook.verdicts.evidence import findings
from ddoauth_kit.workbook.verdicts.marks import GRAVITY, MARKS, MISSING
from ddoauth_kit.workbook.verdicts.style import ROOT, style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ddoauth_kit.api.verdicts import Verdict
    from ddoauth_kit.workbook.verdicts.evidence import Finding
    from ddoauth_kit.workbook.verdicts.matrix import MatrixArea, MatrixRow, VerdictMatrix


def matrix_html(matrix: VerdictMatrix) -> str:
    """Return the matrix with its style, the counts above it and the evidence below it."""
    return f'<div class="{ROOT}">{style()}{matrix_body(matrix)}{evidence_html(matrix)}</div>'


def matrix_body(matrix: VerdictMatrix) -> str:
    """Return headline, counts and the areas; those with problems are open."""
    headline = f"<p>{escape(matrix.headline)}</p>"
    if not matrix.rows:
        return headline
    areas = "".join(_area(area, matrix) for area in matrix.areas)
    return (
        f"{headline}{counts_html(matrix)}"
        '<div class="scroll areas" tabindex="0" role="region" aria-label="Verdicts, scope by site">'
        f"{areas}</div>"
    )


def counts_html(matrix: VerdictMatrix) -> str:
    """Return how often each verdict was found on each site; it is the legend as well."""
    rows = "".join(
        f'<tr><th scope="row">{chip(verdict)}{_meaning(verdict)}</th>'
        f"{''.join(f'<td>{number}</td>' for number in numbers)}</tr>"
        for verdict, numbers in matrix.counts.items()
    )
    return (
        '<div class="scroll counts" tabindex="0" role="region" aria-label="Verdicts by site">'
        f"<table>{_head('verdict', matrix.sites)}<tbody>{rows}</tbody></table></div>"
    )


def evidence_html(matrix: VerdictMatrix) -> str:
    """Return what is not confirmed, folded, with the server's words."""
    found = findings(matrix.results)
    if not found:
        return ""
    return (
        f"<details><summary>What is not confirmed, with its evidence ({len(found)})</summary>"
        f"{findings_html(found, sites=matrix.sites)}</details>"
    )


def findings_html(found: Iterable[Finding], *, sites: Sequence[str]) -> str:
    """Return one row for each finding; `sites` are all that were probed."""
    rows = "".join(
        f'<tr><th scope="row">{scope_html(finding.scope)}</th>'
        f'<td class="mark">{chip(finding.verdict)}</td><td>{_sites(finding, sites)}</td>'
        f"<td>{escape(finding.call)}</td><td>{escape(finding.said)}</td></tr>"
        for finding in found
    )
    head = _head("scope", ("verdict", "sites", "call", "the server said"))
    return f'<table class="long">{head}<tbody>{rows}</tbody></table>'


def _sites(finding: Finding, sites: Sequence[str]) -> str:
    everywhere = len(finding.sites) == len(sites) > 1
    return "all sites" if everywhere else escape(" ".join(finding.sites))


def chip(verdict: Verdict, number: int | None = None) -> str:
    """Return the word of a verdict on its colour, with a number if there is one."""
    counted = "" if number is None else f" {number}"
    return f'<span class="chip {verdict}">{MARKS[verdict].word}{counted}</span>'


def scope_html(scope: str) -> str:
    """Return a scope that a narrow column may break after an underscore."""
    return escape(scope).replace("_", "_<wbr>")


def _meaning(verdict: Verdict) -> str:
    """Return the verdict's name where its word is another."""
    mark = MARKS[verdict]
    return "" if mark.name == mark.word else f" {mark.name}"


def _area(area: MatrixArea, matrix: VerdictMatrix) -> str:
    found = Counter(verdict for row in area.rows for verdict in row.verdicts if verdict)
    chips = " ".join(chip(verdict, found[verdict]) for verdict in GRAVITY if found[verdict])
    columns = "<col>" * (len(matrix.sites) + 1)
    opened = " open" if area.has_problem or matrix.is_narrowed else ""
    scopes = f"{len(area.rows)} scope{'' if len(area.rows) == 1 else 's'}"
    return (
        f"<details{opened}><summary><strong>{escape(area.name)}</strong> ({scopes}) {chips}"
        f"</summary><table><colgroup>{columns}</colgroup>{_head('scope', matrix.sites)}"
        f"<tbody>{''.join(map(_row, area.rows))}</tbody></table></details>"
    )


def _row(row: MatrixRow) -> str:
    cells = "".join(map(_cell, row.verdicts))
    return f'<tr><th scope="row">{scope_html(row.scope)}</th>{cells}</tr>'


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return f"<td>{MISSING}</td>"
    return f'<td class="{verdict}">{MARKS[verdict].word}</td>'


def _head(first: str, others: Iterable[str]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in (first, *others))
    return f"<thead><tr>{names}</tr></thead>"
