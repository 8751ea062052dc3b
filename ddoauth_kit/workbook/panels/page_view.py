"""Show the pages of a sandbox that only this process can reach, and let a person click on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import anywidget
import traitlets

from ddoauth_kit.workbook.lab.in_process import is_in_process
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HERE: Final = Path(__file__).parent
_REDIRECTS: Final = 10


class PageView(anywidget.AnyWidget):
    """A small browser window; `leave` receives an address outside this process.

    Scripts on a page do not run. Pages are sent to the frame in messages, because their forms
    contain tokens, and a widget's state may be saved.
    """

    _esm = _HERE / "page_view.js"
    _css = _HERE / "page_view.css"
    title = traitlets.Unicode().tag(sync=True)

    def __init__(self, title: str, *, leave: Callable[[str], None]) -> None:
        self._leave = leave
        self._browser = Browser()
        self._url = ""
        self._html = ""
        super().__init__(title=title)
        self.on_msg(lambda _widget, content, _buffers: self.receive(content))

    @property
    def html(self) -> str:
        """Return the currently shown page, or ""."""
        return self._html

    def visit(self, url: str) -> None:
        """Show a page, as a browser without a history would.

        Raises:
            NetworkError: `no_network`, if the sandbox has stopped.
        """
        self._go(url, None)

    def clear(self) -> None:
        """Show nothing."""
        self._show("")

    def receive(self, message: Mapping[str, Any]) -> None:
        """Follow a click; a message that this view did not create is ignored."""
        if message.get("ready"):
            self._show(self._html)
            return
        target, fields = message.get("target"), message.get("fields")
        url = urljoin(self._url, target) if isinstance(target, str) else ""
        if self._html and is_in_process(url):
            form = {str(k): str(v) for k, v in fields.items()} if fields is not None else None
            self._go(url, form)

    def _go(self, url: str, form: dict[str, str] | None) -> None:
        page = self._browser.open(url, form)
        for _ in range(_REDIRECTS):
            if not page.location:
                break
            url = urljoin(url, page.location)
            if not is_in_process(url):
                self._show("")
                self._leave(url)
                return
            page = self._browser.open(url)
        self._url = url
        self._show(page.html)

    def _show(self, html: str) -> None:
        self._html = html
        self.send({"html": html})
