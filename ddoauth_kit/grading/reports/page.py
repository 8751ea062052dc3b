"""Show a report as one printable HTML page, light and dark, without scripts or external files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.reports.coverage import LEFT_OUT, NOT_ASKED, coverage
from ddoauth_kit.grading.reports.masked import masked
from ddoauth_kit.grading.results import GRAVITY, VERDICT_MEANINGS, Grade, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ddoauth_kit.grading.reports.comparison import VerdictChange
    from ddoauth_kit.grading.reports.coverage import Covered
    from ddoauth_kit.grading.results import CheckResult, GradeReport

# The report shows parts of foreign pages. They are escaped, and this is a second barrier.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
)
_TONES: Final = {
    Grade.BROKEN: "broken",
    Grade.INCOMPLETE: "not_tested",
    Grade.RISK: "risk",
    Grade.MET: "met",
}
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --page: #ffffff;
  --box: #f4f6f8; --line: #d0d7de; --link: #0550ae; --met: #d8f0dd; --met-ink: #0b4a1e;
  --broken: #ffdcd8; --broken-ink: #7d0f0a; --risk: #fff1c2; --risk-ink: #5c4100;
  --none: #e4e8ec; --none-ink: #3d444c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #a3adb8; --page: #14181d;
  --box: #1e242b; --line: #3a434d; --link: #80b8ff; --met: #143d22; --met-ink: #b6f0c6;
  --broken: #56191a; --broken-ink: #ffd5d1; --risk: #4a3a08; --risk-ink: #ffe9a6;
  --none: #2a3139; --none-ink: #c3cbd4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; color: var(--ink); background: var(--page);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; }
code, pre { font: 0.85rem/1.45 ui-monospace, monospace; }
pre { margin: 0.3rem 0; padding: 0.5rem; background: var(--box); white-space: pre-wrap; }
.chip { display: inline-block; padding: 0 0.5rem; border-radius: 4px; white-space: nowrap; }
.met { background: var(--met); color: var(--met-ink); }
.broken { background: var(--broken); color: var(--broken-ink); }
.risk { background: var(--risk); color: var(--risk-ink); }
.not_seen, .not_tested, .no_verdict { background: var(--none); color: var(--none-ink); }
.grade { font-weight: 600; padding: 0.2rem 0.7rem; }
.soft { color: var(--soft); }
fieldset { border: 1px solid var(--line); border-radius: 4px; margin: 0.8rem 0; }
fieldset label { display: inline-block; margin-right: 1rem; }
details { border: 1px solid var(--line); border-radius: 4px; margin: 0.4rem 0;
  padding: 0.4rem 0.7rem; }
summary { cursor: pointer; }
summary:focus-visible, .wide:focus-visible { outline: 2px solid var(--link); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.2rem 0.8rem;
  margin: 0.5rem 0; }
dd { margin: 0; } dt { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.5rem; border: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { background: var(--box); } tbody th { font-weight: normal; }
@media (max-width: 30rem) { body { padding: 0.6rem; } dl { display: block; } }
@media print { fieldset { display: none; } details { break-inside: avoid; }
  details::details-content { content-visibility: visible; height: auto; } }
"""


def grade_page(report: GradeReport, *, changed: Sequence[VerdictChange] = ()) -> str:
    """Return the whole page."""
    report = masked(report)
    title = f"Grade: {report.grade}"
    parts = (
        *_head(report),
        *_lists(report),
        *(_changes(changed) if changed else ()),
        *_checks(report),
        *_coverage(report),
        *_meanings(),
    )
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}{_filters()}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _filters() -> str:
    """Return CSS rules that hide checks with other verdicts while one verdict is selected."""
    return "".join(
        f".filter:has(.only-{each}:checked) ~ details.check:not(.is-{each}){{display:none}}"
        for each in Verdict
    )


def _head(report: GradeReport) -> Iterator[str]:
    yield "<h1>What this server's OAuth does</h1>"
    yield f'<p><span class="chip grade {_TONES[report.grade]}">{report.grade}</span></p>'
    yield f"<p>{escape(report.headline)}</p>"
    yield (
        f'<p class="soft">{report.connects} connections on {escape(", ".join(report.sites))} took '
        f"{report.seconds:.1f} s, against the sandbox.</p>"
    )


def _lists(report: GradeReport) -> Iterator[str]:
    left_out = tuple(f"{name}: {reason}" for name, reason in report.left_out.items())
    for title, texts in (
        ("Tolerated, so that grading could continue", report.tolerated),
        ("Skipped by the settings", left_out),
        ("Notes", report.notes),
    ):
        if texts:
            items = "".join(f"<li>{escape(text)}</li>" for text in texts)
            yield f"<h2>{title}</h2><ul>{items}</ul>"


def _changes(changed: Sequence[VerdictChange]) -> Iterator[str]:
    lines = "".join(f"<li>{escape(each.line)}</li>" for each in changed)
    yield f"<h2>What changed</h2><ul>{lines}</ul>"


def _checks(report: GradeReport) -> Iterator[str]:
    yield '<h2>Checks</h2><section class="checks" aria-label="Checks">'
    yield '<fieldset class="filter"><legend>Show</legend>'
    yield f'<label><input type="radio" name="show" checked> all ({len(report.results)})</label>'
    for verdict, number in report.counts.items():
        yield (
            f'<label><input type="radio" name="show" class="only-{verdict}"> '
            f"{_chip(verdict, verdict.words)} ({number})</label>"
        )
    yield "</fieldset>"
    for verdict in GRAVITY:
        yield from (_check(each) for each in report.results if each.verdict is verdict)
    yield "</section>"


def _check(result: CheckResult) -> str:
    requirement = result.requirement
    facts = {
        "source": requirement.source,
        "expected": result.expected,
        "actual": result.actual,
        "why": result.reason,
        "fix": "" if result.verdict is Verdict.MET else requirement.fix,
        "site": result.site,
    }
    shown = "".join(
        f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items() if text
    )
    quoted = "".join(
        f"<p class='soft'>{title}</p><pre>{escape(text)}</pre>"
        for title, text in (
            ("Requests that the sandbox saw", "\n".join(result.evidence)),
            ("From the page or the log", result.excerpt),
        )
        if text
    )
    opened = " open" if result.verdict is Verdict.BROKEN else ""
    return (
        f'<details class="check is-{result.verdict}"{opened}><summary>'
        f"{_chip(result.verdict, result.verdict.words)} <code>{requirement.id}</code> "
        f"{escape(requirement.sentence)}</summary><dl>{shown}</dl>{quoted}</details>"
    )


def _coverage(report: GradeReport) -> Iterator[str]:
    yield "<h2>All requirements</h2>"
    head = ("requirement", "verdict", "worst", "source", "what was seen")
    yield from _table("All requirements", head, map(_covered, coverage(report)))


def _covered(row: Covered) -> tuple[str, ...]:
    kind = row.result.verdict if row.result else "no_verdict"
    return (
        f"<code>{row.requirement.id}</code>",
        _chip(kind, row.word),
        row.requirement.worst.words,
        escape(row.requirement.source),
        escape(row.said),
    )


def _meanings() -> Iterator[str]:
    yield "<h2>What the verdicts mean</h2><dl>"
    for verdict, meaning in VERDICT_MEANINGS.items():
        yield f"<dt>{_chip(verdict, verdict.words)}</dt><dd>{escape(meaning)}</dd>"
    unknown = {
        LEFT_OUT: "The settings skip it, for the reason shown.",
        NOT_ASKED: "This run graded only other checks.",
    }
    for word, meaning in unknown.items():
        yield f"<dt>{_chip('no_verdict', word)}</dt><dd>{meaning}</dd>"
    yield "</dl>"


def _table(label: str, head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a table of HTML cells that scrolls on its own on a narrow screen."""
    yield f'<div class="wide" tabindex="0" role="group" aria-label="{label}"><table><thead><tr>'
    yield "".join(f'<th scope="col">{name}</th>' for name in head)
    yield "</tr></thead><tbody>"
    for first, *cells in rows:
        rest = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f'<tr><th scope="row">{first}</th>{rest}</tr>'
    yield "</tbody></table></div>"


def _chip(kind: str, word: str) -> str:
    return f'<span class="chip {kind}">{word}</span>'
