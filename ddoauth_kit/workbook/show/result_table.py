"""Tables of results that look the same everywhere and are stored with the notebook."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

TABLE_MIME: Final = "application/vnd.ddoauth.table+json"
Bundle = dict[str, Any]
_EMPTY: Final = "no rows"


class ResultTable:
    """Named rows in a fixed form, which a run can collect from the notebook.

    `table["column"]` lists a column's values, and `frame` is a pandas DataFrame for further work;
    only the frame loads pandas. A saved output contains the rows as JSON in addition to the HTML,
    so the table can be found in the executed notebook, whichever engine executed it. Columns named
    in `volatile` differ from run to run: they are in the frame, are shown only on request, and are
    stored in the output's metadata, which nbval does not compare. `framed` creates a frame with
    types that rows can't express.
    """

    def __init__(
        self,
        name: str,
        rows: Sequence[Mapping[str, object]] | pd.DataFrame,
        *,
        volatile: Sequence[str] = (),
        framed: Callable[[], pd.DataFrame] | None = None,
    ) -> None:
        self.name = name
        self.volatile = tuple(volatile)
        self._given = rows
        self._framed = framed

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return the DataFrame, including volatile columns."""
        if self._framed is not None:
            return self._framed()
        import pandas as pd

        if isinstance(self._given, pd.DataFrame):
            return self._given
        return pd.DataFrame.from_records(self.rows)

    @cached_property
    def rows(self) -> list[Bundle]:
        """Return the rows as plain dictionaries, including volatile columns."""
        from_pandas = getattr(self._given, "to_dict", None)
        given: Sequence[Mapping[str, object]]
        given = from_pandas(orient="records") if from_pandas else self._given  # type: ignore[assignment]
        return [dict(row) for row in given]

    @cached_property
    def columns(self) -> list[str]:
        """Return the names of the columns, in order of first occurrence."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, column: str) -> list[Any]:
        """Return a column's values, with None for missing ones.

        Raises:
            KeyError: there is no such column.
        """
        if column not in self.columns:
            raise KeyError(column)
        return [_known(row.get(column)) for row in self.rows]

    def __iter__(self) -> Iterator[Bundle]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self._given)

    def __repr__(self) -> str:
        return self.text()

    def text(self, *, everything: bool = False) -> str:
        """Return aligned text; `everything` includes the volatile columns."""
        if not len(self):
            return _EMPTY
        columns = self._shown(everything=everything)
        lines = [columns, *self._cells(columns)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def html(self, *, everything: bool = False) -> str:
        """Return an HTML table; `everything` includes the volatile columns."""
        if not len(self):
            return f"<p>{_EMPTY}</p>"
        columns = self._shown(everything=everything)
        head = "".join(_cell("th", name, scope="col") for name in columns)
        body = "".join(
            f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in self._cells(columns)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _shown(self, *, everything: bool) -> list[str]:
        return [name for name in self.columns if everything or name not in self.volatile]

    def _cells(self, columns: list[str]) -> list[list[str]]:
        """Return all cells as text; missing values are empty."""
        cells = ([_known(row.get(name)) for name in columns] for row in self.rows)
        return [["" if cell is None else str(cell) for cell in row] for row in cells]

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, **_options: object) -> Bundle | tuple[Bundle, Bundle]:
        table, unstable = self.as_json()
        data = {"text/plain": self.text(), "text/html": self.html(), TABLE_MIME: table}
        return (data, {TABLE_MIME: unstable}) if self.volatile else data

    def as_json(self) -> tuple[Bundle, Bundle]:
        """Return the name and rows, and a record for restoring the volatile columns."""
        unstable = {
            "columns": self.columns,
            "volatile": {
                name: [_known(row.get(name)) for row in self.rows] for name in self.volatile
            },
        }
        shown = self._shown(everything=False)
        rows = [{name: _known(row.get(name)) for name in shown} for row in self.rows]
        return {"name": self.name, "rows": rows}, unstable


def collected_table(output: Mapping[str, Any]) -> tuple[str, list[Bundle]] | None:
    """Return the name and rows of the table in an output, with volatile columns restored.

    Return None if the output doesn't contain a table.
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
    """Return a value if it is a mapping, or else an empty one; a notebook may contain anything."""
    return value if isinstance(value, dict) else {}


def _ordered(row: Bundle, columns: Sequence[str]) -> Bundle:
    return {name: row[name] for name in dict.fromkeys((*columns, *row)) if name in row}


def _known(value: object) -> object:
    """Return a value, or None for a missing one: None, NaN, or pandas' own marks."""
    missing = not isinstance(value, str) and str(value) in {"nan", "<NA>", "NaT"}
    return None if missing else value


def _cell(tag: str, text: str, *, scope: str = "") -> str:
    given = f' scope="{scope}"' if scope else ""
    return f'<{tag}{given} style="text-align:left">{escape(text)}</{tag}>'
