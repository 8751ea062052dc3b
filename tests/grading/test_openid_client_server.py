"""A server in Node with openid-client, unchanged and without the kit, is graded as a good one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, reference_settings
from support.npm import needs_npm, with_clients
from support.places import TESTS

from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.grading.results import GradeReport

SOURCE = TESTS / "grading" / "data" / "openid_client_server"
QUICK = (
    *("pkce-s256", "challenge-fresh", "verifier-length", "state-sent", "state-checked"),
    *("state-required", "state-once", "browser-bound", "denied", "stranger", "token-host"),
    *("token-endpoint", "secret-in-body", "nothing-in-query", "form-type", "redirect-uri-same"),
    *("domain-used", "domain-allowed", "vanity", "key-once", "data-credential", "401-once"),
    *("403-no-refresh", "revoke", "page-clean", "logs-clean", "client-id-own", "error-escaped"),
)

pytestmark = needs_npm


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Path:
    """Copy the server to where it finds the library that npm installed."""
    return with_clients(SOURCE, folder=tmp_path_factory.mktemp("acme"), shared=shared_folder)


def _graded(server: Path, folder: Path, patch: pytest.MonkeyPatch, *only: str) -> GradeReport:
    for name, value in VARIABLES.items():
        patch.setenv(name, value)
    settings = reference_settings(folder)
    node = replace(settings.server, command=("node", str(server / "server.mjs")))
    acts = {name: act for name, act in settings.acts.items() if name != "list"}
    return grade(replace(settings, server=node, acts=acts), only=only)


def test_its_quick_checks_are_met(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server in another language gets the same verdicts through the front."""
    report = _graded(server, tmp_path, monkeypatch, *QUICK)
    assert report.tolerated == ()
    others = {
        result.requirement.id: (str(result.verdict), result.actual, result.reason)
        for result in report.results
        if result.verdict is not Verdict.MET
    }
    assert others == {}
    assert len(report.results) == len(QUICK)
