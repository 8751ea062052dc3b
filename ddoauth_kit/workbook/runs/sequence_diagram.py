"""Draw a Mermaid sequence diagram as SVG, for pages without scripts.

It supports what the lessons use: `participant`, `actor`, `A->>B: text` and `Note over A: text`.
Mermaid itself needs a browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Final

_WHO: Final = re.compile(r"(?:participant|actor)\s+(\w+)(?:\s+as\s+(.+))?")
_SAID: Final = re.compile(r"(\w+)\s*-?->>\s*(\w+)\s*:\s*(.+)")
_NOTE: Final = re.compile(r"Note over\s+(\w+)(?:\s*,\s*\w+)?\s*:\s*(.+)")
_COLUMN: Final = 190
_ROW: Final = 44
_LINE: Final = 16
_TOP: Final = 60
_WRAP: Final = 34
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1b1f24}.w{fill:#f4f6f8;stroke:#8b949e}"
    "path,line{stroke:#57606a;fill:none}.h{fill:#57606a}.n{fill:#fff1c2;stroke:#b08800}"
    ".n+text,.n~.t{fill:#1b1f24}"
    "@media(prefers-color-scheme:dark){text{fill:#e6eaef}.w{fill:#1e242b}"
    "path,line{stroke:#a3adb8}.h{fill:#a3adb8}.n{fill:#4a3a08}.n+text,.n~.t{fill:#ffe9a6}}"
)


@dataclass(frozen=True, slots=True)
class _Step:
    """A message from one column to another, or a note over a column."""

    start: int
    end: int | None
    lines: tuple[str, ...]


def sequence_svg(source: str) -> str | None:
    """Return the picture, or None for another kind of diagram or an unsupported line."""
    head, *lines = [line.strip() for line in source.strip().splitlines() if line.strip()]
    if head != "sequenceDiagram":
        return None
    names: dict[str, str] = {}
    steps: list[_Step] = []
    for line in lines:
        if who := _WHO.fullmatch(line):
            names[who[1]] = who[2] or who[1]
        elif (said := _SAID.fullmatch(line)) and {said[1], said[2]} <= names.keys():
            order = list(names)
            steps.append(_Step(order.index(said[1]), order.index(said[2]), _wrapped(said[3])))
        elif (note := _NOTE.fullmatch(line)) and note[1] in names:
            steps.append(_Step(list(names).index(note[1]), None, _wrapped(note[2])))
        else:
            return None
    return _drawn(list(names.values()), steps)


def _wrapped(text: str) -> tuple[str, ...]:
    lines = [""]
    for word in text.replace("<br/>", " ").split():
        if lines[-1] and len(lines[-1]) + len(word) >= _WRAP:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return tuple(lines)


def _drawn(names: list[str], steps: list[_Step]) -> str:
    width = _COLUMN * len(names) + 20
    parts: list[str] = []
    y = _TOP
    for step in steps:
        y += _ROW + _LINE * (len(step.lines) - 1)
        parts.append(_arrow(step, y) if step.end is not None else _note(step, y))
    bottom = y + 24
    columns = "".join(
        f'<line x1="{_middle(i)}" y1="36" x2="{_middle(i)}" y2="{bottom}" stroke-dasharray="3 3"/>'
        f'<rect class="w" x="{_middle(i) - 84}" y="6" width="168" height="30" rx="4"/>'
        f"{_text(_middle(i), 26, (name,))}"
        for i, name in enumerate(names)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 6}" '
        f'viewBox="0 0 {width} {bottom + 6}"><style>{_STYLE}</style>{columns}{"".join(parts)}</svg>'
    )


def _middle(column: int) -> int:
    return 10 + _COLUMN * column + _COLUMN // 2


def _arrow(step: _Step, y: int) -> str:
    start, end = _middle(step.start), _middle(step.end or 0)
    back = 8 if end < start else -8
    text = _text((start + end) // 2, y - 7 - _LINE * (len(step.lines) - 1), step.lines)
    head = f'<path class="h" d="M{end} {y}l{back} -4v8z"/>'
    return f'<path d="M{start} {y}H{end}"/>{head}{text}'


def _note(step: _Step, y: int) -> str:
    tall = _LINE * len(step.lines) + 10
    left, top = _middle(step.start) - 115, y - tall + 8
    box = f'<rect class="n" x="{max(left, 2)}" y="{top}" width="230" height="{tall}"/>'
    return f"<g>{box}{_text(max(left, 2) + 115, top + 18, step.lines)}</g>"


def _text(x: int, y: int, lines: tuple[str, ...]) -> str:
    return "".join(
        f'<text class="t" x="{x}" y="{y + _LINE * i}" text-anchor="middle">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
