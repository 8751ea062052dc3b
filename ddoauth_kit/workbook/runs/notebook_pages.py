"""Show executed notebooks as pages that hold all they need, and load nothing from anywhere."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from ddoauth_kit.masking.people import mask_people
from ddoauth_kit.workbook.runs.clean_html import clean_html
from ddoauth_kit.workbook.verdicts.style import ROOT, css

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nbformat import NotebookNode

# Outputs are anybody's HTML, see `clean_html`; this policy is the second wall behind it.
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
.cell { margin: 0.8rem 0; contain: content; overflow-x: auto; }
.out { margin: 0.4rem 0 0.4rem 0.8rem; }
.out pre { background: none; padding: 0.2rem 0; }
.error pre, .stderr pre { border-left: 3px solid var(--bad-ink); padding-left: 0.6rem; }
.out img { max-width: 100%; background: #ffffff; }
"""
_INSIDE: Final = re.compile(r'<a href="([^":#]+)(?:#[^"]*)?">((?:(?!<a ).)*?)</a>', re.DOTALL)
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Markdown readers take a time that grows with the square of what they are given.
_LONGEST_PROSE: Final = 30_000
_PICTURES: Final = ("image/svg+xml", "image/png", "image/jpeg")


def page(title: str, *, body: str, style: str = "") -> str:
    """Return a whole HTML page with its own style and without any script."""
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

    A link to another notebook leads to its page, if `siblings` has its name with this one's
    `suffix`; other links within the repository lead nowhere here, and only their text is left.

    Raises:
        TimeoutError: the page was not done at `until` (of `time.monotonic`).
    """

    def link(found: re.Match[str]) -> str:
        name = unquote(unescape(found[1])).removesuffix(".ipynb") + suffix
        return f'<a href="{quote(name)}.html">{found[2]}</a>' if name in siblings else found[2]

    cells = "\n".join(_cell(cell) for cell in _in_time(notebook.cells, until))
    body = f"<main>\n{_INSIDE.sub(link, cells)}\n</main>"
    back = '<p><a href="report.html">Back to the report</a></p>'
    tables = css(follow_system=True) if ROOT in cells else ""
    return page(title, body=f"{back}\n{body}", style=_CELLS + tables)


def empty_page(title: str, *, why: str) -> str:
    """Return a page in the place of one that could not be made."""
    text = f"<p>{escape(title)}: this page could not be made ({escape(why)}).</p>"
    return page(title, body=f'<p><a href="report.html">Back to the report</a></p>\n{text}')


def _in_time(cells: list[NotebookNode], until: float | None) -> Iterator[NotebookNode]:
    for cell in cells:
        if until is not None and time.monotonic() > until:
            raise TimeoutError
        yield cell


def _cell(cell: NotebookNode) -> str:
    if cell.cell_type == "markdown":
        return f'<div class="cell">{_markdown(mask_people(cell.source))}</div>'
    source = f"<pre><code>{_text(cell.source)}</code></pre>"
    outputs = "\n".join(_output(output) for output in cell.get("outputs", ()))
    return f'<div class="cell">{source}\n{outputs}</div>'


@lru_cache(maxsize=2048)
def _markdown(text: str) -> str:
    """Return prose as HTML; lessons are the same on each site, so most of it is made once."""
    from ddoauth_kit.publishing.markdown import as_html

    if len(text) > _LONGEST_PROSE:
        return f"<pre>{escape(text)}</pre>"
    return clean_html(as_html(text))


def _output(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return f'<div class="out {escape(output.name)}"><pre>{_text(output.text)}</pre></div>'
    if output.output_type == "error":
        return f'<div class="out error"><pre>{_text(chr(10).join(output.traceback))}</pre></div>'
    return f'<div class="out wide">{"".join(_display(output.get("data", {})))}</div>'


def _display(data: dict[str, Any]) -> Iterator[str]:
    """Yield the richest form of an output that needs no script."""
    if "text/html" in data:
        yield clean_html(mask_people(_joined(data["text/html"])))
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
        yield f"<pre>{_text(_joined(data['text/plain']))}</pre>"


def _text(text: str) -> str:
    return escape(mask_people(_ANSI.sub("", _joined(text))))


def _joined(value: Any) -> str:  # noqa: ANN401 - whatever a notebook wrote
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
