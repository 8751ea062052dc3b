"""Real clients, unchanged, go the whole OAuth flow at Datadog's own names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.flows import (
    ALL_WELL,
    FLOWS,
    SITES,
    connected,
    flow_command,
    flow_variables,
    redirect_elsewhere,
    running,
)
from support.front import IN_CI, clean_environment, program, told
from support.places import ROOT

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.isolation import check_namespaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.front import Scene

    from ddoauth_kit.sandbox.server.journal import JournalEntry

PYTHON = ("requests", "httpx")
NODE = tuple(
    f"{way}@{version}"
    for version in ("", "22", "24")
    for way in ("fetch", "https", "axios", "openid-client")
)
OTHERS = tuple(pytest.param(name, marks=pytest.mark.runtimes) for name in ("java", "ruby", "php"))
CLIENTS = (*PYTHON, "curl", *NODE, *OTHERS)
BAD_REQUEST = 400
# What the partner's server asks at `api.`, in order.
ASKED = (
    ("POST", "/api/v2/oauth2/token", 200, "body"),
    ("POST", "/api/v2/oauth2/token", 200, "body"),
    ("GET", "/api/v2/current_user", 200, "bearer"),
    ("POST", "/api/v2/api_keys/marketplace", 201, "bearer"),
    ("POST", "/api/v1/events", 202, "api-key"),
    ("POST", "/oauth2/v1/revoke", 200, "body"),
    ("GET", "/api/v2/current_user", 401, "bearer"),
)


@pytest.fixture(scope="session")
def go_flow(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the program in Go once, with the library that Debian packages."""
    go = program("go", everywhere=False)
    made = tmp_path_factory.mktemp("go") / "flow"
    done = subprocess.run(
        [go, "build", "-o", str(made), str(FLOWS / "flow.go")],
        env=os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"Go's oauth2 is not installed: {done.stderr.strip()[-200:]}")
    return str(made)


@pytest.fixture
def variables(behind: Scene) -> dict[str, str]:
    """Return the environment of a partner's program behind the front, at its first customer."""
    behind.sandbox.actions.reset()
    return behind.environment() | flow_variables(behind.sandbox.client)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_goes_the_whole_flow(
    behind: Scene,
    variables: dict[str, str],
    request: pytest.FixtureRequest,
    client: str,
) -> None:
    """Tile, consent, callback, tokens, calls, key and revocation: each at its site's names."""
    nodes = None
    if "@" in client:
        variables |= {"NODE_CLIENTS": str(request.getfixturevalue("npm_folder"))}
        nodes = request.getfixturevalue("nodes")
    _whole_flow(behind, flow_command(client, nodes=nodes), variables)


@pytest.mark.runtimes
def test_go_goes_the_whole_flow(behind: Scene, variables: dict[str, str], go_flow: str) -> None:
    """Go's oauth2 sends PKCE by `SetAuthURLParam`, and refreshes by itself."""
    _whole_flow(behind, [go_flow], variables)


def test_a_customer_may_come_from_the_rehearsal_region(
    behind: Scene, variables: dict[str, str]
) -> None:
    """Tile, pages and API answer at its names, for a customer who changes to it, too."""
    own, region = behind.sandbox.client, "rehearsal1"
    domain = f"{region}.datadoghq.com"
    with running(flow_command("httpx"), variables) as flow:
        came = connected(behind.person(), flow, domain=domain, client_id=own.client_id)
        behind.sandbox.actions.reset()
        changed = connected(
            behind.person(), flow, domain="datadoghq.com", client_id=own.client_id, region=region
        )
    assert (came, changed) == (ALL_WELL, ALL_WELL)
    called = [entry for entry in behind.sandbox.journal if entry.role == "api"]
    assert {(entry.host, entry.site) for entry in called} == {(f"api.{domain}", region)}
    assert {str(seen.treatment) for seen in behind.records} == {"forwarded"}


def _whole_flow(behind: Scene, command: list[str], variables: Mapping[str, str]) -> None:
    own = behind.sandbox.client
    with running(command, variables) as flow:
        said = {
            site: connected(behind.person(), flow, domain=domain, client_id=own.client_id)
            for site, domain in SITES.items()
        }
        uri = own.redirect_uris[0]
        foreign = redirect_elsewhere(flow, redirect_uri=uri, domain="evil.example")
    assert said == dict.fromkeys(SITES, ALL_WELL)
    for site, domain in SITES.items():
        _check_journal([e for e in behind.sandbox.journal if e.site == site], domain=domain)
    assert foreign == "token=403"
    _check_foreign(behind)


def _check_journal(entries: list[JournalEntry], *, domain: str) -> None:
    """The sandbox saw Datadog's names, one attempt, and no more than the program sent."""
    (authorized,) = (e for e in entries if e.role == "app" and "code_challenge" in e.query_fields)
    assert authorized.values["code_challenge_method"] == "S256"
    called = [entry for entry in entries if entry.role == "api"]
    assert {entry.host for entry in called} == {f"api.{domain}"}
    assert [(e.method, e.path, e.status, e.authentication) for e in called] == list(ASKED)
    # An API key belongs to no attempt, and neither does a token that was revoked.
    granted = [e for e in called if e.authentication != "api-key" and e.status < BAD_REQUEST]
    assert {entry.attempt for entry in granted} == {authorized.attempt}


def _check_foreign(behind: Scene) -> None:
    """A program that believes every `domain` posts its secret there, and the front stops it."""
    (seen,) = (record for record in behind.records if record.treatment != "forwarded")
    assert (seen.treatment, seen.host) == ("refused", "api.evil.example")
    assert seen.reason == "foreign_host"
    assert {"client_secret", "code", "code_verifier"} <= set(seen.body_fields)
    assert behind.sandbox.client.client_secret not in told(behind.records)
    assert "c0de" not in told(behind.records)


def _forbidden() -> str:
    try:
        check_namespaces(os.environ)
    except FrontError as error:
        return str(error)
    return ""


WHY_NOT = _forbidden()


@pytest.mark.skipif(bool(WHY_NOT) and not IN_CI, reason=WHY_NOT or "allowed")
def test_urllib3_goes_the_whole_flow_in_a_namespace(behind: Scene) -> None:
    """A client that knows no proxy, and the customer's browser, meet Datadog's names there."""
    packages = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    inside = [sys.executable, str(FLOWS / "customer_and_flow.py"), "urllib3"]
    done = subprocess.run(
        [sys.executable, "-m", "ddoauth_kit", "sandbox", "--isolate", "--", *inside],
        env=clean_environment() | flow_variables(behind.sandbox.client) | {"PYTHONPATH": packages},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(SITES, ALL_WELL)
    assert "\nPOST api.us3.datadoghq.com/oauth2/v1/revoke 200" in done.stderr
