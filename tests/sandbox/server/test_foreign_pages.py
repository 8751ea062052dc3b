"""A page of another origin changes nothing in the sandbox, whatever tokens it knows."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import httpx
import pytest
from support.loopback import PLAIN

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Partner


pytestmark = [pytest.mark.behaviour("foreign-page"), pytest.mark.checklist("S10")]
PATHS = (
    "/us1/api/oauth2/v1/token",
    "/us1/api/oauth2/v1/revoke",
    "/us1/api/api/v2/oauth2/token",
    "/us1/api/api/v2/series",
    "/us1/api/api/v1/events",
    "/us1/api/api/v2/api_keys/marketplace",
    "/us1/logs/api/v2/logs",
    "/us1/events/api/v2/events",
    "/eu1/api/api/v1/monitor/1",
    "/control",
)
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Cross-Site", "Origin": "{0}"},
    {"Sec-Fetch-Site": "", "Origin": "{0}"},
    {"Sec-Fetch-Site": "something-new"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"Origin": "{0}.evil.example"},
    {"Origin": "{0}@evil.example"},
    {"Origin": "{0}/"},
    {"Origin": "{0}, {0}"},
    {"Origin": "file://{0}"},
    {"Origin": "http://[evil"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example", "Sec-Fetch-Mode": "no-cors"},
)
KEY = "the key of these tests"


@pytest.fixture(scope="module")
def controlled() -> Iterator[Sandbox]:
    """Start one sandbox that has a control key."""
    with Sandbox(control_key=KEY) as sandbox:
        yield sandbox


@pytest.mark.parametrize("given", FOREIGN, ids=str)
def test_no_foreign_page_changes_anything(given: dict[str, str], controlled: Sandbox) -> None:
    """Each address returns 403 for each method that changes something, and stores nothing."""
    sandbox = controlled
    headers = {name: value.format(sandbox.base_url) for name, value in given.items()}
    headers |= {"X-Sandbox-Key": KEY, "Authorization": "Bearer x"}
    with httpx.Client(**PLAIN, headers=headers) as page:
        for path, method in product(PATHS, ("POST", "PUT", "PATCH", "DELETE")):
            answer = page.request(method, f"{sandbox.base_url}{path}", json={"do": "join"})
            assert answer.status_code == 403, (path, method)
            assert "access-control-allow-origin" not in answer.headers
        assert {entry.status for entry in sandbox.journal} == {403}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "x"])
def test_no_foreign_page_sends_a_form(site: str, partner: Partner) -> None:
    """The pages' forms are refused as well, before their token is looked at."""
    for path in ("oauth2/v1/authorize", "switch-org", "integrations/uninstall"):
        url = f"{partner.urls['app_url']}/{path}"
        answer = partner.http.post(url, data={}, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
        assert "another origin" in answer.text


def test_a_grant_survives_a_page_that_knows_its_token(partner: Partner) -> None:
    """A cross-site revocation with the right credentials ends nothing; a program's does."""
    tokens = partner.tokens()
    client = partner.client
    form = {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "token": tokens["refresh_token"],
    }
    url = f"{partner.urls['api_url']}/oauth2/v1/revoke"
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert partner.http.post(url, data=form, headers=headers).status_code == 403
    who = f"{partner.urls['api_url']}/api/v2/current_user"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert partner.http.get(who, headers=bearer).status_code == 200
    assert partner.http.post(url, data=form).status_code == 200
    assert partner.http.get(who, headers=bearer).status_code == 401


@pytest.mark.parametrize("given", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": "{0}"}])
def test_programs_and_own_pages_go_on(given: dict[str, str], partner: Partner) -> None:
    """A program, which sends neither header, and the sandbox's own origin are served."""
    headers = {name: value.format(partner.sandbox.base_url) for name, value in given.items()}
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    assert partner.http.post(url, data={}, headers=headers).status_code == 400
    links = f"{partner.urls['app_url']}/integrations"
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://a.example"}
    assert partner.http.get(links, headers=foreign).status_code == 200, "a link leads in"
