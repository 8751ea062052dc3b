"""Go through all the text in a notebook, in memory or as a file, and name each place."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.masking.layers import INLINE, TERMINAL
from ddoauth_kit.masking.patterns import field_label, is_id_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit.masking.patterns import Find

_BARE: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}")
_WIDGET: Final = re.compile(r"(?:IPY_MODEL_)?[0-9a-fA-F]{32}")
_IDS: Final = frozenset({"id", "cell_id", "outputId", "model_id", "grade_id"})
# Values that Jupyter reads; a notebook must not contain anything else in these places.
_WORDS: Final = {
    "cell_type": frozenset({"code", "markdown", "raw", "heading"}),
    "output_type": frozenset({"stream", "display_data", "execute_result", "error"}),
    "name": frozenset({"stdout", "stderr", "python", "python3", "ipython"}),
}
# Letters with a number here and there, as in application/vnd.vega.v5+json, and no random digits.
_NAME: Final = re.compile(
    r"[A-Za-z_]{1,60}|[a-z]{1,20}/(?:[a-z]{1,30}|v?[0-9]{1,3})(?:[.+-](?:[a-z]{1,30}|v?[0-9]{1,3})){0,8}"
)
_BLANKS: Final = r"\s+"
_CLOSE: Final = {
    "text/plain": rf"{TERMINAL}|\A['\"]|['\"]\Z",
    "text/html": rf"{TERMINAL}|{INLINE.pattern}",
    "image/svg+xml": rf"{TERMINAL}|<[^<>]{{0,400}}>",
}
_LOOSE: Final = {
    "text/plain": rf"{_BLANKS}|{_CLOSE['text/plain']}",
    "text/html": rf"{_BLANKS}|{TERMINAL}|<[^<>]{{0,4000}}>",
    "image/svg+xml": rf"{_BLANKS}|{TERMINAL}|<[^<>]{{0,4000}}>",
}


@dataclass(frozen=True, slots=True)
class Text:
    """One text in a notebook, and the path to it.

    `name` is the field that contains it. `is_name` is true if the text is itself a field's name.
    `path` leads to the text, or for a name to its value.
    """

    path: tuple[str | int, ...]
    text: str
    name: str = ""
    is_name: bool = False

    @property
    def place(self) -> str:
        """Describe the place to a reader."""
        match self.path:
            case ("cells", int(cell), "outputs", int(output), *_):
                return f"cell {cell + 1}, output {output + 1}"
            case ("cells", int(cell), str(part), *_):
                return f"cell {cell + 1}, {part}"
            case ("cells", int(cell), *_):
                return f"cell {cell + 1}"
            case ("metadata", "widgets", *_):
                return "widget state"
            case ("metadata", str(part), *_):
                return f"metadata {part}"
        return "notebook"

    @property
    def is_structure(self) -> bool:
        """Return whether Jupyter needs this text unchanged, even if it is identical to a secret."""
        if self.is_name:
            return bool(_NAME.fullmatch(self.text))
        return self.text in _WORDS.get(self.name, ())

    @property
    def is_id(self) -> bool:
        """Return whether this is a place for ids, commits or checksums, which look like keys."""
        if self.path[:2] == ("metadata", "widgets"):
            return bool(_WIDGET.fullmatch(self.text))
        if not _BARE.fullmatch(self.text) or self.is_name:
            return False
        if self.name in _IDS:
            inside = {"data", "outputs"} & set(self.path)
            return not inside or self.name == "model_id"
        return is_id_name(self.name)

    @property
    def label(self) -> str:
        """Return what the field's name says about its value, such as `client_secret`."""
        return "" if self.is_name else field_label(self.name)


@dataclass(slots=True)
class Piece:
    """One text in an output, which can be replaced.

    `channel` groups texts that a reader sees one after another: a display's plain text and its HTML
    are two channels. `cell` counts from 1.
    """

    channel: str
    text: str
    holder: Any
    key: str | int
    cell: int = 0

    def replace(self, text: str) -> None:
        """Put another text in this place in the notebook."""
        self.text = self.holder[self.key] = text


def notebook_texts(
    notebook: Any,  # noqa: ANN401 - JSON
    *,
    at: tuple[str | int, ...] = (),
) -> Iterator[Text]:
    """Yield every string in a notebook or other JSON value, including field names.

    A list of strings counts as one text, because files store sources and outputs that way. `at` is
    the path to the value, if it is part of a notebook.
    """
    waiting: list[tuple[tuple[str | int, ...], str, Any]] = [(at, "", notebook)]
    while waiting:
        path, name, value = waiting.pop()
        if isinstance(value, str):
            yield Text(path, value, name)
        elif isinstance(value, list):
            if value and all(isinstance(item, str) for item in value) and _is_lines(path):
                yield Text(path, "".join(value), name)
            else:
                items = [((*path, i), name, item) for i, item in enumerate(value)]
                waiting += reversed(items)
        elif isinstance(value, dict):
            for key, item in reversed(value.items()):
                inner = (*path, key)
                waiting.append((inner, str(key), item))
            for key in value:
                inner = (*path, key)
                yield Text(inner, str(key), is_name=True)


def _is_lines(path: tuple[str | int, ...]) -> bool:
    """Return whether a list of strings in this place is a single text, split into lines."""
    return bool(path) and path[-1] != "tags" and path[:1] != ("metadata",)


def output_pieces(notebook: Any) -> list[Piece]:  # noqa: ANN401 - JSON
    """Return the texts in outputs, in order, each with its channel."""
    found: list[Piece] = []
    for cell, output in _outputs(notebook):
        if "text" in output:
            text = _joined(output["text"])
            channels = ("stream", str(output.get("name")))
            found += [Piece(channel, text, output, "text", cell) for channel in channels]
        data = output.get("data")
        for name, value in data.items() if isinstance(data, dict) else ():
            if isinstance(value, (str, list)):
                found.append(Piece(str(name), _joined(value), data, name, cell))
        lines = output.get("traceback")
        for number, line in enumerate(lines if isinstance(lines, list) else ()):
            found.append(Piece("traceback", str(line), lines, number, cell))
    return found


def spread_finds(
    pieces: list[Piece],
    *,
    close: Callable[[str], list[Find]],
    loose: Callable[[str], list[Find]],
) -> Iterator[tuple[list[tuple[Piece, int, int]], Find]]:
    """Find secrets that span several texts in a channel, or are broken up by spaces or colours.

    `close` receives the outputs of one cell without colours and inline tags, joined directly;
    `loose` receives those of all cells, without spaces and tags. Each match is yielded with a list
    of its parts, as piece, start and end; matches within a single piece are left out.
    """
    channels: dict[str, list[Piece]] = {}
    for piece in pieces:
        channels.setdefault(piece.channel, []).append(piece)
    for channel, group in channels.items():
        plain = f"{_BLANKS}|{TERMINAL}"
        for noise in dict.fromkeys((plain, _LOOSE.get(channel, plain))):
            yield from _spread(group, re.compile(noise), loose)
        cells: dict[int, list[Piece]] = {}
        for piece in group:
            cells.setdefault(piece.cell, []).append(piece)
        close_noise = re.compile(_CLOSE.get(channel, TERMINAL))
        for several in cells.values():
            if len(several) > 1:
                yield from _spread(several, close_noise, close)


def _spread(
    pieces: list[Piece], noise: re.Pattern[str], find: Callable[[str], list[Find]]
) -> Iterator[tuple[list[tuple[Piece, int, int]], Find]]:
    text = "".join(noise.sub("", piece.text) for piece in pieces)
    found = find(text)
    if not found:
        return
    spans = [(piece, *span) for piece in pieces for span in _words(piece.text, noise)]
    starts = [0]
    for _, begin, end in spans:
        starts.append(starts[-1] + end - begin)
    for each in found:
        parts = list(_parts(spans, starts, each.begin, each.end))
        if len(parts) > 1:
            yield parts, each


def _parts(
    spans: list[tuple[Piece, int, int]], starts: list[int], begin: int, end: int
) -> Iterator[tuple[Piece, int, int]]:
    number = bisect_right(starts, begin) - 1
    while number < len(spans) and starts[number] < end:
        piece, first, last = spans[number]
        offset = starts[number]
        yield piece, max(first, first + begin - offset), min(last, first + end - offset)
        number += 1


def _words(text: str, noise: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each word; spaces, colours, outer quotes and tags end a word."""
    position = 0
    for found in noise.finditer(text):
        if found.start() > position:
            yield position, found.start()
        position = found.end()
    if position < len(text):
        yield position, len(text)


def _outputs(notebook: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - JSON
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else (), start=1):
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, dict):
                yield number, output


def _joined(value: Any) -> str:  # noqa: ANN401 - JSON
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
