"""Tick off the steps in a list and store the ticks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from ddoauth_kit.workbook.lab.listen_or_paste import link
from ddoauth_kit.workbook.own_app.creation_steps import CREATION, PAGES, creation_steps
from ddoauth_kit.workbook.own_app.ticks import Ticks
from ddoauth_kit.workbook.panels.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.workbook.own_app.creation_steps import CreationStep

LOST: Final = " This file does not contain a list of ticks; your next tick replaces it."
_LINKS: Final = "Datadog's pages: " + ", ".join(link(url, title) for title, url in PAGES.items())

# ipywidgets truncates a checkbox's long label; on a narrow screen it should wrap.
WRAPPED: Final = """<style>
.ddoauth-checklistpanel .widget-checkbox { height: auto }
.ddoauth-checklistpanel .widget-checkbox label { white-space: normal; line-height: 1.5 }
</style>"""


class ChecklistPanel(Panel):
    """Offers a checkbox for each step in a path, such as `listing`; `done` has the ticked numbers.

    The text form has no ticks, so a stored notebook is the same for everybody.
    """

    def __init__(self, path: str = "listing") -> None:
        super().__init__()
        self._table = creation_steps(path)
        self._steps = CREATION[path]
        self._ticks = Ticks(path)
        ticked = self._ticks.read()
        self._lost = LOST if self._ticks.broken else ""
        self._boxes = [
            widgets.Checkbox(
                description=f"{number}. {step.do}" + (f" ({step.note})" if step.note else ""),
                value=step.do in ticked,
                indent=False,
                layout={"width": "95%"},
            )
            for number, step in enumerate(self._steps, 1)
        ]
        for step, box in zip(self._steps, self._boxes, strict=True):
            box.observe(partial(self._keep, step), names="value")
        self._tell()

    @property
    def done(self) -> tuple[int, ...]:
        """Return the numbers of the ticked steps."""
        return tuple(number for number, box in enumerate(self._boxes, 1) if box.value)

    @property
    def value(self) -> object:
        """Return the value, which is displayed without a card."""
        return self._table

    def text(self) -> str:
        """Return the steps."""
        return repr(self._table)

    def html(self) -> str:
        """Return the steps as a table."""
        return self._table._repr_html_()

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the boxes."""
        return (
            *self._boxes,
            widgets.HTML(_LINKS),
            widgets.HTML(WRAPPED, layout={"display": "none"}),
        )

    def _keep(self, step: CreationStep, change: dict[str, Any]) -> None:
        """Add or remove one tick, and keep the ticks of other panels for this list."""
        others = self._ticks.read() - {step.do}
        self._ticks.write(others | {step.do} if change["new"] else others)
        self._lost = ""
        self._tell()

    def _tell(self) -> None:
        # The place where ticks are stored may change with every write: a file may become
        # unwritable.
        done = f"{len(self.done)} of {len(self._boxes)} done; saved in {self._ticks.where}."
        self.say(done + self._lost)
