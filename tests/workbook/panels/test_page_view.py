"""The sandbox's own pages can be clicked in the notebook if no browser can reach them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from support.panels import held
from support.waiting import until

from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage
from ddoauth_kit.workbook.panels import AuthorizePanel
from ddoauth_kit.workbook.panels.page_view import PageView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.workbook import Lab

WITHOUT_THREADS = "import threading; threading.stack_size(1 << 46)\n"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab that no browser can reach."""
    with open_sandbox_lab(in_process=True) as lab:
        yield lab


def _decision(view: PageView, decision: str) -> dict[str, Any]:
    """Return what the frame sends when a button of the consent page is pressed."""
    (form,) = (form for form in BrowserPage(200, "", view.html).forms if form.decides)
    return {"target": form.action, "fields": {**form.fields, "decision": decision}}


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_person_decides_on_the_page_in_the_panel(lab: Lab, decision: str) -> None:
    """Both buttons of the consent page work as in a browser."""
    panel = AuthorizePanel(lab)
    panel.begin()
    until(lambda: panel._page.html)
    assert "href" not in panel._link.value
    hidden = _decision(panel._page, decision)["fields"]
    assert not [value for value in hidden.values() if len(value) > 20 and value in held()]
    panel._page.receive(_decision(panel._page, decision))
    assert panel.finish(60)
    assert panel._page.html == ""
    assert (panel.tokens is not None) is (decision == "approve")
    assert ("access_denied" in panel.status.value) is (decision == "deny")


def test_only_pages_of_this_process_open(lab: Lab) -> None:
    """An outside address in a link or a message is not fetched, and nothing is shown for it."""
    left: list[str] = []
    view = PageView("pages", leave=left.append)
    view.receive({"target": "http://127.0.0.1:1/", "fields": None})
    view.visit(f"{lab.site.app_url}/integrations")
    shown = view.html
    for target in ("http://127.0.0.1:1/", "https://example.com/", None, 5):
        view.receive({"target": target, "fields": None})
    assert view.html == shown != ""
    assert left == []


def test_a_page_comes_again_when_the_frame_is_drawn_again(lab: Lab) -> None:
    """JupyterLab may draw a view twice; the second one asks for the page."""
    view = PageView("pages", leave=lambda _: None)
    view.visit(f"{lab.site.app_url}/integrations")
    sent: list[Any] = []
    view.send = sent.append
    view.receive({"ready": True})
    assert sent == [{"html": view.html}]


def test_panels_need_no_threads() -> None:
    """If no thread can start, a click still authorizes, denies, probes and counts."""
    code = """
    import asyncio
    from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage
    from ddoauth_kit.workbook import open_lab
    from ddoauth_kit.workbook.panels import AuthorizePanel, ProbePanel, TokenPanel

    def decide(panel, decision):
        panel.begin()
        (form,) = (f for f in BrowserPage(200, "", panel._page.html).forms if f.decides)
        fields = {**form.fields, "decision": decision}
        panel._page.receive({"target": form.action, "fields": fields})

    async def cells():
        lab = open_lab()
        panel = AuthorizePanel(lab)
        decide(panel, "deny")
        print("access_denied" in panel.status.value, panel.tokens)
        panel.begin()
        panel.cancel()
        print("Cancelled" in panel.status.value)
        decide(panel, "approve")
        tokens = TokenPanel(lab, panel.tokens)
        tokens.panel
        shown = tokens._left.value
        await asyncio.sleep(1.2)
        print(shown != tokens._left.value, "expires in" in tokens._left.value)
        tokens.refresh()
        print(tokens.tokens.access_token != panel.tokens.access_token)
        probes = ProbePanel(lab)
        probes.run()
        print(len(probes.probes.report.results), "Done" in probes.status.value)

    asyncio.run(cells())
    """
    command = [sys.executable, "-c", WITHOUT_THREADS + textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "True None",
        "True",
        "True True",
        "True",
        "8 True",
        "",
    ]
