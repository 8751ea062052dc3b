"""Write the report that somebody reads in the morning, as one self-contained page."""

from __future__ import annotations

import os
import re
from collections import Counter
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ddoauth_kit.errors.explainer import explain
from ddoauth_kit.leaks.people import mask_people
from ddoauth_kit.printable import counted
from ddoauth_kit.probing.probe_choice import area_of
from ddoauth_kit.registration.against_sandbox import VARIABLE
from ddoauth_kit.workbook.runs.comparison import ABSENT
from ddoauth_kit.workbook.runs.notebook_pages import page
from ddoauth_kit.workbook.runs.run_verdicts import TONES
from ddoauth_kit.workbook.verdicts.style import ROOT, css
from ddoauth_kit.workbook.verdicts.words_and_colours import GRAVITY, MARKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ddoauth_kit.workbook.runs.outcome import RunOutcome
    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun
    from ddoauth_kit.workbook.runs.run_verdicts import RunVerdict

_STYLE: Final = """
body { max-width: 84rem; }
.good { background: var(--good); color: var(--good-ink); }
.bad { background: var(--bad); color: var(--bad-ink); }
.odd { background: var(--odd); color: var(--odd-ink); }
.none { background: var(--none); color: var(--none-ink); }
.good a, .bad a, .odd a { color: inherit; }
.said { display: inline-block; padding: 0.2rem 0.7rem; border-radius: 4px; font-weight: 600; }
.soft { color: var(--soft); } .num { text-align: right; white-space: nowrap; }
td.word { white-space: nowrap; } small { opacity: 0.85; }
.matrix { font-size: 0.85rem; } .matrix td, .matrix th { padding: 0.25rem 0.45rem; }
.matrix th:first-child { position: sticky; left: 0; z-index: 1; }
.failure { border-left: 4px solid var(--bad-ink); padding-left: 0.8rem; margin: 1rem 0; }
.failure h3 { margin: 0; font-size: 1rem; } .failure p { margin: 0.3rem 0; }
details > summary { cursor: pointer; margin: 0.6rem 0; }
.area > summary { margin: 0.2rem 0; }
fieldset { border: 1px solid var(--line); border-radius: 4px; margin: 0.6rem 0; }
fieldset label { display: inline-block; margin-right: 1rem; white-space: nowrap; }
.matrix td[title] { text-align: center; }
@media print { details > :not(summary) { display: block; } fieldset { display: none; } }
.bar { display: block; height: 0.6rem; min-width: 2px; background: var(--link); }
.bars td:last-child { width: 40%; min-width: 6rem; vertical-align: middle; }
@media (max-width: 30rem) { body { padding: 0.7rem; } th, td { padding: 0.25rem 0.4rem; }
  .matrix th:first-child { max-width: 8.5rem; } }
"""
_CODE: Final = re.compile(r"\[([a-z_]+)\]")
_SLOWEST: Final = 10


def report(outcome: RunOutcome) -> str:
    """Return the report as HTML: failures, the matrix, differences, verdicts and timings."""
    sections = (_head, _failures, _matrix, _changes, _verdicts, _timings, _scan)
    body = "\n".join(part for section in sections for part in _safely(section, outcome))
    style = f"{_STYLE}{_filters()}{css(follow_system=True)}"
    return page(f"ddoauth run: {_result(outcome)}", body=f"<main>\n{body}\n</main>", style=style)


def _filters() -> str:
    """Return CSS rules that hide areas and rows without a verdict if its filter is checked."""
    return "".join(
        f".filter:has(.only-{verdict}:checked) ~ details:not(.has-{verdict}),"
        f".filter:has(.only-{verdict}:checked) ~ details tr.scope:not(.has-{verdict})"
        "{display:none}"
        for verdict in MARKS
    )


def _safely(section: Callable[[RunOutcome], Iterator[str]], outcome: RunOutcome) -> Iterator[str]:
    """Yield a section, or a note that it failed; a notebook can write anything into a table."""
    try:
        yield from list(section(outcome))
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        yield f"<p>This part of the report could not be created: {type(error).__name__}.</p>"


def _head(outcome: RunOutcome) -> Iterator[str]:
    tone = "bad" if outcome.failed or outcome.findings else "odd" if outcome.not_run else "good"
    sites = len({case.site for case in outcome.cases})
    notebooks = len({case.notebook for case in outcome.cases})
    clients = list(dict.fromkeys(case.client.label for case in outcome.cases))
    yield "<h1>Results of ddoauth run</h1>"
    yield f'<p><span class="said {tone}">{_result(outcome)}</span></p>'
    named = os.environ.get(VARIABLE, "").strip().removeprefix("http://")
    live = f"the sandbox at {_text(named)}" if named else "real Datadog"
    where = live if outcome.settings.mode == "live" else "the sandbox"
    yield (
        f'<p class="soft">{_count(notebooks, "notebook")}, run for {_count(sites, "site")}, '
        f"{_text(', '.join(clients))}, "
        f"against {where}. {_probed(outcome)}Started {_text(_moment(outcome.started))}, took "
        f"{outcome.seconds:.1f} s.</p>"
    )


def _probed(outcome: RunOutcome) -> str:
    """Say on how many sites scopes were probed, if a lesson probed others than its own."""
    probed = {verdict.site for verdict in outcome.verdicts}
    if probed <= {case.site for case in outcome.cases}:
        return ""
    return f"Scopes were probed on {_count(len(probed), 'site')}. "


def _failures(outcome: RunOutcome) -> Iterator[str]:
    yield "<h2>What failed</h2>"
    if not outcome.failed:
        yield "<p>Nothing.</p>"
    for (_, client, error), runs in _alike(outcome.failed).items():
        sites = ", ".join(_link(run, run.site) for run in runs)
        yield f'<div class="failure"><h3>{_text(_title(outcome, runs[0].notebook))} on {sites}</h3>'
        yield f'<p class="soft">{_text(client)}</p><p>{_prose(error)}</p>'
        yield from _explained(error)
        yield "</div>"
    if outcome.not_run:
        names = ", ".join(case.title for case in outcome.not_run)
        yield f"<p>Not run, because the run was interrupted: {_text(names)}.</p>"


def _alike(runs: list[NotebookRun]) -> dict[tuple[str, str, str], list[NotebookRun]]:
    """Group failures by notebook, client and error, because one cause often affects every site."""
    found: dict[tuple[str, str, str], list[NotebookRun]] = {}
    for run in runs:
        found.setdefault((run.notebook, run.client, run.complaint), []).append(run)
    return found


def _explained(error: str) -> Iterator[str]:
    """Explain the failure if the error has one of the kit's codes."""
    for code in _CODE.findall(error)[:1]:
        try:
            found = explain(code)
        except ValueError:
            return
        yield f"<p><strong>Why:</strong> {_prose(found.cause)}</p>"
        yield f"<p><strong>Next:</strong> {_prose(found.fix)}</p>"


def _matrix(outcome: RunOutcome) -> Iterator[str]:
    sites = list(dict.fromkeys(case.site for case in outcome.cases))
    runs = {(run.notebook, run.client, run.site): run for run in outcome.runs}
    several = len({case.client for case in outcome.cases}) > 1
    rows = dict.fromkeys((case.label, case.client.label) for case in outcome.cases)
    yield "<h2>Notebooks and sites</h2>"
    yield from _grid(
        ["notebook", *sites],
        (
            [
                _text(_title(outcome, name))
                + (f"<br><small>{_text(client)}</small>" if several else ""),
                *(_cell(runs.get((name, client, site))) for site in sites),
            ]
            for name, client in rows
        ),
    )


def _cell(run: NotebookRun | None) -> str:
    if run is None:
        return '<td class="word none">not run</td>'
    tone = "bad" if run.error else "good"
    again = f"<br>started {run.attempts} times" if run.attempts > 1 else ""
    seconds = f"<br><small>{run.seconds:.1f} s</small>"
    return f'<td class="word {tone}">{_link(run, run.status)}{seconds}{again}</td>'


def _verdicts(outcome: RunOutcome) -> Iterator[str]:
    found = sorted(outcome.verdicts, key=lambda v: v.client)
    if not found:
        return
    yield "<h2>Scopes and sites</h2>"
    for client, group in groupby(found, key=lambda v: v.client):
        verdicts = list(group)
        if len(verdicts) < len(found):
            yield f"<h3>{_text(client)}</h3>"
        yield from _scopes(verdicts, client)
        yield from _evidence(verdicts)


def _scopes(verdicts: Sequence[RunVerdict], client: str) -> Iterator[str]:
    """Yield the totals (legend and filter), and the scopes, grouped by area and collapsed."""
    sites = list(dict.fromkeys(v.site for v in verdicts))
    cells = {(v.scope, v.site): v for v in verdicts}
    totals = Counter(v.verdict for v in verdicts)
    areas: dict[str, list[str]] = {}
    for scope in sorted({v.scope for v in verdicts}):
        areas.setdefault(area_of(scope), []).append(scope)
    yield f'<div class="{ROOT}">'
    yield from _filter(totals, name=f"show-{client}", whole=len(verdicts))
    for area in sorted(areas, key=str.lower):
        yield from _area(area, areas[area], cells, sites)
    yield "</div>"


def _filter(totals: Counter[str], *, name: str, whole: int) -> Iterator[str]:
    yield '<fieldset class="filter"><legend>Show scopes with the verdict</legend>'
    yield f'<label><input type="radio" name="{_text(name)}" checked> any ({whole})</label>'
    for verdict in GRAVITY:
        if number := totals[verdict]:
            mark = MARKS[verdict]
            yield (
                f'<label><input type="radio" name="{_text(name)}" class="only-{verdict}"> '
                f'<span class="chip {verdict}">{mark.name}</span> {mark.short} ({number})</label>'
            )
    yield "</fieldset>"


def _area(
    area: str, scopes: Sequence[str], cells: dict[tuple[str, str], RunVerdict], sites: Sequence[str]
) -> Iterator[str]:
    found = [v for scope in scopes for site in sites if (v := cells.get((scope, site)))]
    counted = Counter(v.verdict for v in found)
    chips = " ".join(
        f'<span class="chip {verdict}">{MARKS[verdict].name} {counted[verdict]}</span>'
        for verdict in GRAVITY
        if counted[verdict]
    )
    opened = " open" if any(v.tone == "bad" for v in found) else ""
    yield f'<details class="area {_marked(found)}"{opened}><summary><strong>{_text(area)}</strong> '
    yield f"({_count(len(scopes), 'scope')}) {chips}</summary>"
    yield '<div class="wide" tabindex="0"><table class="matrix"><thead><tr>'
    yield "".join(f'<th scope="col">{_text(name)}</th>' for name in ("scope", *sites))
    yield "</tr></thead><tbody>"
    for scope in scopes:
        row = [cells.get((scope, site)) for site in sites]
        marks = _marked(v for v in row if v)
        yield f'<tr class="scope {marks}"><th scope="row">{_name(scope)}</th>'
        yield f"{''.join(map(_verdict, row))}</tr>"
    yield "</tbody></table></div></details>"


def _marked(verdicts: Iterable[RunVerdict]) -> str:
    """Return the classes that a filter looks for; a notebook may give verdicts any name."""
    return " ".join(sorted({f"has-{v.verdict}" for v in verdicts if v.verdict in MARKS}))


def _verdict(verdict: RunVerdict | None) -> str:
    if verdict is None:
        return '<td class="none">no verdict</td>'
    mark = MARKS.get(verdict.verdict)  # type: ignore[call-overload] # a notebook may say anything
    if mark is None:
        return f'<td class="none">{_text(verdict.words)}</td>'
    return f'<td class="{verdict.verdict}" title="{mark.name}">{mark.short}</td>'


def _evidence(verdicts: Sequence[RunVerdict]) -> Iterator[str]:
    rows = (
        (v.scope, v.site, v.words, f"{v.method} {v.path}", v.status, v.seconds, v.evidence)
        for v in verdicts
    )
    yield f"<details><summary>Evidence of {counted(len(verdicts), 'verdict')}</summary>"
    yield from _table(("scope", "site", "verdict", "call", "status", "seconds", "evidence"), rows)
    yield "</details>"


def _changes(outcome: RunOutcome) -> Iterator[str]:
    if outcome.earlier is None:
        return
    yield "<h2>What changed</h2>"
    parts, changes = outcome.comparison.parts, outcome.comparison.differences
    took = f"It took {outcome.earlier.seconds:.1f} s then, {outcome.seconds:.1f} s now."
    unchanged = "Nothing in both runs has changed since" if parts else "Nothing has changed since"
    said = f"{counted(len(changes), 'difference')} from" if changes else unchanged
    yield f"<p>{said} {_text(outcome.earlier.name)}. {took}</p>"
    if parts:
        yield f"<ul>{''.join(f'<li>{_name(part.words)}.</li>' for part in parts)}</ul>"
    if not changes:
        return
    yield '<div class="wide" tabindex="0"><table><tr>'
    yield from (f'<th scope="col">{name}</th>' for name in ("what", "before", "now"))
    yield "</tr>"
    for change in changes:
        yield f"<tr><td>{_name(change.what)}</td>{_word(change.before)}{_word(change.now)}</tr>"
    yield "</table></div>"


def _word(word: str) -> str:
    """Return a cell in the tone of a verdict or a result."""
    known = {"passed": "good", "failed": "bad", ABSENT: "none"}
    tone = known.get(word) or TONES.get(word.replace(" ", "_"), "odd")
    return f'<td class="word {tone}">{_text(word)}</td>'


def _timings(outcome: RunOutcome) -> Iterator[str]:
    slowest = sorted(outcome.runs, key=lambda run: -run.seconds)[:_SLOWEST]
    if not slowest or not slowest[0].seconds:
        return
    total = sum(run.seconds for run in outcome.runs)
    yield "<h2>Timings</h2>"
    yield (
        f"<p>{counted(len(outcome.runs), 'notebook')} took {total:.1f} s one by one, and "
        f"{outcome.seconds:.1f} s side by side. The slowest:</p>"
    )
    yield '<div class="wide" tabindex="0"><table class="bars"><tr><th scope="col">notebook</th>'
    yield '<th scope="col">site</th><th scope="col">seconds</th><th scope="col">share</th></tr>'
    for run in slowest:
        share = 100 * run.seconds / slowest[0].seconds
        bar = f'<span class="bar" style="width:{share:.0f}%"></span>'
        yield f"<tr><td>{_link(run, _title(outcome, run.notebook))}</td><td>{_text(run.site)}</td>"
        yield f'<td class="num">{run.seconds:.1f}</td><td>{bar}</td></tr>'
    yield "</table></div>"


def _scan(outcome: RunOutcome) -> Iterator[str]:
    if outcome.findings is None:
        return
    yield "<h2>Secrets in the results</h2>"
    if not outcome.findings:
        yield "<p>All files of this run were scanned for secrets, and none was found.</p>"
        return
    yield f'<p class="said bad">{len(outcome.findings)} found: delete them.</p>'
    yield from _table(
        ("file", "where", "what"), ((f.path, f.where, f.what) for f in outcome.findings)
    )


def _result(outcome: RunOutcome) -> str:
    text = f"{outcome.passed} of {len(outcome.cases)} passed"
    return f"{text}, {len(outcome.failed)} failed" if outcome.failed else text


def _grid(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield a table of words by site; each row's first cell names it and stays in view."""
    yield '<div class="wide" tabindex="0"><table class="matrix"><tr>'
    yield "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    yield "</tr>"
    for first, *cells in rows:
        yield f'<tr><th scope="row">{first}</th>{"".join(cells)}</tr>'
    yield "</table></div>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield '<div class="wide" tabindex="0"><table><tr>'
    yield "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    yield "</tr>"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>"
    yield "</table></div>"


def _link(run: NotebookRun, text: str = "") -> str:
    return f'<a href="{quote(run.name)}.html">{_text(text or run.notebook)}</a>'


def _title(outcome: RunOutcome, notebook: str) -> str:
    """Return a lesson's number and title, or its file name if the notebook has no title."""
    title = outcome.titles.get(notebook, "")
    number, _, _ = notebook.partition("_")
    return f"{number} {title}" if title and number.isdigit() else title or notebook


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _name(text: str) -> str:
    """Return a name that can wrap after underscores in a narrow column."""
    return _text(text).replace("_", "_<wbr>")


def _prose(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", _text(text))


def _moment(started: str) -> str:
    return f"{started[:10]} {started[11:16]} UTC"


def _text(text: str) -> str:
    return escape(mask_people(text))
