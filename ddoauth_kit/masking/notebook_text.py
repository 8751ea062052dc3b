"""Walk over all texts of a notebook, as it stands in memory or in its file, and name each place."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDGET_STATE: Final = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"
_NOISE: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\s+")
_MARKUP: Final = re.compile(rf"{_NOISE.pattern}|<[^<>]*>")
_NOISES: Final = {
    "text/plain": re.compile(rf"{_NOISE.pattern}|\A['\"]|['\"]\Z"),
    "text/html": _MARKUP,
    "image/svg+xml": _MARKUP,
}


@dataclass(slots=True)
class Piece:
    """Hold one text of an output, and how to put another in its place.

    `channel` tells texts apart that a reader sees one after the other: what one display shows as
    plain text and as HTML is two channels.
    """

    channel: str
    text: str
    holder: Any
    key: str | int

    def replace(self, text: str) -> None:
        """Put another text in this place of the notebook."""
        self.text = self.holder[self.key] = text


def texts(value: Any, where: str = "notebook") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield every text in a JSON value, names of fields included, with the place it stands at."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield where, "".join(value)
            return
        for number, item in enumerate(value, start=1):
            yield from texts(item, f"{where} {number}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield where, str(name)
            yield from texts(item, where)


def notebook_texts(notebook: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield every text of a notebook with its place, such as `cell 3, output 1`."""
    for number, cell in enumerate(notebook.get("cells", ()), start=1):
        for name, part in cell.items():
            if name == "outputs":
                for position, output in enumerate(part, start=1):
                    yield from texts(output, f"cell {number}, output {position}")
            else:
                yield from texts(part, f"cell {number}, {name}")
    for name, part in notebook.get("metadata", {}).items():
        yield from texts(part, "widget state" if name == "widgets" else f"metadata {name}")
    yield from texts({k: v for k, v in notebook.items() if k not in {"cells", "metadata"}})


def widget_ids(notebook: Any) -> frozenset[str]:  # noqa: ANN401 - JSON
    """Return the ids of the notebook's widgets, which look like API keys: 32 hex digits."""
    widgets = notebook.get("metadata", {}).get("widgets", {})
    found = set(widgets.get(WIDGET_STATE, {}).get("state", {}))
    for output in _outputs(notebook):
        view = output.get("data", {}).get(WIDGET_VIEW, {})
        if isinstance(view, dict) and "model_id" in view:
            found.add(view["model_id"])
    return frozenset(found)


def output_pieces(notebook: Any) -> list[Piece]:  # noqa: ANN401 - JSON
    """Return the texts that outputs show, in order, each with its channel."""
    found = []
    for output in _outputs(notebook):
        if "text" in output:
            found.append(Piece("stream", _joined(output["text"]), output, "text"))
            found.append(Piece(str(output.get("name")), _joined(output["text"]), output, "text"))
        for name, value in output.get("data", {}).items():
            if isinstance(value, (str, list)):
                found.append(Piece(name, _joined(value), output["data"], name))
        for number, line in enumerate(output.get("traceback", ())):
            found.append(Piece("traceback", line, output["traceback"], number))
    return found


def joined_hits(
    pieces: list[Piece], find: Callable[[str], Iterator[tuple[int, int, str]]]
) -> Iterator[tuple[list[tuple[Piece, int, int]], str]]:
    """Find what is spread over several texts of one channel, or broken by blanks and colours.

    `find` gets a whole channel without blanks and yields begin, end and a name. For each hit comes
    the list of its parts, as piece, begin and end, and the name; hits within one part are left out.
    """
    for channel in dict.fromkeys(piece.channel for piece in pieces):
        spans = [
            (piece, begin, end)
            for piece in pieces
            if piece.channel == channel
            for begin, end in _words(piece)
        ]
        text = "".join(piece.text[begin:end] for piece, begin, end in spans)
        starts = [0]
        for _, begin, end in spans:
            starts.append(starts[-1] + end - begin)
        for begin, end, name in find(text):
            parts = list(_parts(spans, starts, begin, end))
            if len(parts) > 1:
                yield parts, name


def _parts(
    spans: list[tuple[Piece, int, int]], starts: list[int], begin: int, end: int
) -> Iterator[tuple[Piece, int, int]]:
    number = bisect_right(starts, begin) - 1
    while number < len(spans) and starts[number] < end:
        piece, first, last = spans[number]
        offset = starts[number]
        yield piece, max(first, first + begin - offset), min(last, first + end - offset)
        number += 1


def _words(piece: Piece) -> Iterator[tuple[int, int]]:
    """Yield begin and end of what lies between blanks, colours, quotes around all, and tags."""
    noise = _NOISES.get(piece.channel, _NOISE)
    position = 0
    for found in noise.finditer(piece.text):
        if found.start() > position:
            yield position, found.start()
        position = found.end()
    if position < len(piece.text):
        yield position, len(piece.text)


def _outputs(notebook: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    for cell in notebook.get("cells", ()):
        yield from cell.get("outputs", ())


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(map(str, value))
