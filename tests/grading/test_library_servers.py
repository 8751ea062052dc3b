"""Servers in five languages that follow their libraries' documentation are graded completely."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, free_port, reference_settings
from support.library_servers import (
    LIBRARY_SERVERS,
    command_of,
    expected_verdicts,
    library_settings,
)
from support.npm import installed, needs_npm
from support.places import TESTS

from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.settings import settings_from

if TYPE_CHECKING:
    from pathlib import Path

    from support.library_servers import LibraryServer

    from ddoauth_kit.grading.results import GradeReport

DATA = TESTS / "grading" / "data"

pytestmark = pytest.mark.judge


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def _not_met(report: GradeReport) -> dict[str, str]:
    return {
        result.requirement.id: str(result.verdict)
        for result in report.results
        if result.verdict is not Verdict.MET
    }


@pytest.mark.parametrize("server", LIBRARY_SERVERS, ids=lambda server: server.name)
def test_a_documented_server_is_graded_as_its_library_deserves(
    server: LibraryServer, tmp_path: Path
) -> None:
    """The unmet requirements are those that `expected.toml` explains; all others are met."""
    command = command_of(server, folder=tmp_path)
    report = grade(library_settings(server, command=command, folder=tmp_path))
    calls = "calls" if server.calls else "no_calls"
    assert _not_met(report) == expected_verdicts("one_site", calls, server.name)


@needs_npm
def test_openid_client_is_met(tmp_path: Path) -> None:
    """A good server in Node is met in all that its addresses let be tried."""
    program = installed(DATA / "openid_client_server", folder=tmp_path) / "server.mjs"
    settings = reference_settings(tmp_path)
    node = replace(settings.server, command=("node", str(program)))
    acts = {name: act for name, act in settings.acts.items() if name != "list"}
    report = grade(replace(settings, server=node, acts=acts))
    assert _not_met(report) == expected_verdicts("openid_client")


def test_the_kit_is_met_on_all_sites(tmp_path: Path) -> None:
    """The reference server is met in every check on each of the nine sites."""
    assert _not_met(grade(reference_settings(tmp_path, sites="all"))) == {}


def test_the_kit_is_met_behind_a_proxy_with_two_workers(tmp_path: Path) -> None:
    """The workers share attempts and grants, and a proxy that changes the host does no harm."""
    settings = reference_settings(tmp_path, server=DATA / "proxied_server.py", durable=True)
    env = {**settings.server.env, "WORKERS": "2", "INNER_PORT": str(free_port())}
    report = grade(replace(settings, server=replace(settings.server, env=env)))
    assert _not_met(report) == {}
    assert len(report.results) == 56


def test_a_session_that_keeps_the_verifier_is_not_broken(tmp_path: Path) -> None:
    """A good server that ignores `state` and binds its verifier to the session is not broken."""
    port = free_port()
    base = f"http://localhost:{port}"
    scopes = ["dashboards_read", "monitors_read"]
    env = {"DD_ID": "{client_id}", "DD_KEY": "{client_secret}", "PORT": str(port)}
    document = {
        "start": {"url": f"{base}/connect"},
        "connected": {"text": "Connected to Datadog"},
        "client": {"redirect_uris": [f"{base}/callback"], "scopes": scopes},
        "sites": ["us1", "eu1"],
        "server": {
            "command": [sys.executable, str(DATA / "plain_server.py")],
            "env": {**env, "STATE": "ignored"},
        },
    }
    found = _not_met(grade(settings_from(document, folder=tmp_path)))
    assert found == expected_verdicts("no_calls", "plain_session")
    assert "broken" not in found.values()
