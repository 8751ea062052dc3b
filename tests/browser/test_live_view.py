"""The sandbox's live view in a real browser: it grows, it fits, and other pages cannot read it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
OPERATOR = "the control key of these tests"
# What a page of another port on this machine, the same site to a browser, tries with the cookie.
STEALS = """async (base) => {
  const tried = {};
  for (const path of ["/", "/live/entries", "/control/journal"]) {
    try { tried[path] = await (await fetch(base + path, {credentials: "include"})).text(); }
    catch { tried[path] = "unreadable"; }
  }
  try { await fetch(base + "/control/reset", {method: "POST", headers: {"X-Sandbox-Key": "x"}}); }
  catch { tried.reset = "unreadable"; }
  const frame = document.createElement("iframe");
  frame.src = base + "/";
  document.body.append(frame);
  await new Promise((done) => { frame.onload = done; setTimeout(done, 60000); });
  try { tried.frame = frame.contentDocument.body.innerText; } catch { tried.frame = "unreadable"; }
  return tried;
}"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run one sandbox for the module."""
    with Sandbox(operator_key=OPERATOR) as sandbox:
        yield sandbox


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>other</title><body></body>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_page() -> Iterator[str]:
    """Serve an empty page at another port of the same host name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def call(sandbox: Sandbox) -> None:
    """Make a request that is refused."""
    httpx.get(f"{sandbox.endpoints['us1']['api_url']}/api/v2/current_user", trust_env=False)


@pytest.mark.parametrize(("width", "theme"), [(1000, "light"), (390, "dark")])
def test_it_grows_and_fits(browser: Any, sandbox: Sandbox, width: int, theme: str) -> None:
    """A request shows at once with its reason, details open, and no axe rule is broken."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page, errors = context.new_page(), []
    page.on("console", lambda message: errors.append(message.text))
    page.goto(sandbox.live_url())
    page.wait_for_selector("#state.on")
    before = page.locator("li").count()
    call(sandbox)
    page.locator("li").nth(before).wait_for(state="attached")
    first = page.locator("li").first
    assert "The call has no bearer token." in first.inner_text()
    first.locator("summary").click()
    assert "no bearer token" in first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Only what was refused").check()
    assert first.is_visible()
    page.evaluate(AXE)
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
    assert [each["nodes"][0]["failureSummary"] for each in found] == []
    assert errors == []
    context.close()


def test_another_page_of_the_browser_reads_nothing(
    browser: Any, sandbox: Sandbox, other_page: str
) -> None:
    """A page of another port gets neither text nor frame, and changes nothing."""
    call(sandbox)
    context = browser.new_context()
    watching = context.new_page()
    watching.goto(sandbox.live_url())
    watching.wait_for_selector("li")
    count = sandbox.journal[-1].number
    hostile = context.new_page()
    hostile.goto(other_page)
    assert set(hostile.evaluate(STEALS, sandbox.base_url).values()) == {"unreadable"}
    assert count in [entry.number for entry in sandbox.journal], "nothing was reset"
    context.close()
