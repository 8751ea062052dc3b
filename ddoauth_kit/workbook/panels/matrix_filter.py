"""Show a matrix of verdicts with fields that filter it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from ddoauth_kit.workbook.panels.panel import mended
from ddoauth_kit.workbook.verdicts.words_and_colours import GRAVITY, MARKS

if TYPE_CHECKING:
    from ddoauth_kit.workbook.verdicts.matrix import VerdictMatrix

_ANY: Final = "any"


class FilterableMatrix:
    """Shows a matrix with fields that filter it; each change calls `matrix.where`."""

    def __init__(self, matrix: VerdictMatrix) -> None:
        self.matrix = matrix

    @cached_property
    def panel(self) -> widgets.VBox:
        """Return the fields and the matrix; they are created only once."""
        for field in self._fields.values():
            field.observe(self._narrow, names="value")
        row = widgets.HBox(list(self._fields.values()), layout={"flex_flow": "row wrap"})
        return widgets.VBox([row, self._shown, mended()])

    def show(self, matrix: VerdictMatrix) -> None:
        """Show another matrix, such as one with more results, with the same filters."""
        self.matrix = matrix
        for name, options in _options(matrix).items():
            field = self._fields[name]
            value = field.value
            if tuple(field.options) != tuple(options):
                field.options = options
                field.value = value if value in dict(options).values() else ""
        self._narrow(None)

    @cached_property
    def _fields(self) -> dict[str, Any]:
        return _fields(self.matrix)

    @cached_property
    def _shown(self) -> widgets.HTML:
        shown = widgets.HTML(self.matrix.html())
        shown.add_class("ddoauth-matrix")
        return shown

    def _narrow(self, _change: object) -> None:
        asked = {name: field.value for name, field in self._fields.items()}
        self._shown.value = self.matrix.where(**asked).html()

    def __repr__(self) -> str:
        return self.matrix.text()

    def _repr_mimebundle_(self, **options: object) -> dict[str, Any]:
        bundle = dict(self.panel._repr_mimebundle_(**options))
        return {**bundle, "text/plain": repr(self), "text/html": self.matrix.html()}


def _fields(matrix: VerdictMatrix) -> dict[str, Any]:
    """Return a labelled field for each argument of `where`."""
    options = _options(matrix)
    wide = {"description_width": "initial"}
    fields = {
        "text": widgets.Text(description="Scope or area", placeholder="monitors", style=wide),
        "verdict": widgets.Dropdown(description="Verdict", options=options["verdict"]),
        "area": widgets.Dropdown(description="Area", options=options["area"]),
        "problems": widgets.Checkbox(description="Only problems", indent=False),
    }
    for name, field in fields.items():
        field.add_class(f"ddoauth-filter-{name}")
    return fields


def _options(matrix: VerdictMatrix) -> dict[str, list[tuple[str, str]]]:
    verdicts = [(MARKS[each].name, str(each)) for each in GRAVITY if each in matrix.counts]
    areas = [(area.name, area.name) for area in matrix.areas]
    return {"verdict": [(_ANY, ""), *verdicts], "area": [(_ANY, ""), *areas]}
