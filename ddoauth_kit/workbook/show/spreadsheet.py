"""Write and read CSV whose cells no spreadsheet executes, whatever they contain.

For the reasons that a spreadsheet executes a cell, see
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# The four characters, and those that a program may take for them (Unicode's NFKC form, minus).
_BEGINS: Final = frozenset(
    "=+-@\u207a\u207c\u208a\u208c\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20\u2212"
)
# Where another program may begin a new cell: it may split lines, or at another separator.
_SPLITS: Final = frozenset(";\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def defused(text: str) -> str:
    """Return a cell that no spreadsheet executes, with an apostrophe where necessary."""
    return _changed(text, undo=False)


def restored(text: str) -> str:
    """Undo `defused`."""
    return _changed(text, undo=True)


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return CSV (RFC 4180) with these columns; names and texts are defused."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([defused(str(column)) for column in columns])
    writer.writerows([[_cell(row.get(column)) for column in columns] for row in rows])
    return file.getvalue()


def read_csv(text: str) -> list[dict[str, str]]:
    """Return the rows of CSV as they were before `write_csv`.

    Cells without a column are dropped, and columns without a cell are empty.

    Raises:
        csv.Error: it is not CSV.
    """
    rows = csv.DictReader(StringIO(text, newline=""))
    return [
        {restored(name): restored(cell or "") for name, cell in row.items() if name is not None}
        for row in rows
    ]


def _cell(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, (dict, list)):
        return defused(str(value))
    return defused(value) if isinstance(value, str) else value


def _changed(text: str, *, undo: bool) -> str:
    """Add or remove an apostrophe at each place where an executable cell may begin.

    An apostrophe does not change these places, so the change can be undone exactly.
    """
    if _BEGINS.isdisjoint(text) and not text.lstrip("'").startswith(("\t", "\r", "\n")):
        return text
    parts, end = [], len(text)
    for place in _places(text):
        if undo and text[place : place + 1] != "'":
            continue
        parts += [text[place + undo : end], "" if undo else "'"]
        end = place
    return "".join(reversed([*parts, text[:end]]))


def _places(text: str) -> Iterable[int]:
    """Yield the places where an executable cell may begin, from last to first."""
    runs = False
    for place in range(len(text) - 1, -1, -1):
        letter = text[place]
        if letter in _BEGINS:
            runs = True
        elif letter != "'" and letter.isprintable() and letter != " ":
            runs = False
        if runs and place and text[place - 1] in _SPLITS:
            yield place
    if runs or text.lstrip("'").startswith(("\t", "\r", "\n")):
        yield 0
