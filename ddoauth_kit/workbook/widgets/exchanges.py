"""Unfold what was sent and answered, and take a request away as code."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ddoauth_kit.workbook.snippets import Snippet, as_curl, as_httpx
from ddoauth_kit.workbook.widgets.base import Panel, button, row
from ddoauth_kit.workbook.wire import wire_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.transcript import Exchange
    from ddoauth_kit.workbook.steps import Lab


class TranscriptPanel(Panel):
    """Show each exchange of a lab, masked, as it went over the wire.

    A kernel cannot reach the clipboard: the code appears in a field, ready to be selected.
    """

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._list = widgets.Accordion()
        self.update()

    @property
    def value(self) -> object:
        """Return what is shown; it shows itself, without a card."""
        return self._lab.transcript

    def text(self) -> str:
        """Return one line for each exchange."""
        return repr(self._lab.transcript)

    def html(self) -> str:
        """Return the same as a table."""
        return self._lab.transcript._repr_html_()

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the button that looks again, and the exchanges."""
        return (button("Show the newest", self.update), self._list)

    def update(self) -> None:
        """Show what the transcript holds by now."""
        exchanges = list(self._lab.transcript)
        children = [*self._list.children]
        children += [_unfolded(each) for each in exchanges[len(children) :]]
        self._list.children = children
        for number, each in enumerate(exchanges):
            self._list.set_title(number, f"{each.status} {each.method} ({each.purpose})")
        self.say(f"{len(exchanges)} exchanges.")


def _unfolded(exchange: Exchange) -> widgets.VBox:
    code = widgets.HTML()
    buttons = row(
        button("Copy as cURL", partial(_offer, code, exchange, as_curl)),
        button("Copy as httpx", partial(_offer, code, exchange, as_httpx)),
    )
    return widgets.VBox([widgets.HTML(wire_html(exchange)), buttons, code])


def _offer(field: widgets.HTML, exchange: Exchange, write: Callable[[Exchange], Snippet]) -> None:
    code = write(exchange).code
    field.value = (
        f'<textarea readonly rows="{code.count(chr(10)) + 2}" style="width:95%" '
        f'aria-label="code to copy">{escape(code)}</textarea>'
    )
