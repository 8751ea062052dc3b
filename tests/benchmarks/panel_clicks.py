"""Measure, inside the page, the time from a click to what it changes in a panel.

Beside each panel stands a bare ipywidgets button whose callback sets a label, clicked in turn with
it, and the same call in the kernel without a panel, asked for by the same page.
"""

from __future__ import annotations

import re
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timing import summary, table

sys.path.insert(0, str(Path(__file__).parents[1]))  # drivers that the tests share
from support.chromium import open_chromium
from support.jupyter_lab import LabServer, Notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROUNDS = 20
FRESH = 5
PAUSE = 1000
COUNTED = re.compile(r"\b[1-5]\d:\d\d\b")
CLICK = """([button, watched, marks]) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error(`nothing shows ${marks[taken.length]}`)), 30000);
  const taken = [];
  const started = performance.now();
  const look = () => {
    while (taken.length < marks.length) {
      const [selector, text] = marks[taken.length];
      const found = [...watched.querySelectorAll(selector)];
      if (!found.some((element) => element.textContent.includes(text))) return;
      taken.push(performance.now() - started);
    }
    observer.disconnect();
    resolve(taken);
  };
  const observer = new MutationObserver(look);
  observer.observe(watched, {childList: true, subtree: true, characterData: true});
  button.click();
})"""
CALL = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const started = performance.now();
  const reply = await kernel.requestExecute({code, silent: true, store_history: false}).done;
  if (reply.content.status !== 'ok') throw new Error(reply.content.evalue);
  return performance.now() - started;
}"""
SETUP = f"""\
import ipywidgets
from ddoauth_kit.workbook import open_sandbox_lab, panels
class Bare:
    def __init__(self):
        self.button, self.label = ipywidgets.Button(description='Bare'), ipywidgets.Label()
        self.clicks = 0
        self.button.on_click(self.count)
    def count(self, _button):
        self.clicks += 1
        self.label.value = f'click {{self.clicks}}.'
bare = Bare()
lab = open_sandbox_lab()
tokens = lab.connect()
labs = [open_sandbox_lab() for _ in range({FRESH * 2})]
grants = [each.connect() for each in labs]
shown = [panels.ApiKeyPanel(*each) for each in zip(labs, grants)][:{FRESH}]
probing = [panels.ProbePanel(lab) for _ in range({FRESH})]"""
CELLS = (
    SETUP,
    "ipywidgets.VBox([bare.button, bare.label])",
    "panels.TokenPanel(lab, tokens)",
    "ipywidgets.VBox([each.panel for each in shown])",
    "ipywidgets.VBox([each.panel for each in probing])",
)


class Panels:
    """Hold the page of panels, and click in it."""

    def __init__(self, notebook: Notebook) -> None:
        notebook.run_all()
        self._page = notebook.page
        bare, self.tokens, keys, probes = notebook.panel.locator(".jp-OutputArea").all()[-4:]
        self._bare = bare
        self.keys = keys.locator(".ddoauth-apikeypanel")
        self.probes = probes.locator(".ddoauth-probepanel")
        self._clicks = 0

    def click(self, part: Any, name: str, *marks: tuple[str, str]) -> list[float]:
        """Return the milliseconds from a click to each mark: an element, and a text in it."""
        button = part.get_by_role("button", name=name, exact=True)
        self.rest()
        handles = [button.element_handle(), part.element_handle(), list(marks)]
        return list(self._page.evaluate(CLICK, handles))

    def rest(self) -> None:
        """Let what came before be over, on the page and on the way to it."""
        self._page.wait_for_timeout(PAUSE)

    def bare(self) -> list[float]:
        """Click the floor: a button whose callback sets a label."""
        self._clicks += 1
        return self.click(self._bare, "Bare", (".widget-label", f"click {self._clicks}."))

    def call(self, code: str) -> list[float]:
        """Return the milliseconds that the kernel takes for a line of code, and to say so."""
        self.rest()
        return [float(self._page.evaluate(CALL, code))]

    def refresh(self) -> list[float]:
        """Click Refresh when a second has gone by, so that the countdown jumps back."""
        self.tokens.get_by_text(COUNTED).wait_for()
        return self.click(self.tokens, "Refresh", (".ddoauth-countdown", "60:00"))

    def create(self, number: int) -> list[float]:
        """Create the key of one panel."""
        return self.click(
            self.keys.nth(number), "Create the API key", (".ddoauth-status", "Kept in")
        )

    def probe(self, number: int) -> list[float]:
        """Run the probes of one panel, whose table is still empty."""
        panel = self.probes.nth(number)
        sites = panel.get_by_role("group", name="Sites")
        sites.get_by_role("button", name="All").click()
        return self.click(
            panel, "Run probes", (".ddoauth-matrix", ""), (".ddoauth-status", "Done:")
        )


def main() -> None:
    """Print milliseconds from a click to the first sign of it on the page."""
    with tempfile.TemporaryDirectory() as home, open_chromium() as browser:
        server = LabServer(Path(home) / "server", [])
        try:
            server.write("panels.ipynb", *CELLS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(30_000)
            panels = Panels(Notebook(page, server, "panels.ipynb"))
            rows = [row for part in (_tokens, _keys, _probes) for row in part(panels)]
        finally:
            server.stop()
    print(table(("from a click", "ms, median [min-max]"), rows))  # noqa: T201


def _tokens(panels: Panels) -> Iterator[tuple[str, str]]:
    times = _in_turn(
        ROUNDS,
        lambda _: panels.bare(),
        lambda _: panels.call("lab.refresh(tokens)"),
        lambda _: panels.refresh(),
    )
    names = ["bare button to its label", "`lab.refresh(tokens)`, no panel"]
    yield from zip([*names, "TokenPanel: Refresh to the new countdown"], times, strict=True)


def _keys(panels: Panels) -> Iterator[tuple[str, str]]:
    def call(number: int) -> list[float]:
        return panels.call(f"labs[{number + FRESH}].api_key(grants[{number + FRESH}])")

    times = _in_turn(FRESH, call, panels.create)
    names = ["`lab.api_key(tokens)`, no panel", "ApiKeyPanel: Create to the key's last four"]
    yield from zip(names, times, strict=True)


def _probes(panels: Panels) -> Iterator[tuple[str, str]]:
    call = partial(panels.call, "lab.scopes.probe(sites='all')")
    times = _in_turn(FRESH, lambda _: call(), panels.probe)
    names = [
        "`lab.scopes.probe(sites='all')`, no panel",
        "ProbePanel: Run probes to the first rows",
        "ProbePanel: Run probes to Done",
    ]
    yield from zip(names, times, strict=True)


def _in_turn(rounds: int, *subjects: Callable[[int], Sequence[float]]) -> list[str]:
    """Run the subjects in turn, and return the summary of each time that they measure."""
    taken = [[time for subject in subjects for time in subject(n)] for n in range(rounds)]
    return [summary(list(times), digits=1) for times in zip(*taken, strict=True)]


if __name__ == "__main__":
    main()
