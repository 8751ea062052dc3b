"""Define what all panels share: a view, its text, a status line, and one task at a time."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.without_threads import threads_exist
from ddoauth_kit.workbook.show.cards import as_html, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STATUS: Final = "ddoauth-status"
_CODE: Final = re.compile(r"`([^`<>\n]+)`")
# ipywidgets gives a view this class when its kernel is gone; without a message, nobody would know
# why.
_GONE: Final = """\
.ddoauth-panel.jupyter-widgets-disconnected::before {
  content: "Disconnected: this panel's kernel has ended. Run the cell again.";
  display: block;
  font-weight: bold;
  padding: 4px;
}
.ddoauth-panel .widget-label.ddoauth-countdown { height: auto; white-space: normal; }
.ddoauth-panel .widget-dropdown { box-sizing: border-box; max-width: calc(100% - 4px); }"""
# JupyterLab takes keys pressed in a select as notebook shortcuts: an arrow moves to another cell,
# and `a` inserts one. Lumino ignores elements that have this attribute themselves. A status line is
# read out only if the element with the role stays while its text changes. ipywidgets can't set
# either; a style sheet reveals when the element is in place.
_MEND: Final = f"""\
const panel = this.closest('.widget-vbox');
panel.addEventListener('focusin', (event) => {{
  if (event.target.matches('select')) event.target.dataset.lmSuppressShortcuts = '';
}});
panel.querySelector('.{STATUS}')?.setAttribute('role', 'status');"""


class Panel(ABC):
    """Shows a value and buttons; while a button's task runs, the kernel can still run cells.

    Without threads, the task blocks the click until it finishes.

    Subclasses define the `value` that is shown without a kernel, and the `parts` of the view.
    """

    def __init__(self) -> None:
        self.status = widgets.HTML()
        self.status.add_class(STATUS)
        self._work: threading.Thread | None = None
        self._starting = threading.Lock()

    @property
    @abstractmethod
    def value(self) -> object:
        """Return the value that the panel shows as a card."""

    @abstractmethod
    def parts(self) -> Iterable[widgets.Widget]:
        """Return the widgets above the status line."""

    @cached_property
    def panel(self) -> widgets.VBox:
        """Return the view; it is created only once, so showing it again shows the same view."""
        view = widgets.VBox([*self.parts(), self.status, mended()])
        view.add_class("ddoauth-panel")
        view.add_class(f"ddoauth-{type(self).__name__.lower()}")
        return view

    def text(self) -> str:
        """Return the text for a page without a kernel."""
        return as_text(self.value)

    def html(self) -> str:
        """Return the HTML for a notebook without a kernel."""
        return as_html(self.value)

    def finish(self, timeout: float | None = None) -> bool:
        """Wait for a button's task to finish; return whether it has."""
        work = self._work
        if work is not None:
            work.join(timeout)
        return work is None or not work.is_alive()

    def start(self, work: Callable[[], None]) -> bool:
        """Run a task in the background unless one is running; return whether it was started."""
        with self._starting:
            if self._work is not None and self._work.is_alive():
                return False
            self._work = self.beside(work)
            return True

    def beside(self, work: Callable[[], None]) -> threading.Thread | None:
        """Run a task in the background, regardless of what else is running."""
        if not threads_exist():
            self._guarded(work)
            return None
        thread = threading.Thread(target=self._guarded, args=(work,), name="panel", daemon=True)
        thread.start()
        return thread

    def say(self, sentence: str) -> None:
        """Write to the status line, which screen readers read out."""
        self.status.value = f"<div>{_coded(escape(sentence))}</div>"

    def show(self, value: object) -> None:
        """Show a value's card in the status line."""
        self.status.value = f"<div>{_coded(as_html(value))}</div>"

    def add(self, sentence: str) -> None:
        """Add another text below the status line."""
        if sentence:
            self.status.value += f"<p>{_coded(escape(sentence))}</p>"

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except DdoauthError as error:
            self.show(error)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            self.say(f"Unexpected error: {type(error).__name__}.")

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **options: object) -> dict[str, Any]:
        bundle = dict(self.panel._repr_mimebundle_(**options))
        return {**bundle, "text/plain": self.text(), "text/html": self.html()}


def button(label: str, work: Callable[[], object], *, tooltip: str = "") -> widgets.Button:
    """Return a button that calls a function without arguments."""
    made = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
    made.on_click(lambda _button: work())
    return made


def row(*children: widgets.Widget) -> widgets.HBox:
    """Return widgets in a row that wraps if there is little room."""
    return widgets.HBox(children, layout={"flex_flow": "row wrap"})


def mended() -> widgets.HTML:
    """Return an invisible part, such as the one that keeps keys inside a panel's selects."""
    return widgets.HTML(
        f'<style onload="{escape(_MEND)}">{_GONE}</style>', layout={"display": "none"}
    )


def _coded(html: str) -> str:
    """Format text between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html)
