"""Tick off the steps of a list; the ticks are there again next time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ddoauth_kit.workbook.creation import CREATION, creation_steps
from ddoauth_kit.workbook.ticks import Ticks
from ddoauth_kit.workbook.widgets.base import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable


class ChecklistPanel(Panel):
    """Offer a tick for each step of a path, such as `listing`; `done` are the ticked numbers.

    The text of it has no ticks: a stored notebook is the same for everybody.
    """

    def __init__(self, path: str = "listing") -> None:
        super().__init__()
        self._table = creation_steps(path)
        self._ticks = Ticks(path)
        ticked = self._ticks.read()
        self._boxes = [
            widgets.Checkbox(
                description=f"{number}. {step.do}",
                value=number in ticked,
                indent=False,
                layout={"width": "95%"},
            )
            for number, step in enumerate(CREATION[path], 1)
        ]
        for box in self._boxes:
            box.observe(self._keep, names="value")
        self._tell()

    @property
    def done(self) -> tuple[int, ...]:
        """Return the numbers of the ticked steps."""
        return tuple(number for number, box in enumerate(self._boxes, 1) if box.value)

    @property
    def value(self) -> object:
        """Return what is shown; it shows itself, without a card."""
        return self._table

    def text(self) -> str:
        """Return the steps."""
        return repr(self._table)

    def html(self) -> str:
        """Return the steps as a table."""
        return self._table._repr_html_()

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the boxes."""
        return self._boxes

    def _keep(self, _change: object) -> None:
        self._ticks.write(self.done)
        self._tell()

    def _tell(self) -> None:
        self.say(f"{len(self.done)} of {len(self._boxes)} done; kept in {self._ticks.where}.")
