"""Measure the way from the README's first command to the first token in the browser.

The last commit is cloned into a temporary folder, where the README's first command makes its own
environment. From there on a person is played, whose actions are counted: commands that are typed,
and clicks in Chromium. Beside the kit stands bare JupyterLab, in an environment of its own, with
an empty notebook that adds one and one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timing import summary, table

sys.path.insert(0, str(Path(__file__).parents[1]))  # drivers that the tests share
from support.chromium import open_chromium
from support.jupyter_lab import LabServer

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
ROUNDS = 3
PATIENCE = 60_000
EMPTY = "empty.ipynb"
STAGES = ("start to listening", "first page", "notebook opened", "run to the result")
PEER = "python3 -m venv bare && bare/bin/pip install jupyterlab ipywidgets"
OPENED = """name => {
  const widget = window.jupyterapp?.shell.currentWidget;
  return widget?.context?.path === name
    && widget.sessionContext.session?.kernel?.connectionStatus === 'connected';
}"""
# Lessons are stored with their outputs, so those are marked: what counts is an output of this run.
MARK = """() => document.querySelectorAll('.jp-OutputArea-child')
  .forEach((output) => output.setAttribute('data-stored', ''))"""
DONE = """([source, text]) => [...document.querySelectorAll('.jp-CodeCell')].some((cell) =>
  cell.querySelector('.jp-InputArea-editor')?.textContent.includes(source)
  && [...cell.querySelectorAll('.jp-OutputArea-child:not([data-stored])')]
    .some((output) => output.textContent.includes(text)))"""


class Typed(LabServer):
    """Run JupyterLab by the command that a person types; `{folder}` in it is the notebooks'."""

    def __init__(self, home: Path, command: str) -> None:
        self._typed = command
        super().__init__(home, [], environ={"PYTHONPATH": ""})
        self.write(EMPTY, "1 + 1")

    def _command(self, base_url: str) -> list[str]:
        given = [o for o in super()._command(base_url) if o.startswith("--")]
        typed = self._typed.format(folder=self.folder).split()
        return [*typed, *(o for o in given if "root_dir" not in o)]


class Person:
    """Be somebody at a browser; `clicks` counts what they do there."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    def click(self, found: Any) -> None:
        """Click once."""
        self.clicks += 1
        found.click()

    def open(self, name: str) -> None:
        """Open a notebook by a double click, one action, and wait until it can be run."""
        self.clicks += 1
        self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        self.page.wait_for_function(OPENED, arg=name)

    def run_all(self, source: str, text: str) -> None:
        """Choose `Run > Run All Cells`; wait until a cell has run and shows a text."""
        self.page.evaluate(MARK)
        self.click(self.page.get_by_role("menuitem", name="Run", exact=True))
        self.click(self.page.get_by_role("menuitem", name="Run All Cells", exact=True))
        self.page.wait_for_function(DONE, arg=[source, text])


def add(person: Person) -> None:
    """Open an empty notebook, and add one and one in it."""
    person.run_all("1 + 1", "2")


def by_cells(person: Person) -> None:
    """Run the lesson that takes six short cells."""
    person.run_all("lab.exchange(response)", "<access_token>")


def by_clicks(person: Person) -> None:
    """Run the lesson with the panel, and authorize once more by it."""
    person.run_all("panels.AuthorizePanel(", "<access_token>")
    panel = person.page.locator(".jp-CodeCell", has_text="panels.AuthorizePanel(")
    person.click(panel.get_by_role("button", name="Authorize"))
    with person.page.context.expect_page() as opened:
        person.click(panel.get_by_role("link", name="Authorize on us1"))
    page = opened.value
    person.click(page.get_by_role("button", name="Authorize"))
    page.get_by_text("You may now close this tab.").wait_for()
    panel.get_by_text("<access_token>").wait_for()


LAB = "clone/.venv/bin/ddoauth lab --out {folder} --no-browser --"
JUPYTERLAB = "bare/bin/python -m jupyterlab --ServerApp.root_dir={folder}"
SUBJECTS: dict[str, tuple[str, str, Callable[[Person], None]]] = {
    "bare JupyterLab, `1 + 1`": (JUPYTERLAB, EMPTY, add),
    "lesson 01, by cells": (LAB, "01_the_whole_flow.ipynb", by_cells),
    "lesson 09, by clicks": (LAB, "09_your_own_app.ipynb", by_clicks),
}


def main() -> None:
    """Print seconds of each stage, and how much a person does."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root / "clone")], check=True)
        installed = _run_each(_first_command(), root / "clone")
        peer = _run_each(PEER, root)
        print(table(("typed in a shell", "s"), [*installed, *peer]))  # noqa: T201
        _browse(root, {LAB: _sum(installed), JUPYTERLAB: _sum(peer)})


def _sum(rows: list[tuple[str, str]]) -> float:
    return sum(float(seconds) for _, seconds in rows)


def _first_command() -> str:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    return next(line for line in lines if line.endswith("ddoauth run"))


def _run_each(line: str, folder: Path) -> list[tuple[str, str]]:
    """Run the commands of a line one by one, and return the seconds of each."""
    rows = []
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in line.split(" && "):
        started = time.perf_counter()
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environ, check=False, capture_output=True
        )
        if done.returncode:
            raise SystemExit(f"failed: {command}\n{done.stderr.decode()[-2000:]}")
        rows.append((f"`{command}`", f"{time.perf_counter() - started:.1f}"))
    return rows


def _browse(root: Path, installing: dict[str, float]) -> None:
    taken: dict[str, list[list[float]]] = {name: [] for name in SUBJECTS}
    clicks = {}
    with open_chromium() as browser:
        for number in range(ROUNDS):
            for name, (command, notebook, run) in SUBJECTS.items():
                home = root / f"{number}-{notebook}"
                times, clicks[name] = _visit(browser, home, f"{root}/{command}", notebook, run)
                taken[name].append(times)
    rows = [_row(name, rounds, clicks[name]) for name, rounds in taken.items()]
    print(table(("in the browser, s", *STAGES, "together", "clicks"), rows))  # noqa: T201
    for name, rounds in taken.items():
        seconds = installing[SUBJECTS[name][0]] + sum(rounds[0])
        print(f"{name}: {seconds:.1f} s with what was typed, the first time")  # noqa: T201


def _row(name: str, rounds: list[list[float]], clicks: int) -> tuple[str, ...]:
    stages = [summary(list(stage), digits=1) for stage in zip(*rounds, strict=True)]
    return name, *stages, summary([sum(times) for times in rounds], digits=1), str(clicks)


def _visit(
    browser: Any, home: Path, command: str, notebook: str, run: Callable[[Person], None]
) -> tuple[list[float], int]:
    """Start a server and visit it with a fresh browser profile; return seconds and clicks."""
    marks = [time.perf_counter()]
    server = Typed(home, command)
    try:
        marks.append(time.perf_counter())
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        person = Person(page)
        page.goto(server.address(""))
        page.locator(".jp-DirListing-item", has_text=notebook).wait_for()
        marks.append(time.perf_counter())
        person.open(notebook)
        marks.append(time.perf_counter())
        run(person)
        marks.append(time.perf_counter())
        page.context.close()
    finally:
        server.stop()
    return [later - earlier for earlier, later in pairwise(marks)], person.clicks


if __name__ == "__main__":
    main()
