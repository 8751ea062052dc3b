"""Behind Jupyter's proxy, consent, redirect and result page work as on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest
from support.builders import readable
from support.jupyter_lab import ASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.jupyter_lab import LabServer, Notebook

pytestmark = pytest.mark.usefixtures("needs_proxy")
BASE = "/user/abc/"
LAUNCHER = "async () => { await window.jupyterapp.commands.execute('launcher:create') }"
BINDER = {"BINDER_SERVICE_HOST": "10.0.0.7", "JUPYTERHUB_SERVICE_PREFIX": BASE}
OPEN = """\
from IPython.display import HTML
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.attempt import listener_of
lab = open_lab()
listener = listener_of(lab).open()
link = listener.link_to(listener.onboarding_url + "?domain=datadoghq.com")
HTML(f'<a href="{link}" target="_blank" rel="noopener">Connect</a>')"""


@pytest.fixture
def server(serve_lab: Callable[..., LabServer]) -> LabServer:
    """Serve as Binder does, under a user's path."""
    server = serve_lab("proxied", base_url=BASE, environ=BINDER)
    server.write("connect.ipynb", OPEN)
    return server


@pytest.fixture
def notebook(server: LabServer, open_notebook: Callable[..., Notebook]) -> Notebook:
    """Open a notebook whose output is the link."""
    notebook = open_notebook(server, "connect.ipynb")
    notebook.run_all()
    return notebook


def click(context: Any, notebook: Notebook) -> Any:
    """Open the link in a new tab, and return the consent page."""
    with context.expect_page() as opened:
        notebook.panel.get_by_role("link", name="Connect").click()
    page = opened.value
    page.get_by_role("button", name="Authorize").wait_for()
    return page


def test_approve(context: Any, server: LabServer, notebook: Notebook) -> None:
    """The customer never leaves the prefix, and the kernel gets its tokens over loopback."""
    page = click(context, notebook)
    assert re.fullmatch(rf"{BASE}proxy/\d+/us1/app/oauth2/v1/authorize", urlsplit(page.url).path)
    page.get_by_role("button", name="Authorize").click()
    page.get_by_text("You may now close this tab.").wait_for()
    result = urlsplit(page.url)
    assert re.fullmatch(rf"{BASE}proxy/\d+/authorized/[\w-]+", result.path)
    assert f"{result.scheme}://{result.netloc}{BASE}" in notebook.ask("listener.redirect_uri")
    assert notebook.ask("type(listener.wait(5)).__name__") == "'TokenSet'"
    assert "http://127.0.0.1:" in notebook.ask("lab.site.api_url")
    assert "/proxy/" not in notebook.ask("lab.site.api_url")
    issued = notebook.issued()
    notebook.save()
    assert not [secret for secret in issued if readable(secret, notebook.saved_text)]
    assert not [secret for secret in issued if readable(secret, page.content())]
    assert not [path for path, text in server.written() if any(s in text for s in raw(issued))]


def raw(secrets: list[str]) -> list[bytes]:
    """Return secrets as a file would hold them."""
    return [secret.encode() for secret in secrets]


def test_real_credentials_are_refused_on_binder(notebook: Notebook) -> None:
    """The kernel of a visitor opens no live lab, and says why."""
    answer = notebook.page.evaluate(ASK, "open_lab(mode='live')")
    assert answer["status"] == "error"
    assert "no_live_on_binder" in answer["evalue"]


def test_deny_and_try_again(context: Any, notebook: Notebook) -> None:
    """A no is on the page and in the kernel; another listener, another yes."""
    page = click(context, notebook)
    page.get_by_role("button", name="Deny").click()
    page.get_by_text("Reason: access denied.").wait_for()
    assert "access_denied" in notebook.ask("listener._answer.outcome.exception().code")
    notebook.run_all()
    page = click(context, notebook)
    page.get_by_role("button", name="Authorize").click()
    page.get_by_text("You may now close this tab.").wait_for()


def test_what_jupyter_passes_on_stays_with_jupyter(
    context: Any, server: LabServer, notebook: Notebook
) -> None:
    """Token and cookies of Jupyter reach the listener, which neither keeps nor logs them."""
    page = click(context, notebook)
    page.get_by_role("button", name="Authorize").click()
    page.get_by_text("You may now close this tab.").wait_for()
    values = [c["value"] for c in context.cookies() if c["name"].startswith(("username", "_xsrf"))]
    assert values
    held = notebook.ask("repr([vars(listener), vars(listener._attempts), lab.transcript])")
    for value in [server.token, *values]:
        assert value not in held
    own = [c for c in context.cookies() if c["name"].startswith("ddoauth_")]
    assert {(c["httpOnly"], c["sameSite"]) for c in own} == {(True, "Lax")}
    assert all(c["path"].startswith(f"{BASE}proxy/") or "sandbox" in c["name"] for c in own)


# The last one: kernels that come later would join the sandbox of the tile.
def test_the_tile_shows_what_a_notebook_did(
    context: Any, server: LabServer, open_notebook: Callable[..., Notebook]
) -> None:
    """The launcher's card has its icon, opens the sandbox, and kernels join that one."""
    page = open_notebook(server, "connect.ipynb").page
    page.evaluate(LAUNCHER)
    card = page.locator(".jp-LauncherCard:visible", has_text="Datadog sandbox")
    card.wait_for()
    icon = card.locator("img")
    assert icon.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    with context.expect_page() as opened:
        card.click()
    tile = opened.value
    tile.get_by_role("heading", name="Nine sites").wait_for()
    assert urlsplit(tile.url).path == f"{BASE}sandbox/"

    server.write("joined.ipynb", OPEN, "tokens = lab.exchange(lab.authorize())")
    notebook = open_notebook(server, "joined.ipynb")
    notebook.run_all()
    assert "launcher" in notebook.ask("lab.backend.talks_to")
    name = notebook.ask("lab.registration.name").strip("'")
    tile.get_by_role("link", name="datadoghq.com", exact=True).click()
    tile.get_by_role("link", name="Authorized Apps").click()
    tile.get_by_role("heading", name=name).wait_for()
    assert urlsplit(tile.url).path.startswith(f"{BASE}sandbox/us1/app/")

    consent = click(context, notebook)
    consent.get_by_role("button", name="Authorize").click()
    consent.get_by_text("You may now close this tab.").wait_for()
    assert notebook.ask("type(listener.wait(5)).__name__") == "'TokenSet'"

    notebook.ask("globals().update(again=listener_of(lab).open())")
    arrival = notebook.ask("again.link_to(lab.site.app_url + '/integrations')").strip("'")
    page = context.new_page()
    page.goto(urljoin(server.url, arrival))
    section = page.locator("section", has_text=name)
    section.get_by_role("button", name="Connect Accounts").click()
    page.get_by_role("button", name="Authorize").click()
    page.get_by_text("You may now close this tab.").wait_for()
    assert notebook.ask("again.wait(5).site.name") == "'us1'"
