"""Mask every secret in a notebook, wherever it is, before the notebook is written."""

from __future__ import annotations

import copy
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.leaks.notebook_text import notebook_texts, output_pieces, spread_finds
from ddoauth_kit.masking.patterns import counts_as_value, finds
from ddoauth_kit.masking.redaction import Masker, replaced
from ddoauth_kit.masking.walk import merged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ddoauth_kit.leaks.notebook_text import Piece, Text
    from ddoauth_kit.masking.patterns import Find
    from ddoauth_kit.secret import Secret

    _Change = tuple[Text, str]

_UNREAD: Final = "<not masked in time>"
_DESCRIBED: Final = frozenset({("metadata", "kernelspec"), ("metadata", "language_info")})


def mask_notebook(
    notebook: Any,  # noqa: ANN401 - JSON
    *,
    secrets: Iterable[Secret] = (),
    keep: Collection[str] = (),
    masker: Masker | None = None,
    until: float | None = None,
) -> Any:  # noqa: ANN401 - as above
    """Return a copy of a notebook without secrets, or the notebook itself if it has none.

    Sources, outputs, tracebacks, stream text, attachments, widget state and all metadata are
    searched, and secrets that span several outputs are found too. Jupyter's own field names are
    never changed, even if one is identical to a secret. `keep` has the same meaning as in `Masker`;
    `masker` replaces it and `secrets`. After `until` (a `time.monotonic` value), text is replaced
    without being searched.
    """
    return NotebookMasker(masker or Masker(secrets, keep=keep))(notebook, until=until)


class NotebookMasker:
    """Masks a notebook that is saved many times, and searches again only the cells that changed."""

    def __init__(self, masker: Masker) -> None:
        self.masker = masker
        self._cells: dict[int, tuple[Any, list[_Change]]] = {}

    def __call__(self, notebook: Any, *, until: float | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return a copy of a notebook without secrets, as `mask_notebook` does."""
        torn = _in_time(until) and any(spread(output_pieces(notebook), self.masker))
        copied = copy.deepcopy(notebook) if torn else notebook
        if torn:
            _cut_spread(output_pieces(copied), self.masker)
        changes = list(self._changes(copied, until))
        if not torn and not changes:
            return notebook
        copied = copied if torn else copy.deepcopy(notebook)
        for text, masked in reversed(changes):
            _put(copied, text, masked)
        return copied

    def _changes(self, notebook: Any, until: float | None) -> Iterator[_Change]:  # noqa: ANN401
        cells = notebook.get("cells") if isinstance(notebook, dict) else None
        if until is not None or not isinstance(cells, list) or not all(map(_is_object, cells)):
            yield from _changes(notebook_texts(notebook), self.masker, until)
            return
        yield from _changes(notebook_texts({**notebook, "cells": []}), self.masker)
        for number, cell in enumerate(cells):
            before, changes = self._cells.get(number, (None, []))
            if before != cell:
                changes = list(_changes(notebook_texts(cell, at=("cells", number)), self.masker))
                self._cells[number] = copy.deepcopy(cell), changes
            yield from changes


def spread(
    pieces: list[Piece], masker: Masker
) -> Iterator[tuple[list[tuple[Piece, int, int]], Find]]:
    """Yield secrets that span several outputs, as `spread_finds` does."""
    return spread_finds(pieces, close=lambda text: _close(text, masker), loose=masker.walk.joined)


def _close(text: str, masker: Masker) -> list[Find]:
    return merged([*finds(text), *masker.walk.joined(text)])


def field_find(text: Text) -> str:
    """Return a match for a whole value, based on its field's name, or None."""
    label = text.label
    return label if label and counts_as_value(text.text, name=text.name, quoted=True) else ""


def _changes(
    texts: Iterable[Text], masker: Masker, until: float | None = None
) -> Iterator[_Change]:
    numbers = count(1)
    for text in texts:
        if text.is_structure:
            continue
        if not _in_time(until):
            if text.name != "id" and text.path[:2] not in _DESCRIBED:
                yield text, f"{_UNREAD} {next(numbers)}" if text.is_name else _UNREAD
            continue
        masked = _masked(text, masker)
        if masked != text.text:
            yield text, masked


def _is_object(cell: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(cell, dict)


def _masked(text: Text, masker: Masker) -> str:
    if text.is_id:
        known = [found for found in masker.walk.finds(text.text) if found.known]
        return replaced(text.text, known) if text.name != "id" or not known else "masked"
    if label := field_find(text):
        return f"<{label}>"
    return masker(text.text)


def _in_time(until: float | None) -> bool:
    return until is None or time.monotonic() < until


def _put(notebook: Any, text: Text, masked: str) -> None:  # noqa: ANN401 - JSON
    *way, last = text.path
    for step in way:
        notebook = notebook[step]
    if text.is_name:
        items = [(masked if name == last else name, item) for name, item in notebook.items()]
        notebook.clear()
        notebook.update(items)
    elif isinstance(notebook[last], list):
        notebook[last] = masked.splitlines(keepends=True)
    else:
        notebook[last] = masked


def _cut_spread(pieces: list[Piece], masker: Masker) -> None:
    """Replace the first part of a split secret with its placeholder, and remove the others."""
    cuts: dict[tuple[int, str | int], list[tuple[int, int, str]]] = {}
    places = {}
    for parts, found in spread(pieces, masker):
        for number, (piece, begin, end) in enumerate(parts):
            place = (id(piece.holder), piece.key)
            places[place] = piece
            cuts.setdefault(place, []).append((begin, end, "" if number else found.shown))
    for place, piece in places.items():
        piece.replace(_without(piece.text, sorted(cuts[place])))


def _without(text: str, cuts: list[tuple[int, int, str]]) -> str:
    kept, position = [], 0
    for begin, end, shown in cuts:
        if begin >= position:
            kept += [text[position:begin], shown]
        position = max(position, end)
    return "".join([*kept, text[position:]])
