"""Add the fields of format 4 that other programs omit from a notebook, or report a problem."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

_FORMAT: Final = 4
_MINOR: Final = 5
_CELL_TYPES: Final = ("code", "markdown", "raw")


def whole_notebook(content: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with all fields that format 4 requires, and unique cell ids.

    Raises:
        ValueError: the format is different, or a field can't be read; the message names it.
    """
    _refuse_other_format(content.get("nbformat"))
    minor = content.get("nbformat_minor")
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise ValueError("the `cells` of the notebook is not a list")  # noqa: TRY004 - of the file
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            raise ValueError(f"cell {number} is not a JSON object")  # noqa: TRY004 - of the file
    metadata = _field(content, "metadata", dict)
    return {
        **content,
        "nbformat": _FORMAT,
        "nbformat_minor": minor if type(minor) is int and minor >= 0 else _MINOR,
        "metadata": {name: part for name, part in metadata.items() if part is not None},
        "cells": [_cell(*each) for each in zip(cells, _ids(cells), count(1))],
    }


def _refuse_other_format(version: object) -> None:
    if version is not None and str(version) not in ("4", "4.0"):
        raise ValueError(
            f"its `nbformat` is {str(version)[:20]!a}, and only format 4 can be read: open it in "
            "JupyterLab and save it again"
        )


def _cell(cell: dict[str, Any], name: str, number: int) -> dict[str, Any]:
    where = f"cell {number}"
    kind = cell.get("cell_type")
    if kind not in _CELL_TYPES:
        shown = "missing" if kind is None else f"{str(kind)[:20]!a}"
        raise ValueError(f"the `cell_type` of {where} is {shown}: use {', '.join(_CELL_TYPES)}")
    metadata = _field(cell, "metadata", dict, where=where)
    whole = {
        **{name: part for name, part in cell.items() if part is not None},
        "id": name,
        "metadata": {name: part for name, part in metadata.items() if part is not None},
        "source": _source(cell.get("source"), where),
    }
    _field(metadata, "tags", list, where=where)
    if kind != "code":
        return whole
    outputs = _field(cell, "outputs", list, where=where)
    if not all(isinstance(output, dict) for output in outputs):
        raise ValueError(f"an output of {where} is not a JSON object")
    return {**whole, "outputs": outputs, "execution_count": cell.get("execution_count")}


def _ids(cells: list[dict[str, Any]]) -> list[str]:
    """Return an id for each cell: its own, unless that is missing or taken by an earlier cell."""
    given = [cell.get("id") for cell in cells]
    ids: list[str] = []
    for number, own in enumerate(given, 1):
        if isinstance(own, str) and own and own not in ids:
            ids.append(own)
            continue
        name = f"cell-{number}"
        while name in given:
            name += "-new"
        ids.append(name)
    return ids


def _source(source: object, where: str) -> str:
    lines = [source] if isinstance(source, str) else source
    if lines is None:
        return ""
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"the `source` of {where} is not a string or a list of strings")
    return "".join(lines)


def _field(holder: dict[str, Any], name: str, kind: type, *, where: str = "") -> Any:  # noqa: ANN401 - of the given type
    """Return a field, or its empty value if it is missing or null."""
    value = holder.get(name)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        noun = "list" if kind is list else "JSON object"
        at = where or "the notebook"
        raise ValueError(f"the `{name}` of {at} is not a {noun}")  # noqa: TRY004 - of the file
    return value
