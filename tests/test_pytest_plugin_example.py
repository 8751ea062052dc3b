"""The test that a lesson shows to partners passes unchanged, with an app behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
from support.plugin_run import run_suite

from ddoauth_kit.workbook.lessons.notebooks import notebooks_folder

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

_BLOCK = re.compile(r"```python\n(.*?)\n```", re.DOTALL)
# It stands for a partner's program; the kit is its OAuth client, and its browser, too.
YOUR_APP = """
from ddoauth_kit import DATADOG_SITES, ClientRegistration, Endpoints, Http, OAuthClient, Secret
from ddoauth_kit.errors import DdoauthError as Refused
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

def connect(endpoints, *, client):
    hosts = {
        site: Endpoints(**{name: url for name, url in urls.items() if name != "domain"})
        for site, urls in endpoints.items()
    }
    registration = ClientRegistration(
        client_id=client.client_id,
        client_secret=Secret(client.client_secret, label="client_secret"),
        sites=client.sites,
        scopes=client.scopes,
        redirect_uris=client.redirect_uris,
    )
    with Http() as http:
        oauth = OAuthClient(registration, sites=DATADOG_SITES.at(hosts), http=http)
        redirect = visit_consent(oauth.begin(domain="datadoghq.com", session="s"))
        return oauth.complete(redirect, session="s")
"""
CARELESS = """
import urllib.request
from ddoauth_kit.errors import DdoauthError as Refused

def connect(endpoints, *, client):
    url = endpoints["us1"]["api_url"] + "/api/v2/oauth2/token"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, b"grant_type=authorization_code&code=x", timeout=5)
    except OSError:
        raise Refused("token", "too late") from None
"""


def _example() -> str:
    (path,) = notebooks_folder().glob("08_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    blocks = [b for c in cells if c.cell_type == "markdown" for b in _BLOCK.findall(c.source)]
    assert len(blocks) == 1
    return str(blocks[0])


def _run(app: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "your_app.py").write_text(app, "utf-8")
    test = folder / "test_your_app.py"
    test.write_text(_example(), "utf-8")
    return run_suite(test)


def test_the_example_passes_for_an_app_done_right(tmp_path: Path) -> None:
    """With the kit as client, the example's two tests pass."""
    done = _run(YOUR_APP, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_example_fails_for_a_careless_app(tmp_path: Path) -> None:
    """An app that asks for a token before it has checked anything is found out."""
    done = _run(CARELESS, tmp_path)
    assert done.returncode == 1
    assert "1 token requests, expected 0: POST us1 /api/v2/oauth2/token" in done.stdout
