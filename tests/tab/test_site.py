"""The workbook in a browser tab: lessons run, consent is clicked, and nothing leaves or stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.static_site import SHOWN

from ddoauth_kit.maintenance.site.contents import READ_ONLY
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.static_site import Tab

pytestmark = pytest.mark.tab
LESSONS = find_notebooks()
RUNNING = [path for path in LESSONS if path.name[:2] not in READ_ONLY]
# What a tab shows otherwise by design, by cell.
DIFFERENT: dict[str, str] = {
    "00-13": "a tab needs fewer packages",
    "08-46": "the doctor looks at this machine, and finds a tab",
}
# Every value in every storage, but for the version of the service worker.
STORED = """async () => {
  const promised = (request) => new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  const found = [];
  for (const {name} of await indexedDB.databases()) {
    const database = await promised(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      found.push(...await promised(database.transaction(store).objectStore(store).getAll()));
    }
    database.close();
  }
  for (const name of await caches.keys()) found.push(...await (await caches.open(name)).keys());
  const kept = Object.entries({...localStorage, ...sessionStorage});
  return [...found, ...kept.filter(([name]) => !name.includes('service-worker.js'))];
}"""
PAGE = "iframe.ddoauth-page"
PANEL = """
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.panels import AuthorizePanel
lab = open_lab()
panel = AuthorizePanel(lab)
panel
"""


def _shown(output: dict[str, Any]) -> str:
    """Return what a person reads of an output."""
    text = output.get("data", {}).get("text/plain", output.get("text", output.get("evalue", "")))
    return text if isinstance(text, str) else "".join(text)


def _outputs(notebook: dict[str, Any]) -> dict[str, list[str]]:
    return {
        cell["id"]: [_shown(output) for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }


@pytest.mark.parametrize("path", RUNNING, ids=lambda path: path.stem)
def test_a_lesson_runs_and_shows_what_is_stored(shared: Tab, path: Path) -> None:
    """Run All runs each cell, without an error, and shows what is stored but for DIFFERENT."""
    shared.open(path.name)
    notebook = shared.run_all()
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"] == []
    assert [cell["id"] for cell in cells if cell["execution_count"] is None] == []
    found, stored = _outputs(notebook), _outputs(json.loads(path.read_text("utf-8")))
    assert {id_: found[id_] for id_ in stored if id_ not in DIFFERENT} == {
        id_: texts for id_, texts in stored.items() if id_ not in DIFFERENT
    }
    assert all(found[id_] != stored[id_] for id_ in DIFFERENT if id_ in stored)


@pytest.mark.parametrize("number", READ_ONLY)
def test_a_lesson_that_cannot_run_is_readable_and_says_why(shared: Tab, number: str) -> None:
    """Its stored outputs are there, and so is the reason below the heading."""
    path = next(path for path in LESSONS if path.name.startswith(number))
    shared.open(path.name)
    notebook = shared.content()
    assert "does not run in a browser tab" in "".join(notebook["cells"][1]["source"])
    assert _outputs(notebook) == _outputs(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("decision", ["Deny", "Authorize"])
def test_the_consent_page_is_clicked_inside_the_tab(shared: Tab, decision: str) -> None:
    """A person denies or approves on the sandbox's own page, and the panel shows the result."""
    shared.open("01_the_whole_flow.ipynb")
    shared.page.evaluate(
        """async (source) => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.model.sharedModel.insertCell(0, {cell_type: 'code', source});
          notebook.activeCellIndex = 0;
          await window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        PANEL,
    )
    shared.page.get_by_role("button", name="Authorize", exact=True).click()
    page = shared.page.frame_locator(PAGE)
    page.get_by_role("button", name=decision).click()
    words = "access_denied" if decision == "Deny" else "<access_token>"
    shared.page.locator(".ddoauth-status").get_by_text(words).first.wait_for()
    assert shared.execute("print(panel.tokens is None)").strip() == str(decision == "Deny")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("open_lab(mode='live')", "no_live_in_a_tab"),
        ("run_lessons('00')", "no_processes"),
        ("open_lab().drill('gremlins')", "unknown_drill"),
    ],
)
def test_what_cannot_be_done_in_a_tab_is_one_sentence(shared: Tab, code: str, words: str) -> None:
    """Live mode and processes are refused by name, and the kernel continues."""
    shared.open("00_start_here.ipynb")
    said = shared.execute(
        "from ddoauth_kit.workbook import open_lab, provoke, run_lessons\n"
        f"error = provoke(lambda: {code})\nprint(error.code, error)"
    )
    assert said.startswith(words)
    assert shared.execute("print(1 + 1)").strip() == "2"


def test_nothing_typed_is_stored(open_site: Callable[..., Tab]) -> None:
    """Typed text is not in any browser storage, and a reload during a flow starts again."""
    tab = open_site()
    tab.open("02_authorize_with_pkce.ipynb")
    typed = "typed-by-a-person-in-a-cell"
    tab.page.evaluate(
        """async (source) => {
          const panel = window.jupyterapp.shell.currentWidget;
          panel.content.model.sharedModel.insertCell(0, {cell_type: 'code', source});
          await panel.context.save();
          await window.jupyterapp.commands.execute(
            'apputils:change-theme', {theme: 'JupyterLab Dark'});
        }""",
        f"kept = '{typed}'",
    )
    assert tab.execute("lab = __import__('ddoauth_kit.workbook').workbook.open_lab()") == ""
    assert tab.page.evaluate(STORED) == []
    tab.page.reload()
    tab.ready()
    assert typed not in json.dumps(tab.content())
    assert tab.name == "02_authorize_with_pkce.ipynb"
    assert "'lab' is not defined" in tab.execute("lab")
    said = tab.execute("from ddoauth_kit.workbook import open_lab\nprint(open_lab().site.name)")
    assert said.strip() == "us1"


def test_a_phone_without_a_network_runs_the_flow(open_site: Callable[..., Tab]) -> None:
    """At 390 pixels a lesson has room, and without a network its flow works once it is loaded."""
    tab = open_site(viewport={"width": 390, "height": 844}, has_touch=True)
    assert tab.execute("from ddoauth_kit.workbook import open_lab") == ""
    (cell, *_) = tab.page.locator(f"{SHOWN} .jp-Cell .jp-RenderedMarkdown").all()
    assert cell.bounding_box()["width"] > 250
    tab.page.context.set_offline(True)
    said = tab.execute("lab = open_lab()\nprint(lab.current_user(lab.connect()).status)")
    assert said.strip() == "200"


def test_a_browser_without_storage_runs_the_flow(unstored: Tab) -> None:
    """Even in a private window that stores nothing, the site opens and the flow works."""
    asked = "() => { try { return localStorage.length } catch (error) { return error.name } }"
    assert unstored.page.evaluate(asked) == "SecurityError"
    code = "from ddoauth_kit.workbook import open_lab\nlab = open_lab()\n"
    said = unstored.execute(f"{code}print(lab.current_user(lab.connect()).status)")
    assert said.strip() == "200"


def test_two_tabs_do_not_disturb_each_other(open_site: Callable[..., Tab]) -> None:
    """Each tab has its own kernel and sandbox."""
    first = open_site()
    second = type(first)(first.page.context.new_page(), first.page.url)
    for tab in (first, second):
        code = "from ddoauth_kit.workbook import open_lab\nlab = open_lab()\ntokens = lab.connect()"
        assert tab.execute(code) == ""
    assert first.execute("print(lab.current_user(tokens).status)").strip() == "200"


def test_the_root_says_what_it_is_to_programs(folder: Path) -> None:
    """`llms.txt` lies at the root and names every lesson's file, which is there."""
    text = (folder / "llms.txt").read_text("utf-8")
    for path in LESSONS:
        assert f"(files/{path.name})" in text
        assert (folder / "files" / path.name).is_file()
    assert "http" not in text.replace("https://docs", "")


def test_the_site_names_no_other_host_for_its_parts(folder: Path) -> None:
    """Kernel, Python and packages come from the site itself, each under its digest."""
    settings = json.loads((folder / "jupyter-lite.json").read_text("utf-8"))
    kernel = settings["jupyter-config-data"]["litePluginSettings"][
        "@jupyterlite/pyodide-kernel-extension:kernel"
    ]
    assert kernel["pyodideUrl"].startswith("./static/pyodide/")
    lock = json.loads((folder / "static" / "pyodide" / "pyodide-lock.json").read_text("utf-8"))
    assert set(kernel["loadPyodideOptions"]["packages"]) == set(lock["packages"])
    for package in lock["packages"].values():
        assert "/" not in package["file_name"]
        assert (folder / "static" / "pyodide" / package["file_name"]).is_file()
