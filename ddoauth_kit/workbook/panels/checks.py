"""Tick names in a searchable list, where a plain click doesn't clear other ticks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets

if TYPE_CHECKING:
    from collections.abc import Iterable

_HERE: Final = Path(__file__).parent


class Checks(anywidget.AnyWidget):
    """Shows checkboxes, with buttons for all and none; `value` lists the ticked names in order.

    A name from the page is ignored if it is not one of the options.
    """

    _esm = _HERE / "checks.js"
    _css = _HERE / "checks.css"
    description = traitlets.Unicode().tag(sync=True)
    options: traitlets.List[Any] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    value: traitlets.List[Any] = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, label: str, options: Iterable[str], chosen: Iterable[str]) -> None:
        known, ticked = list(options), set(chosen)
        super().__init__(
            description=label, options=known, value=[name for name in known if name in ticked]
        )

    @traitlets.validate("value")
    def _known(self, proposal: dict[str, Any]) -> list[str]:
        ticked = set(proposal["value"])
        return [name for name in self.options if name in ticked]
