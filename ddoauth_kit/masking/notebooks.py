"""Mask every secret in a notebook before it is written, wherever in the notebook it stands."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ddoauth_kit.masking.notebook_text import joined_hits, notebook_texts, output_pieces, widget_ids
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.masking.scan import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ddoauth_kit.masking.notebook_text import Piece
    from ddoauth_kit.secret import Secret


def mask_notebook(notebook: Any, *, secrets: Iterable[Secret] = ()) -> Any:  # noqa: ANN401 - JSON
    """Return a copy of a notebook without secrets, or the notebook itself if there is none.

    Sources, outputs, tracebacks, stream text, attachments, widget state and all metadata are
    looked through, and secrets that are spread over several outputs are found as well.
    """
    masker = Masker(secrets, keep=widget_ids(notebook))
    torn = list(_spread(output_pieces(notebook), masker))
    whole = "\n".join(text for _, text in notebook_texts(notebook))
    if not torn and not masker.concerns(whole):
        return notebook
    copied = copy.deepcopy(notebook)
    _cut_spread(output_pieces(copied), masker)
    return _masked(copied, masker)


def _masked(value: Any, mask: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """Mask all texts of a JSON value in place, names of fields included."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        value[:] = [_masked(item, mask) for item in value]
    elif isinstance(value, dict):
        for name in list(value):
            item = _masked(value.pop(name), mask)
            value[mask(name)] = item
    return value


def _spread(
    pieces: list[Piece], masker: Masker
) -> Iterator[tuple[list[tuple[Piece, int, int]], str]]:
    return joined_hits(pieces, spread(masker))


def _cut_spread(pieces: list[Piece], masker: Masker) -> None:
    """Replace the first part of a spread secret by what it may show, and drop the others."""
    cuts: dict[tuple[int, str | int], list[tuple[int, int, str]]] = {}
    places = {}
    for parts, shown in _spread(pieces, masker):
        for number, (piece, begin, end) in enumerate(parts):
            place = (id(piece.holder), piece.key)
            places[place] = piece
            cuts.setdefault(place, []).append((begin, end, "" if number else shown))
    for place, piece in places.items():
        piece.replace(_without(piece.text, sorted(cuts[place])))


def _without(text: str, cuts: list[tuple[int, int, str]]) -> str:
    kept, position = [], 0
    for begin, end, shown in cuts:
        if begin >= position:
            kept += [text[position:begin], shown]
        position = max(position, end)
    return "".join([*kept, text[position:]])
