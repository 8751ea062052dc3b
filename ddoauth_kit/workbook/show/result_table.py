"""Hold results as pandas tables that read the same everywhere and travel with the notebook."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

TABLE_MIME: Final = "application/vnd.ddoauth.table+json"
Bundle = dict[str, Any]
_EMPTY: Final = "no rows"


class ResultTable:
    """Name a DataFrame, show it in a fixed form, and let a run collect it from the notebook.

    `frame` is the pandas DataFrame. A saved output carries the rows as JSON beside the HTML, so
    that any engine that executes the notebook finds the table in it. Columns named in `volatile`
    differ from run to run: they are in the frame, are not shown unless asked for, and travel in the
    output's metadata, which nbval does not compare.
    """

    def __init__(
        self,
        name: str,
        rows: Sequence[Mapping[str, object]] | pd.DataFrame,
        *,
        volatile: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.volatile = tuple(volatile)
        self._given = rows

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return the DataFrame, volatile columns included."""
        import pandas as pd

        if isinstance(self._given, pd.DataFrame):
            return self._given
        return pd.DataFrame.from_records([dict(row) for row in self._given])

    def __len__(self) -> int:
        return len(self._given)

    def __repr__(self) -> str:
        return self.text()

    def text(self, *, everything: bool = False) -> str:
        """Return aligned text; with `everything` also the volatile columns."""
        if not len(self):
            return _EMPTY
        frame = self._shown(everything=everything)
        lines = [list(frame.columns), *_cells(frame)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def html(self, *, everything: bool = False) -> str:
        """Return an HTML table; with `everything` also the volatile columns."""
        if not len(self):
            return f"<p>{_EMPTY}</p>"
        frame = self._shown(everything=everything)
        head = "".join(_cell("th", name, scope="col") for name in frame.columns)
        body = "".join(
            f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in _cells(frame)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _shown(self, *, everything: bool) -> pd.DataFrame:
        return (
            self.frame
            if everything
            else self.frame.drop(columns=list(self.volatile), errors="ignore")
        )

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, **_options: object) -> Bundle | tuple[Bundle, Bundle]:
        table, unstable = self.as_json()
        data = {"text/plain": self.text(), "text/html": self.html(), TABLE_MIME: table}
        return (data, {TABLE_MIME: unstable}) if self.volatile else data

    def as_json(self) -> tuple[Bundle, Bundle]:
        """Return the name and the rows, and what puts the volatile columns back into them."""
        whole = _records(self.frame)
        unstable = {
            "columns": list(self.frame.columns),
            "volatile": {name: [row.get(name) for row in whole] for name in self.volatile},
        }
        rows = _records(self._shown(everything=False))
        return {"name": self.name, "rows": rows}, unstable


def collected_table(output: Mapping[str, Any]) -> tuple[str, list[Bundle]] | None:
    """Return name and rows of the table in a notebook's output, its volatile columns put back.

    None where the output carries no table.
    """
    table = output.get("data", {}).get(TABLE_MIME)
    if not table:
        return None
    rows = [dict(row) for row in table["rows"]]
    unstable = _mapping(output.get("metadata", {}).get(TABLE_MIME))
    columns = {
        name: values
        for name, values in _mapping(unstable.get("volatile")).items()
        if isinstance(values, list) and len(values) == len(rows)
    }
    whole = [
        {**row, **{name: values[i] for name, values in columns.items()}}
        for i, row in enumerate(rows)
    ]
    order = unstable.get("columns")
    names = [name for name in order if isinstance(name, str)] if isinstance(order, list) else []
    return str(table["name"]), [_ordered(row, names) for row in whole]


def _mapping(value: object) -> Bundle:
    """Return a mapping, or an empty one: a notebook may hold anything."""
    return value if isinstance(value, dict) else {}


def _ordered(row: Bundle, columns: Sequence[str]) -> Bundle:
    return {name: row[name] for name in dict.fromkeys((*columns, *row)) if name in row}


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    """Return all cells as text; what is missing is empty."""
    cells: list[list[str]] = frame.astype(str).where(frame.notna(), "").to_numpy().tolist()
    return cells


def _records(frame: pd.DataFrame) -> list[Bundle]:
    """Return the rows as JSON takes them: what is missing is null."""
    records = frame.to_dict(orient="records")
    missing = frame.isna().to_numpy().tolist()
    return [
        {
            str(name): None if gone else value
            for (name, value), gone in zip(row.items(), lacks, strict=True)
        }
        for row, lacks in zip(records, missing, strict=True)
    ]


def _cell(tag: str, text: str, *, scope: str = "") -> str:
    given = f' scope="{scope}"' if scope else ""
    return f'<{tag}{given} style="text-align:left">{escape(text)}</{tag}>'
