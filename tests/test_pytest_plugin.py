"""An example for partners: their client under test, and a sandbox that shows what it did.

`datadog_sandbox` comes with the package. It creates a client, serves all nine sites, misbehaves on
request, and keeps a journal without secrets.
"""

from __future__ import annotations

import errno
import socket
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.plugin_run import run_suite
from support.scene import Scene

from ddoauth_kit.api.api_keys import create_kept_api_key
from ddoauth_kit.errors import ApiKeyError, AuthorizationError, NetworkError
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.pytest_plugin import datadog_sandbox
from ddoauth_kit.sandbox import SandboxError
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit import Http
    from ddoauth_kit.sandbox.testing import WatchedSandbox

__all__ = ["datadog_sandbox"]  # where the kit is installed, pytest knows it without this import


@pytest.fixture
def partner(datadog_sandbox: WatchedSandbox, http: Http) -> Scene:
    """The partner's own server, bound to the sandbox; here it is the kit's client."""
    return Scene(datadog_sandbox, http)


def test_an_authorization_is_one_token_request(
    partner: Scene, datadog_sandbox: WatchedSandbox
) -> None:
    """The client exchanges its code once, on the site that the redirect names."""
    partner.tokens()
    datadog_sandbox.assert_token_requests(1)
    datadog_sandbox.assert_only_sites("us1")
    datadog_sandbox.assert_nothing_left()


def test_a_foreign_domain_gets_nothing(partner: Scene, datadog_sandbox: WatchedSandbox) -> None:
    """A redirect that names somebody else's host is refused before any request."""
    datadog_sandbox.inject("foreign-domain:1")
    with pytest.raises(AuthorizationError, match="foreign_domain"):
        partner.tokens()
    datadog_sandbox.assert_token_requests(0)
    datadog_sandbox.assert_nothing_left()


@pytest.mark.datadog_sandbox(rotate=True, real_time=True)
def test_many_calls_are_one_refresh(partner: Scene, datadog_sandbox: WatchedSandbox) -> None:
    """If refresh tokens rotate, ten calls after an expiry cause one refresh."""
    tokens = partner.tokens()
    grant = Grant(partner.oauth, store=MemoryStore(), slot=grant_slot(tokens))
    grant.keep(replace(tokens, expires_at=datadog_sandbox.clock.now()))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: grant.send(current_user_request), range(10)))
    assert {answer.status for answer in answers} == {200}
    datadog_sandbox.assert_refreshes(1)


def test_a_key_that_exists_is_asked_for_once(
    partner: Scene, datadog_sandbox: WatchedSandbox
) -> None:
    """A 409 does not lead to another attempt."""
    tokens = partner.tokens()
    datadog_sandbox.inject("key-exists:1")
    with pytest.raises(ApiKeyError, match="api_key_exists"):
        create_kept_api_key(partner.http, tokens=tokens, store=MemoryStore())
    datadog_sandbox.assert_key_requests(1)


def test_what_would_leave_is_refused(
    partner: Scene, datadog_sandbox: WatchedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call to real Datadog fails, by name or by number, and the assertion says so."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    elsewhere = replace(partner.tokens(), site=DATADOG_SITES.named("us1"))
    with pytest.raises(NetworkError):
        partner.http.send(current_user_request(elsewhere))
    with socket.socket() as direct, pytest.raises(OSError, match="not this machine"):
        direct.connect(("203.0.113.7", 443))
    assert set(datadog_sandbox.refused) == {"api.datadoghq.com", "203.0.113.7"}
    with pytest.raises(AssertionError, match=r"outside the allow-list: api\.datadoghq\.com"):
        datadog_sandbox.assert_nothing_left()


def test_wrong_counts_are_told_with_the_journal(
    partner: Scene, datadog_sandbox: WatchedSandbox
) -> None:
    """A failed assertion lists what was asked, without a secret."""
    partner.tokens()
    with pytest.raises(AssertionError, match="1 token requests, expected 2: POST us1") as caught:
        datadog_sandbox.assert_token_requests(2)
    assert not [s for s in datadog_sandbox.issued_secrets() if s in str(caught.value)]
    with pytest.raises(AssertionError, match="sites other than"):
        datadog_sandbox.assert_only_sites("eu1")
    with pytest.raises(SandboxError, match="unknown sites: mars"):
        datadog_sandbox.assert_only_sites("mars")


def test_afterwards_the_world_is_open_again(http: Http) -> None:
    """Outside the fixture nothing is refused; names on this machine resolve either way."""
    from ddoauth_kit.sandbox.testing import WatchedSandbox

    with WatchedSandbox() as sandbox:
        socket.getaddrinfo("localhost", 80)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{sandbox.base_url}/", timeout=60) as page:
            assert page.status == 200
        assert sandbox.refused == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        # Of a datagram nothing is sent yet; a machine without a network knows no way there.
        assert sender.connect_ex(("203.0.113.7", 9)) in {0, errno.ENETUNREACH, errno.EHOSTUNREACH}
    assert sandbox.refused == []


SUITE = """
import pytest

@pytest.mark.datadog_sandbox(faults=["denied-consent"])
def test_it_is_there(datadog_sandbox):
    assert datadog_sandbox.endpoints["us1"]["domain"] == "datadoghq.com"
"""


def test_a_partners_suite_needs_no_import(tmp_path: Path) -> None:
    """As a plugin the fixture and its marker are known, with markers strict and warnings errors."""
    suite = tmp_path / "test_partner.py"
    suite.write_text(SUITE, "utf-8")
    done = run_suite(suite)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
