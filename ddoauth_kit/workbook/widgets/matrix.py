"""Offer panels; the only module that knows ipywidgets.

A panel shows what a cell can ask for with the same method, and carries the text of it, so that a
page without a kernel says as much.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from ddoauth_kit.workbook.verdicts.marks import GRAVITY, MARKS

if TYPE_CHECKING:
    from ddoauth_kit.workbook.verdicts.matrix import VerdictMatrix

_ANY: Final = "any"


class FilterableMatrix:
    """Show a matrix with fields that narrow it; each change asks `matrix.where`."""

    def __init__(self, matrix: VerdictMatrix) -> None:
        self.matrix = matrix

    @cached_property
    def panel(self) -> widgets.VBox:
        """Return the fields and the matrix, made once."""
        fields = _fields(self.matrix)
        shown = widgets.HTML(self.matrix.html())
        shown.add_class("ddoauth-matrix")

        def narrow(_change: object) -> None:
            asked = {name: field.value for name, field in fields.items()}
            shown.value = self.matrix.where(**asked).html()

        for field in fields.values():
            field.observe(narrow, names="value")
        row = widgets.HBox(list(fields.values()), layout={"flex_flow": "row wrap"})
        return widgets.VBox([row, shown])

    def __repr__(self) -> str:
        return self.matrix.text()

    def _repr_mimebundle_(self, **options: object) -> dict[str, Any]:
        bundle = dict(self.panel._repr_mimebundle_(**options))
        return {**bundle, "text/plain": repr(self), "text/html": self.matrix.html()}


def _fields(matrix: VerdictMatrix) -> dict[str, Any]:
    """Return a labelled field for each argument of `where`."""
    verdicts = [(MARKS[each].name, str(each)) for each in GRAVITY if each in matrix.counts]
    areas = [(area.name, area.name) for area in matrix.areas]
    wide = {"description_width": "initial"}
    fields = {
        "text": widgets.Text(description="Scope or area", placeholder="monitors", style=wide),
        "verdict": widgets.Dropdown(description="Verdict", options=[(_ANY, ""), *verdicts]),
        "area": widgets.Dropdown(description="Area", options=[(_ANY, ""), *areas]),
        "problems": widgets.Checkbox(description="Only problems", indent=False),
    }
    for name, field in fields.items():
        field.add_class(f"ddoauth-filter-{name}")
    return fields
