"""Write the readiness report as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.workbook.readiness_evidence import Entry

_COLUMNS: Final = ("requirement", "ready", "sites", "evidence", "when (UTC)", "next")
_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #8886;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}"
)
# Nothing may be loaded or run, whoever opens the file.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def readiness_page(headline: str, *, talks_to: str, entries: Sequence[Entry]) -> str:
    """Return the page; every text is escaped."""
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "".join(map(_row, entries))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>Readiness</title><style>{_STYLE}</style></head><body>"
        f"<h1>Is it ready to be published?</h1><p>{escape(headline)}</p>"
        f"<p>The evidence is from {escape(talks_to)}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></body></html>\n"
    )


def _row(entry: Entry) -> str:
    name, *cells = (
        entry.requirement,
        str(entry.ready),
        " ".join(entry.sites),
        entry.evidence,
        entry.when,
        entry.fix,
    )
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{rest}</tr>'
