"""Unfold requests and responses, and copy a request as code."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import ipywidgets as widgets

from ddoauth_kit.workbook.panels.panel import Panel, button, row
from ddoauth_kit.workbook.show.clipboard import copy_buttons
from ddoauth_kit.workbook.show.snippets import as_curl, as_httpx
from ddoauth_kit.workbook.show.wire import transcript_html, wire_messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.exchange import Exchange
    from ddoauth_kit.http.transcript import Transcript
    from ddoauth_kit.workbook.lab.lab import Lab
    from ddoauth_kit.workbook.show.snippets import Snippet

PAGE: Final = 50


class TranscriptPanel(Panel):
    """Shows each exchange of a lab as it was sent, but masked, 50 at a time.

    Unfolding and copying happen only in the browser, so they work while a cell is running. A page
    is created when it is first opened and then only grows, so its entries stay unfolded.
    """

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._seen: list[Exchange] = []
        self._pages = widgets.VBox()
        self._choice = widgets.Dropdown(
            description="Exchanges", style={"description_width": "initial"}
        )
        self._choice.observe(lambda _change: self._turn(), names="value")
        self.update()

    @property
    def value(self) -> object:
        """Return the value, which is displayed without a card."""
        return self._lab.transcript

    def text(self) -> str:
        """Return one line for each exchange."""
        return repr(self._lab.transcript)

    def html(self) -> str:
        """Return the same information as a table."""
        return transcript_html(self._lab.transcript)

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the page buttons and the pages, only one of which is visible."""
        top = row(button("Show the newest", self.update), self._choice)
        return (top, self._pages)

    def update(self) -> None:
        """Show exchanges that were added to the transcript since the last update."""
        self._seen += _newer(self._lab.transcript, self._seen)
        firsts = range(0, len(self._seen), PAGE)
        boxes = self._pages.children
        self._pages.children = (*boxes, *(widgets.VBox() for _ in firsts[len(boxes) :]))
        self._choice.layout.display = "none" if len(firsts) <= 1 else ""
        pages = [(self._numbers(page), page) for page in range(len(firsts))]
        # When the options change, the first one is selected, so the newest page comes first.
        self._choice.options = pages[::-1]
        self._choice.value = len(pages) - 1 if pages else None
        self._turn()

    def _turn(self) -> None:
        page = self._choice.value
        if page is None:
            self.say("No requests have been sent yet.")
            return
        box = self._pages.children[page]
        here = list(enumerate(self._seen, 1))[page * PAGE : (page + 1) * PAGE]
        box.children += tuple(
            widgets.HTML(exchange_html(exchange, number=number))
            for number, exchange in here[len(box.children) :]
        )
        for number, other in enumerate(self._pages.children):
            other.layout.display = "" if number == page else "none"
        self.say(self._counted(page))

    def _counted(self, page: int) -> str:
        count = len(self._seen)
        if count <= PAGE:
            return f"{count} exchange{'' if count == 1 else 's'}."
        shown = self._numbers(page)
        return f"Exchanges {shown} of {count}; choose other exchanges in the field above."

    def _numbers(self, page: int) -> str:
        return f"{page * PAGE + 1} to {min((page + 1) * PAGE, len(self._seen))}"


def exchange_html(exchange: Exchange, *, number: int) -> str:
    """Return one folded exchange: its title, the request as code, and the two messages."""
    url = urlsplit(exchange.url)
    title = (
        f"{number}. {exchange.status} {exchange.method} {url.netloc}{url.path} ({exchange.purpose})"
    )
    curl = as_curl(exchange)
    host = url.netloc
    code = copy_buttons(curl=curl.introduced(host), httpx=as_httpx(exchange).introduced(host))
    needs = f"<p>{escape(_needs(curl, url.netloc))}</p>"
    request, answer = wire_messages(exchange)
    messages = _message("Request", request) + _message("Answer", answer)
    return (
        '<details class="ddoauth-exchange">'
        f'<summary style="cursor:pointer;overflow-wrap:anywhere">{escape(title)}</summary>'
        f"{code}{needs}{messages}</details>"
    )


def _needs(curl: Snippet, host: str) -> str:
    """Explain the variables of the copied code."""
    named = [
        f"{name} (https://{host})" if name.endswith("_URL") else name for name in curl.variables
    ]
    return f"Set these variables first, because both snippets read them: {', '.join(named)}."


def _message(title: str, message: str) -> str:
    return f'<h4>{title}</h4><pre style="overflow-x:auto">{escape(message)}</pre>'


def _newer(transcript: Transcript, seen: list[Exchange]) -> list[Exchange]:
    """Return the exchanges after the last one seen; old ones may be gone."""
    kept = list(transcript)
    known = [i for i, each in enumerate(kept) if seen and each is seen[-1]]
    return kept[known[-1] + 1 :] if known else kept
