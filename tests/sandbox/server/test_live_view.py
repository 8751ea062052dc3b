"""The live view shows the journal to the browser that opened its link, and to nobody else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from support.loopback import PLAIN

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATOR = "the control key of these tests"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run one sandbox for the module."""
    with Sandbox(operator_key=OPERATOR) as sandbox:
        yield sandbox


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Give a browser that has opened a link to the live view."""
    with httpx.Client(base_url=sandbox.base_url, **PLAIN) as browser:
        assert browser.get(sandbox.live_url()).status_code == 303
        yield browser


def entries(browser: httpx.Client, count: int, **headers: str) -> list[dict[str, object]]:
    """Read so many entries of the live view's stream."""
    found = []
    with browser.stream("GET", "/live/entries", headers=headers) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == count:
                break
    return found


@pytest.mark.behaviour("live-link-once")
def test_a_link_works_once(sandbox: Sandbox) -> None:
    """The first browser gets a cookie for pages alone; the second one sees a refusal."""
    url = sandbox.live_url()
    with httpx.Client(**PLAIN) as one, httpx.Client(**PLAIN) as two:
        answer = one.get(url)
        cookie = answer.headers["set-cookie"]
        assert re.fullmatch(r"ddoauth_live_\d+=[\w-]{43}; HttpOnly; SameSite=Strict", cookie)
        assert answer.headers["location"] == "./"
        assert "Requests to the sandbox" in one.get(sandbox.base_url).text
        assert two.get(url).status_code == 403
        assert "Nine sites" in two.get(sandbox.base_url).text
        assert two.get(f"{sandbox.base_url}/live?open=").status_code == 403


def test_requests_show_as_they_come(sandbox: Sandbox, browser: httpx.Client) -> None:
    """The stream has what happened, with reasons; a browser that comes back misses nothing."""
    for site in ("us1", "eu1"):
        httpx.get(f"{sandbox.endpoints[site]['api_url']}/api/v2/current_user", **PLAIN)
    count = len(sandbox.journal)
    last = entries(browser, count)[-1]
    assert last["site"] == "eu1"
    assert last["reason"] == "The call has no bearer token."
    again = entries(browser, 1, **{"last-event-id": str(count - 1)})
    assert [entry["number"] for entry in again] == [count]


def test_the_page_runs_its_own_script_alone(browser: httpx.Client) -> None:
    """Script and connection are its own, by a new nonce each time, and nothing frames it."""
    nonces = set()
    for _ in range(2):
        page = browser.get("/")
        policy = page.headers["content-security-policy"]
        found = re.search(r"script-src 'nonce-([\w-]+)'", policy)
        assert found
        assert f'<script nonce="{found[1]}">' in page.text
        assert page.text.count("<script") == 1
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy.split("script-src", 1)[1].split(";", 1)[0]
        assert page.headers["x-frame-options"] == "DENY"
        nonces.add(found[1])
    assert len(nonces) == 2
    assert "https://" not in page.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_origin_reads_nothing(browser: httpx.Client, site: str) -> None:
    """A web page that has the browser fetch the view, cookie and all, gets the links or 404."""
    headers = {"sec-fetch-site": site, "origin": "http://127.0.0.1:1"}
    page = browser.get("/", headers=headers)
    assert "Nine sites" in page.text
    stream = browser.get("/live/entries", headers=headers)
    assert stream.status_code == 404
    for answer in (page, stream):
        assert "access-control-allow-origin" not in answer.headers
    headers["x-sandbox-key"] = OPERATOR
    assert browser.post("/control/reset", headers=headers).status_code == 403
    asked = {**headers, "access-control-request-method": "POST"}
    flight = browser.options("/control/reset", headers=asked)
    assert "access-control-allow-origin" not in flight.headers


def test_another_user_of_the_machine_reads_nothing(sandbox: Sandbox) -> None:
    """Without cookie and key there are the links of always, and no journal and no control."""
    with httpx.Client(base_url=sandbox.base_url, **PLAIN) as stranger:
        assert "Nine sites" in stranger.get("/").text
        assert stranger.get("/live/entries").status_code == 404
        port = sandbox.base_url.rpartition(":")[2]
        guess = {"cookie": f"ddoauth_live_{port}=guess"}
        assert stranger.get("/live/entries", headers=guess).status_code == 404
        assert "Nine sites" in stranger.get("/", headers=guess).text
        assert stranger.get("/control/journal").status_code == 401
        assert stranger.get("/control/journal/stream").status_code == 401


def test_a_rebound_name_reads_nothing(browser: httpx.Client) -> None:
    """A page whose name was made to lead here is recognized by its Host, whatever it sends."""
    port = browser.base_url.port
    for path in ("/", "/live/entries", "/control/journal"):
        headers = {"host": f"evil.example:{port}", "x-sandbox-key": OPERATOR}
        assert browser.get(path, headers=headers).status_code == 421


def test_datadogs_hosts_never_show_it(sandbox: Sandbox, browser: httpx.Client) -> None:
    """The app host's pages and requests through a front can't reach the view."""
    for path in ("/us1/app/", "/us1/app/live", "/us1/app/live/entries", "/us1/api/live/entries"):
        assert browser.get(path).status_code in {303, 404}
    for path in ("/", "/live/entries", "/live?open=x"):
        headers = {"ddoauth-front-host": "app.datadoghq.com"}
        assert browser.get(path, headers=headers).status_code == 404


def test_watching_leaves_no_entries(sandbox: Sandbox, browser: httpx.Client) -> None:
    """Reading the journal adds no entry to it."""
    httpx.get(f"{sandbox.endpoints['us1']['api_url']}/api/v2/current_user", **PLAIN)
    before = len(sandbox.journal)
    browser.get("/")
    entries(browser, 1)
    assert len(sandbox.journal) == before
