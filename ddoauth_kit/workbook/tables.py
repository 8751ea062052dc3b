"""Hold results as pandas tables that read the same everywhere and travel with the notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TABLE_MIME: Final = "application/vnd.ddoauth.table+json"


class ResultTable:
    """Name a DataFrame, show it in a fixed form, and let a run collect it from the notebook.

    `frame` is the pandas DataFrame. A saved output carries the rows as JSON beside the HTML, so
    that whoever executes the notebook finds the table in it, by whatever engine.
    """

    def __init__(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        self.name = name
        self.frame = pd.DataFrame.from_records([dict(row) for row in rows])

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        lines = [list(self.frame.columns), *self.frame.astype(str).to_numpy().tolist()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head = "".join(_cell("th", name, scope="col") for name in self.frame.columns)
        body = "".join(
            f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>"
            for row in self.frame.astype(str).to_numpy().tolist()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _repr_mimebundle_(self, **_options: object) -> dict[str, Any]:
        rows = self.frame.to_dict(orient="records")
        return {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            TABLE_MIME: {"name": self.name, "rows": rows},
        }


def _cell(tag: str, text: str, *, scope: str = "") -> str:
    given = f' scope="{scope}"' if scope else ""
    return f'<{tag}{given} style="text-align:left">{escape(text)}</{tag}>'
