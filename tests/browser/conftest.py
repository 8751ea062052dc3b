"""Open JupyterLab on loopback in a real browser, with nothing of this user's around it."""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from support.jupyter_lab import CLOSE, WAITING, LabServer, Notebook

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
VIEWPORT = {"width": 1280, "height": 900}


def missing(what: str) -> NoReturn:
    """Skip if a developer lacks something; fail in CI, which must have it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Launch the system's Chromium; while it runs, the main thread has a running event loop."""
    if find_spec("playwright") is None:
        missing("playwright")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        missing("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=120_000,
        )
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def serve_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LabServer]]:
    """Serve copies of the lessons by JupyterLab; tests that ask for one name share one server."""
    servers: dict[str, LabServer] = {}

    def serve(name: str, **options: Any) -> LabServer:
        if name not in servers:
            folder = tmp_path_factory.mktemp("server")
            servers[name] = LabServer(folder, find_notebooks(), **options)
        return servers[name]

    yield serve
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="package")
def profile(browser: Any) -> Iterator[tuple[Any, list[str]]]:
    """Give a fresh browser profile, and the list of what it asks for."""
    asked: list[str] = []
    made = browser.new_context(viewport=VIEWPORT)
    made.set_default_timeout(WAITING)
    made.on("request", lambda request: asked.append(request.url))
    yield made, asked
    made.close()


@pytest.fixture(scope="package")
def tabs() -> dict[LabServer, Any]:
    """Hold the tab of each server; JupyterLab stays loaded in it."""
    return {}


@pytest.fixture
def context(profile: tuple[Any, list[str]], tabs: dict[LabServer, Any]) -> Iterator[Any]:
    """Give a profile that knows Jupyter only, and see that nothing it asks for leaves here."""
    made, asked = profile
    before = len(asked)
    yield made
    for page in made.pages:
        if page not in tabs.values():
            page.close()
    made.unroute_all()
    made.clear_permissions()
    made.clear_cookies(name=re.compile(r"^(?!_xsrf|username)"))
    here = r"(https?|wss?)://127\.0\.0\.1:|data:|blob:"
    assert not [url for url in asked[before:] if not re.match(here, url)]


@pytest.fixture
def open_notebook(
    context: Any, tabs: dict[LabServer, Any]
) -> Iterator[Callable[[LabServer, str], Notebook]]:
    """Open a notebook in its server's tab, ready to run; its kernel ends with the test."""
    servers: set[LabServer] = set()

    def opened(server: LabServer, name: str) -> Notebook:
        servers.add(server)
        tab = tabs.pop(server, None) or context.new_page()
        tab.set_viewport_size(VIEWPORT)
        notebook = Notebook(tab, server, name)
        tabs[server] = tab  # one in which nothing opens is not used again
        return notebook

    yield opened
    for server in servers:
        # A notebook that is open when its kernel ends may ask for another one.
        if server in tabs:
            tabs[server].evaluate(CLOSE)
        server.end_kernels()


@pytest.fixture
def needs_proxy() -> None:
    """Ask for jupyter-server-proxy, and for the tile's entry point."""
    from importlib.metadata import entry_points

    if find_spec("jupyter_server_proxy") is None:
        missing("jupyter-server-proxy")
    if "sandbox" not in entry_points(group="jupyter_serverproxy_servers").names:
        missing("the entry point of the tile (install this package anew)")
