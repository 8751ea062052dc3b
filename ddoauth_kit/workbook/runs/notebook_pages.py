"""Show executed notebooks as self-contained pages."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from ddoauth_kit.leaks.people import mask_people
from ddoauth_kit.workbook.runs.clean_html import clean_html
from ddoauth_kit.workbook.runs.sequence_diagram import sequence_svg
from ddoauth_kit.workbook.verdicts.style import ROOT, css

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nbformat import NotebookNode

# Outputs may be anybody's HTML; this policy is a second barrier behind `clean_html`.
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'"
)
STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --page: #ffffff;
  --box: #f4f6f8; --line: #d0d7de; --link: #0550ae; --good: #d8f0dd; --good-ink: #0b4a1e;
  --bad: #ffdcd8; --bad-ink: #7d0f0a; --odd: #fff1c2; --odd-ink: #5c4100; --none: #eceff2;
  --none-ink: #454c54; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #a3adb8; --page: #14181d;
  --box: #1e242b; --line: #3a434d; --link: #80b8ff; --good: #143d22; --good-ink: #b6f0c6;
  --bad: #56191a; --bad-ink: #ffd5d1; --odd: #4a3a08; --odd-ink: #ffe9a6; --none: #2a3139;
  --none-ink: #c3cbd4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; color: var(--ink); background: var(--page);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
a { color: var(--link); }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2rem; }
pre, code { font: 0.85rem/1.45 ui-monospace, monospace; }
pre { margin: 0; padding: 0.6rem; overflow-x: auto; background: var(--box); border-radius: 4px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.6rem; border: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { background: var(--box); }
"""
_CELLS: Final = """
.k, .kn, .kc, .ow, .nb { color: var(--link); } .s1, .s2, .sa, .sd, .se { color: var(--text); }
.c1, .cm { color: var(--soft); font-style: italic; } .mi, .mf { color: var(--number); }
:root { --text: #0a5c2b; --number: #8a3a00; }
@media (prefers-color-scheme: dark) { :root { --text: #8ddba8; --number: #ffb585; } }
.failed { background: var(--bad); color: var(--bad-ink); padding: 0.4rem 0.8rem; }
.failed a { color: inherit; } .diagram { width: 100%; min-width: 40rem; max-width: 50rem; }
.cell { margin: 0.8rem 0; contain: content; overflow-x: auto; }
.out { margin: 0.4rem 0 0.4rem 0.8rem; }
.out pre { background: none; padding: 0.2rem 0; }
.error pre, .stderr pre { border-left: 3px solid var(--bad-ink); padding-left: 0.6rem; }
.error pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.out img { max-width: 100%; background: #ffffff; }
summary { cursor: pointer; }
"""
_BANNER: Final = "papermill-error-cell-tag"
_DIAGRAM: Final = re.compile(r"^```mermaid\n((?:(?!```).*\n){0,2000})```$", re.MULTILINE)
_INSIDE: Final = re.compile(r'<a href="([^":#]+)(?:#[^"]*)?">((?:(?!<a ).)*?)</a>', re.DOTALL)
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# The time of Markdown readers grows with the square of the text's length.
_LONGEST_PROSE: Final = 30_000
_PICTURES: Final = ("image/svg+xml", "image/png", "image/jpeg")


def page(title: str, *, body: str, style: str = "") -> str:
    """Return a complete HTML page with its own style and without scripts."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def notebook_page(
    notebook: NotebookNode,
    *,
    title: str,
    suffix: str = "",
    siblings: Collection[str] = (),
    until: float | None = None,
) -> str:
    """Return an executed notebook as a page; people's names are masked in it.

    A link to another notebook leads to that notebook's page, if `siblings` contains its name with
    the same `suffix`. Other links within the repository would be broken, so only their text is
    kept.

    Raises:
        TimeoutError: the page was not finished by `until` (a `time.monotonic` value).
    """

    def link(found: re.Match[str]) -> str:
        name = unquote(unescape(found[1])).removesuffix(".ipynb") + suffix
        return f'<a href="{quote(name)}.html">{found[2]}</a>' if name in siblings else found[2]

    shown = [cell for cell in notebook.cells if not _is_doubled(cell, notebook)]
    cells = "\n".join(_cell(cell) for cell in _in_time(shown, until))
    body = f"<main>\n{_failure(notebook)}{_INSIDE.sub(link, cells)}\n</main>"
    back = '<nav><a href="report.html">Back to the report</a></nav>'
    tables = css(follow_system=True) if ROOT in cells else ""
    return page(title, body=f"{back}\n{body}", style=_CELLS + tables)


def empty_page(title: str, *, why: str) -> str:
    """Return a replacement for a page that could not be created."""
    text = f"<p>{escape(title)}: this page could not be created ({escape(why)}).</p>"
    return page(title, body=f'<nav><a href="report.html">Back to the report</a></nav>\n{text}')


def _in_time(cells: list[NotebookNode], until: float | None) -> Iterator[NotebookNode]:
    for cell in cells:
        if until is not None and time.monotonic() > until:
            raise TimeoutError
        yield cell


def _cell(cell: NotebookNode) -> str:
    if cell.cell_type == "markdown":
        return f'<div class="cell">{_prose(mask_people(cell.source))}</div>'
    source = _pre(f"<code>{_highlighted(mask_people(_joined(cell.source)))}</code>")
    outputs = "\n".join(_output(output) for output in cell.get("outputs", ()))
    mark = ' id="failed"' if _failed(cell) else ""
    if "solution" in _tags(cell):
        inside = f"<details><summary>Show a solution</summary>{source}\n{outputs}</details>"
        return f'<div class="cell"{mark}>{inside}</div>'
    return f'<div class="cell"{mark}>{source}\n{outputs}</div>'


def _tags(cell: NotebookNode) -> tuple[str, ...]:
    return tuple(cell.get("metadata", {}).get("tags", ()))


def _is_doubled(cell: NotebookNode, notebook: NotebookNode) -> bool:
    """Return whether a cell is redundant: papermill's banner, or parameters that it replaced."""
    injected = any("injected-parameters" in _tags(each) for each in notebook.cells)
    return _BANNER in _tags(cell) or (injected and "parameters" in _tags(cell))


def _failed(cell: NotebookNode) -> bool:
    expected = "raises-exception" in _tags(cell)
    outputs = cell.get("outputs", ())
    return not expected and any(each.output_type == "error" for each in outputs)


def _failure(notebook: NotebookNode) -> str:
    """State at the top which cell failed, with a link to it."""
    if not any(map(_failed, notebook.cells)):
        return ""
    where = '<a href="#failed">go to its error</a>'
    return f'<p class="failed">A cell failed: {where}. The cells after it did not run.</p>\n'


def _prose(source: str) -> str:
    """Return Markdown as HTML, with sequence diagrams as pictures."""
    parts = _DIAGRAM.split(source)
    drawn = [_markdown(part) if i % 2 == 0 else _diagram(part) for i, part in enumerate(parts)]
    return "".join(drawn)


def _diagram(source: str) -> str:
    svg = sequence_svg(source) if len(source) < _LONGEST_PROSE else None
    if svg is None:
        return _pre(escape(source))
    coded = b64encode(svg.encode()).decode()
    named = escape(source.replace("\n", "; "))
    picture = f'<img class="diagram" alt="{named}" src="data:image/svg+xml;base64,{coded}">'
    return f'<div class="wide" tabindex="0">{picture}</div>'


@lru_cache(maxsize=2048)
def _highlighted(source: str) -> str:
    """Return escaped Python code, with spans around coloured parts."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    clean = _ANSI.sub("", source)
    if len(clean) > _LONGEST_PROSE:
        return escape(clean)
    formatter = HtmlFormatter(nowrap=True)
    return str(highlight(clean, PythonLexer(stripnl=False, ensurenl=False), formatter))


@lru_cache(maxsize=2048)
def _markdown(text: str) -> str:
    """Return prose as HTML; it is cached, because lessons are the same on each site."""
    from ddoauth_kit.publishing.markdown import as_html

    if len(text) > _LONGEST_PROSE:
        return _pre(escape(text))
    html = _reachable(clean_html(as_html(text)))
    wide = html.replace("<table>", '<div class="wide" tabindex="0"><table>')
    return wide.replace("</table>", "</table></div>")


def _output(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return f'<div class="out {escape(output.name)}">{_pre(_text(output.text))}</div>'
    if output.output_type == "error":
        return f'<div class="out error">{_pre(_text(chr(10).join(output.traceback)))}</div>'
    return f'<div class="out wide" tabindex="0">{"".join(_display(output.get("data", {})))}</div>'


def _display(data: dict[str, Any]) -> Iterator[str]:
    """Yield an output's richest form that works without scripts."""
    if "text/html" in data:
        yield _reachable(clean_html(mask_people(_joined(data["text/html"]))))
        return
    for kind in _PICTURES:
        if kind in data:
            content = _joined(data[kind])
            coded = b64encode(content.encode()).decode() if kind == _PICTURES[0] else content
            named = escape(_joined(data.get("text/plain", "figure")))
            yield f'<img alt="{named}" src="data:{kind};base64,{"".join(coded.split())}">'
            return
    if "text/markdown" in data:
        yield _markdown(mask_people(_joined(data["text/markdown"])))
    elif "text/plain" in data:
        yield _pre(_text(_joined(data["text/plain"])))


def _pre(html: str) -> str:
    return f'<pre tabindex="0">{html}</pre>'


def _reachable(html: str) -> str:
    """Make parts that may be wider than the page scrollable by keyboard."""
    return re.sub(r"<pre(?! tabindex)", '<pre tabindex="0"', html)


def _text(text: str) -> str:
    return escape(mask_people(_ANSI.sub("", _joined(text))))


def _joined(value: Any) -> str:  # noqa: ANN401 - whatever a notebook wrote
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
