"""Servers of several processes connect every customer, also after a restart, with one key each."""

from __future__ import annotations

import functools
import json
import operator
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

import pytest
from support.graded import free_port
from support.places import ROOT, TESTS
from support.redis_server import redis_server

from ddoauth_kit.errors import NetworkError
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.sandbox.testing import KEY_PATH
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROWSERS = 10
CONNECTS = 50
ORGANIZATIONS = 10


@contextmanager
def _server(settings: dict[str, Any], *, port: int) -> Iterator[str]:
    """Serve with two uvicorn workers until the block ends."""
    paths = os.pathsep.join((str(ROOT), str(TESTS)))
    environ = {**os.environ, "PYTHONPATH": paths, "PARTNER_SETTINGS": json.dumps(settings)}
    command = [sys.executable, "-m", "uvicorn", "support.partner_server:make_app", "--factory"]
    options = ["--workers", "2", "--port", str(port), "--log-level", "warning"]
    # Kept open, a connection would stay with one worker.
    options += ["--header", "connection:close"]
    with subprocess.Popen([*command, *options], env=environ, cwd=TESTS) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(base, process)
            yield base
        finally:
            process.terminate()
            process.wait(30)


def _wait(base: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until both workers respond."""
    end = time.monotonic() + 60
    seen: set[int] = set()
    while len(seen) < 2:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < end, f"only {seen} answer"
        try:
            seen.add(json.loads(Browser().open(f"{base}/customers").text)["pid"])
        except NetworkError:
            time.sleep(0.05)


def _organizations(sandbox: Sandbox) -> list[tuple[str, str, str]]:
    """Return domain, site URL and id of organizations on five sites."""
    orgs = [org for found in sandbox.orgs.values() for org in found]
    return [(org.site.domain, org.site_url, org.id) for org in orgs][:ORGANIZATIONS]


def _connect(browser: Browser, base: str, org: tuple[str, str, str]) -> dict[str, Any]:
    """Click through one connection as a customer's browser does."""
    domain, site_url, org_id = org
    page = browser.open(f"{base}/onboard?{urlencode({'domain': domain, 'site': site_url})}")
    consent = f"{page.location}&{urlencode({'dd_oid': org_id})}"
    page = browser.open(consent)
    (form,) = [form for form in page.forms if form.decides]
    page = browser.open(urljoin(consent, form.action), {**form.fields, "decision": "approve"})
    page = browser.open(page.location)
    return {"status": page.status, **json.loads(page.text)}


def _connect_all(base: str, orgs: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Have ten browsers connect fifty times at once, each to all the organizations."""

    def visit(number: int) -> list[dict[str, Any]]:
        browser = Browser()
        mine = [orgs[(number + turn) % len(orgs)] for turn in range(CONNECTS // BROWSERS)]
        return [_connect(browser, base, org) for org in mine]

    with ThreadPoolExecutor(BROWSERS) as pool:
        return [answer for answers in pool.map(visit, range(BROWSERS)) for answer in answers]


@pytest.mark.long
def test_two_workers_take_fifty_connects_twice(tmp_path: Path) -> None:
    """All 50 succeed, before and after a restart, in both processes, with one key for each org.

    This holds whether attempts wait in a folder or in Redis.
    """
    _connects_twice(tmp_path, pending=f"files:{tmp_path / 'pending'}")
    with redis_server(tmp_path) as url:
        _connects_twice(tmp_path, pending=url)


def _connects_twice(folder: Path, *, pending: str) -> None:
    port = free_port()
    with Sandbox(real_time=True) as sandbox:
        sandbox.add_redirect_uri(f"http://127.0.0.1:{port}/callback")
        client = sandbox.client
        settings = {
            "pending": pending,
            "store": str(folder / f"kept-{pending[:5]}"),
            "endpoints": {
                name: {k: v for k, v in urls.items() if k != "domain"}
                for name, urls in sandbox.endpoints.items()
            },
            "client": {
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "name": client.name,
                "scopes": list(client.scopes),
                "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
            },
        }
        orgs = _organizations(sandbox)
        answers, seconds = [], []
        customers: dict[str, Any] = {}
        for _ in ("first", "after a restart"):
            with _server(settings, port=port) as base:
                begun = time.perf_counter()
                answers.append(_connect_all(base, orgs))
                seconds.append(round(time.perf_counter() - begun, 1))
                customers = json.loads(Browser().open(f"{base}/customers").text)
        print(f"{pending}: 50 connects in {seconds} s")  # noqa: T201 - a figure for people
        for round_ in answers:
            assert [answer["status"] for answer in round_] == [200] * CONNECTS, round_
            assert len({answer["pid"] for answer in round_}) == 2
        keys = {
            (answer["org"], answer["key_id"])
            for answer in functools.reduce(operator.iadd, answers, [])
        }
        assert sorted(org for org, _ in keys) == sorted(org for *_, org in orgs)
        made = [entry for entry in sandbox.journal if entry.path == KEY_PATH]
        assert len(made) == ORGANIZATIONS
        assert customers["orgs"] == sorted(org for *_, org in orgs)
