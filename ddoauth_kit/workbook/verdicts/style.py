"""Styles for verdict tables in JupyterLab and on separate pages, in light and dark mode."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

if TYPE_CHECKING:
    from ddoauth_kit.workbook.verdicts.words_and_colours import Colours

ROOT: Final = "ddoauth-verdicts"
# JupyterLab right-aligns cells with two classes and an element, hence `.R.R`. JupyterLab and VS
# Code mark the active theme on the body. A separate page asks the reader's system
# (`follow_system`), which a notebook must not do, because its theme may be different.
_DARK_BODIES: Final = ('body[data-jp-theme-light="false"]', "body.vscode-dark")
_NIGHT: Final = f".{ROOT}{{--ink:#e6eaef;--page:#14181d;--soft:#1e242b;--line:#3a434d}}"
_TABLES: Final = """
.R{--ink:var(--jp-ui-font-color1,#1f2328);--page:var(--jp-layout-color1,#fff);
--soft:var(--jp-layout-color2,#f3f4f6);--line:var(--jp-border-color2,#d0d7de);
color:var(--ink);font-size:13px;line-height:1.4}
.R p{margin:.4em 0}
.R table{border-collapse:collapse;font-size:12px;margin:.3em 0}
.R.R th,.R.R td{text-align:left;vertical-align:top}
.R th,.R td{padding:2px 6px;border:1px solid var(--line);
background:var(--page);color:var(--ink);white-space:normal}
.R thead th{background:var(--soft);position:sticky;top:0;z-index:2;overflow-wrap:normal}
.R tbody th{font-weight:normal;overflow-wrap:anywhere;position:sticky;left:0;z-index:1}
.R thead th:first-child{left:0;z-index:3}
.R .scroll{overflow:auto;max-height:70vh;border:1px solid var(--line)}
.R .scroll:focus-visible,.R summary:focus-visible{outline:2px solid var(--jp-brand-color1,#0969da)}
.R summary{cursor:pointer;padding:4px 6px;background:var(--soft);position:sticky;left:0}
.R .scroll details{border-top:1px solid var(--line);min-width:46rem}
.R .scroll details:first-child{border-top:0}
.R .areas table{table-layout:fixed;width:100%;margin:0}
.R .areas col:first-child{width:32%}
.R .counts{max-height:none;border:0;margin-bottom:.6em}
.R .chip{display:inline-block;padding:0 5px;border-radius:3px;margin:1px 0}
.R .counts tbody th{overflow-wrap:normal}
.R .long td,.R .long tbody th{overflow-wrap:anywhere}
.R .long td.mark,.R .long td.fix,.R .chip{overflow-wrap:normal;white-space:nowrap}
.R .picture{overflow-x:auto}.R .picture svg{display:block;max-width:100%;height:auto}
.R .wide svg{min-width:56rem}
@media(max-width:600px){.R .scroll summary{box-sizing:border-box;max-width:92vw}
.R .areas col:first-child{width:9.5rem}.R .scroll details{min-width:42rem}
.R .long thead{display:none}.R .long,.R .long tbody,.R .long tr,.R .long th,.R .long td{
display:block;border:0;position:static;padding:1px 0}
.R .long tr{border-bottom:1px solid var(--line);padding:4px 0}
.R .long tbody th{font-weight:bold}.R .long td.mark{display:inline-block;margin-right:6px}}
"""


def style(*, follow_system: bool = False) -> str:
    """Return the style element that a verdict table includes."""
    return f"<style>{css(follow_system=follow_system)}</style>"


@cache
def css(*, follow_system: bool = False) -> str:
    """Return the rules of that element, for a page with tables that don't include it."""
    dark = _colours("dark")
    rules = [_TABLES.strip().replace(".R", f".{ROOT}"), *_rules(_colours("light"), f".{ROOT}")]
    for body in _DARK_BODIES:
        rules += _rules(dark, f"{body} .{ROOT}")
    if follow_system:
        rules += ["@media(prefers-color-scheme:dark){", _NIGHT, *_rules(dark, f".{ROOT}"), "}"]
    return "".join(rules)


def _colours(theme: str) -> dict[str, Colours]:
    return {str(verdict): getattr(mark, theme) for verdict, mark in MARKS.items()}


def _rules(colours: dict[str, Colours], within: str) -> list[str]:
    return [
        f"{within} .{name}{{color:{c.text};background:{c.ground}}}" for name, c in colours.items()
    ]
