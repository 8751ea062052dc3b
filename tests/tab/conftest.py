"""Build the site once, serve it as static files, and open it in Chromium on loopback alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from support.chromium import NAMES
from support.places import BUILT_SITE, ROOT
from support.static_site import StaticServer, Tab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Every name but loopback's leads nowhere, for the service worker, too.
LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    # The workflow builds the site first, because it publishes the same folder.
    if built := os.environ.get(BUILT_SITE):
        return Path(built)
    if find_spec("jupyterlite_core") is None or shutil.which("npm") is None:
        _missing("the extra `site`, or npm,")
    out = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "ddoauth_kit.maintenance.site", "--out", str(out)]
    subprocess.run(command, check=True, cwd=ROOT)
    return out


@pytest.fixture(scope="session")
def url(folder: Path) -> Iterator[str]:
    """Serve the site and give its address."""
    server = StaticServer(folder)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[..., Any]]:
    """Return a function that launches the system's Chromium, which reaches only loopback.

    With a folder's name, it stores its profile there; otherwise it has none.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None or find_spec("playwright") is None:
        _missing("Chromium, or playwright,")
    from playwright.sync_api import sync_playwright

    options = {
        "executable_path": path,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", LOOPBACK_ONLY],
    }
    with sync_playwright() as playwright:

        def launch(profile: str = "") -> Any:
            kind = playwright.chromium
            if profile:
                return kind.launch_persistent_context(profile, **options)
            return kind.launch(**options)

        yield launch


@pytest.fixture(scope="session")
def browser(chromium: Callable[..., Any]) -> Iterator[Any]:
    """Launch one browser for all tests."""
    launched = chromium()
    yield launched
    launched.close()


@pytest.fixture
def unstored(chromium: Callable[..., Any], url: str, tmp_path: Path) -> Iterator[Tab]:
    """Open the site with a browser setting that forbids all storage."""
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(settings), "utf-8")
    context = chromium(str(tmp_path))
    yield Tab(context.new_page(), url)
    context.close()


@pytest.fixture
def open_site(browser: Any, url: str) -> Iterator[Callable[..., Tab]]:
    """Open the site in a private window; at the end, no other request may have been made."""
    contexts, asked = [], []

    def open_in(**options: Any) -> Tab:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.on("request", lambda request: asked.append(request.url))
        contexts.append(context)
        return Tab(context.new_page(), url)

    yield open_in
    for context in contexts:
        context.close()
    assert not [each for each in asked if not each.startswith((url, "data:", "blob:"))]


@pytest.fixture(scope="module")
def shared(browser: Any, url: str) -> Iterator[Tab]:
    """Share one tab among a module's tests, because loading it takes many seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield Tab(context.new_page(), url)
    context.close()
    assert not [each for each in asked if not each.startswith((url, "data:", "blob:"))]
