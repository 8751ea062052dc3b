"""Measure the way from navigation to the first token: in a browser tab alone, and in JupyterLab.

Takes the folder of a built site: `python tests/benchmarks/tab.py DIR`. Both open lesson 01 in a
fresh profile of Chromium and run all cells; processor seconds are those of the browser, and of the
server and its kernel where there is one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from timing import summary, table

sys.path.insert(0, str(Path(__file__).parents[1]))  # drivers that the tests share
from support.chromium import open_chromium
from support.jupyter_lab import CONNECTED, RUN_ALL, LabServer
from support.static_site import LOADING, SHOWN, StaticServer

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
LESSON = "01_the_whole_flow.ipynb"
# Lessons are stored with their outputs, so those are marked: what counts is an output of this run.
MARK = """() => document.querySelectorAll('.jp-OutputArea-child')
  .forEach((output) => output.setAttribute('data-stored', ''))"""
TOKEN = """() => [...document.querySelectorAll('.jp-CodeCell')].some((cell) =>
  cell.textContent.includes('lab.exchange(response)')
  && [...cell.querySelectorAll('.jp-OutputArea-child:not([data-stored])')]
    .some((output) => output.textContent.includes('<access_token>')))"""


def spent() -> float:
    """Return the processor seconds of every process that this one started and that still runs."""
    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            seconds += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return seconds


def first_token(browser: Any, url: str) -> tuple[float, float, float]:
    """Return the seconds until the notebook is ready, until the token, and of the processor."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(LOADING)
    begun, before = time.perf_counter(), spent()
    page.goto(url)
    page.wait_for_selector(SHOWN)
    page.wait_for_function(CONNECTED)
    ready = time.perf_counter() - begun
    page.evaluate(MARK)
    running = page.evaluate_handle(f"() => {{ void ({RUN_ALL})(); }}")
    page.wait_for_function(TOKEN)
    times = ready, time.perf_counter() - begun, spent() - before
    running.dispose()
    page.context.close()
    return times


def in_a_tab(browser: Any, site: Path) -> tuple[float, float, float]:
    """Open the built site."""
    server = StaticServer(site)
    try:
        return first_token(browser, f"{server.url}lab/index.html?path={LESSON}")
    finally:
        server.stop()


def in_jupyterlab(browser: Any) -> tuple[float, float, float]:
    """Open JupyterLab with the installed kit; its server runs already."""
    with tempfile.TemporaryDirectory() as folder:
        server = LabServer(Path(folder), find_notebooks())
        try:
            return first_token(browser, server.address(f"lab/tree/{LESSON}"))
        finally:
            server.stop()


def main(site: Path) -> None:
    """Print one table, and the size of the site."""
    subjects: dict[str, Callable[[Any], tuple[float, float, float]]] = {
        "a browser tab": lambda browser: in_a_tab(browser, site),
        "JupyterLab, kit installed, server running": in_jupyterlab,
    }
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in subjects}
    with open_chromium() as browser:
        for _ in range(ROUNDS):
            for name, measure in subjects.items():
                taken[name].append(measure(browser))
    rows = [
        (name, *(summary(list(each), digits=1) for each in zip(*rounds, strict=True)))
        for name, rounds in taken.items()
    ]
    head = ("from navigation, s", "notebook ready", "first token", "processor")
    print(table(head, rows))  # noqa: T201
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"the site: {size / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
