"""A server with trouble gets a clear line; what can still run runs, and the rest has a reason."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.graded import free_port

from ddoauth_kit.grading.first_look import first_look
from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.settings import ActSettings, SettingsError, settings_from

if TYPE_CHECKING:
    from ddoauth_kit.grading.results import GradeReport
    from ddoauth_kit.grading.settings import GradeSettings

SERVER = Path(__file__).parent / "data" / "strange_server.py"
COMMAND = (sys.executable, str(SERVER))
CLIENT = {"DD_ID": "{client_id}", "DD_KEY": "{client_secret}"}


def _settings(trouble: str, **tables: object) -> GradeSettings:
    port = free_port()
    base = f"http://localhost:{port}"
    env = {**CLIENT, "PORT": str(port), "TROUBLE": trouble}
    document: dict[str, object] = {
        "start": {"url": f"{base}/connect"},
        "connected": {"text": "Connected to Datadog"},
        "client": {
            "redirect_uris": [f"{base}/callback"],
            "scopes": ["dashboards_read", "monitors_read"],
        },
        "server": {"command": list(COMMAND), "env": env},
        "list": {"url": f"{base}/connections", "method": "GET"},
    }
    return settings_from({**document, **tables})


def _verdicts(report: GradeReport) -> dict[str, Verdict]:
    return {result.requirement.id: result.verdict for result in report.results}


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        ("never", "server_slow", "did not answer in time"),
        ("error", "server_failed", "answered 500"),
        ("circle", "circle", "redirects in a loop"),
        ("script", "browser_needed", "--browser"),
    ],
)
def test_a_start_that_leads_nowhere_is_named(trouble: str, code: str, said: str) -> None:
    """The good run cannot begin, so grading ends with the reason before any scenario."""
    settings = _settings(trouble, patience=1.0 if trouble == "never" else 20.0)
    with pytest.raises(SettingsError, match=said) as caught:
        grade(settings, only=["pkce-s256"])
    assert caught.value.code == code


def test_https_at_a_plain_http_port_is_named() -> None:
    """The response is unreadable, and the line says which scheme to try."""
    settings = _settings("")
    start = replace(settings.start, url=settings.start.url.replace("http:", "https:"))
    with pytest.raises(SettingsError, match="write http://") as caught:
        grade(replace(settings, start=start), only=["pkce-s256"])
    assert caught.value.code == "no_server"


def test_calls_that_do_not_go_through_the_front_are_named_in_the_first_look() -> None:
    """The customer consents, and the token request never arrives, so no file is written."""
    port = free_port()
    env = {**CLIENT, "PORT": str(port), "TROUBLE": "deaf"}
    with pytest.raises(SettingsError, match="--isolate") as caught:
        first_look(f"http://localhost:{port}/connect", command=COMMAND, env=env)
    assert caught.value.code == "front_bypassed"


def test_a_death_midway_leaves_the_rest_to_run() -> None:
    """The scenario in which the process ends is broken, and the next one is judged."""
    report = grade(_settings("midway"), only=["denied", "stranger", "page-clean"])
    assert _verdicts(report) == {
        "denied": Verdict.BROKEN,
        "stranger": Verdict.MET,
        "page-clean": Verdict.MET,
    }


def test_printed_secrets_are_found_and_not_repeated() -> None:
    """The log check is broken, and the report does not contain the logged secret."""
    report = grade(_settings("prints"), only=["logs-clean"])
    (result,) = report.results
    assert result.verdict is Verdict.BROKEN
    assert "access token" in result.actual
    # All secrets that a sandbox makes begin like this.
    assert "sandbox-" not in repr(report)


def test_a_limit_of_its_own_is_waited_for_and_told() -> None:
    """A server that itself returns 429 is graded more slowly, and the report says why."""
    only = ["state-checked", "state-required", "denied"]
    report = grade(_settings("limits"), only=only)
    assert set(_verdicts(report).values()) == {Verdict.MET}
    assert any("itself responded with 429" in note for note in report.notes)


def test_a_listed_organization_counts_as_connected() -> None:
    """A server whose list names a customer that it never connected is broken."""
    report = grade(_settings(""), only=["error-shape", "revoke"])
    found = {result.requirement.id: result for result in report.results}
    assert found["error-shape"].verdict is Verdict.BROKEN
    assert "lists the organization" in found["error-shape"].actual


def test_words_of_pages_are_judged_where_they_are_named() -> None:
    """A page without the words of [pages] is a risk, and with them it is met."""
    pages = {"denied": "Denied.", "stranger": "Come in"}
    report = grade(_settings("", pages=pages), only=["denied", "stranger"])
    assert _verdicts(report) == {"denied": Verdict.MET, "stranger": Verdict.RISK}
    assert "does not say 'Come in'" in report.results[1].actual


def test_a_secret_in_a_header_leaves_as_one_in_a_form_does() -> None:
    """Basic at a foreign host is named, and scopes with commas count as several."""
    report = grade(_settings("careless"), only=["domain-allowed", "scope-narrowed"])
    found = {result.requirement.id: result for result in report.results}
    assert found["domain-allowed"].verdict is Verdict.BROKEN
    assert "the header authorization" in found["domain-allowed"].actual
    assert found["scope-narrowed"].verdict is Verdict.RISK
    assert {line.partition(":")[0] for line in report.tolerated} == {"comma-scopes", "basic"}


def test_init_logs_in_where_the_server_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the options for the form that was met, and with them the file is written."""
    monkeypatch.setenv("LOGIN_PASSWORD", "canary-word-4711")
    port = free_port()
    base = f"http://localhost:{port}"
    env = {**CLIENT, "PORT": str(port), "LOGIN_WORD": "{env:LOGIN_PASSWORD}"}
    with pytest.raises(SettingsError) as caught:
        first_look(f"{base}/connect", command=COMMAND, env=env)
    assert caught.value.code == "login_needed"
    assert f"--login {base}/login" in caught.value.line
    assert "--login-field 'password={env:LOGIN_PASSWORD}'" in caught.value.line
    form = {"email": "{account}@example.com", "password": "{env:LOGIN_PASSWORD}"}
    login = ActSettings(url=f"{base}/login", form=form)
    text = first_look(f"{base}/connect", command=COMMAND, env=env, login=login)
    document = tomllib.loads(text)
    assert document["login"] == {"url": f"{base}/login", "form": form}
    assert "canary" not in text
    report = grade(settings_from(document), only=["login-required", "state-sent"])
    assert set(_verdicts(report).values()) == {Verdict.MET}


def test_a_refused_login_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password ends the grading with the login's address."""
    monkeypatch.setenv("LOGIN_PASSWORD", "another word")
    settings = _settings("")
    base = settings.start.url.removesuffix("/connect")
    login = {"url": f"{base}/login", "form": {"email": "a", "password": "{env:LOGIN_PASSWORD}"}}
    with pytest.raises(SettingsError, match="/login ended with status 403") as caught:
        grade(_settings_like(settings, login), only=["pkce-s256"])
    assert caught.value.code == "login_failed"


def _settings_like(settings: GradeSettings, login: dict[str, object]) -> GradeSettings:
    from dataclasses import replace

    env = {**settings.server.env, "LOGIN_WORD": "right"}
    act = settings_from({"start": {"log": "-"}, "login": login}).login
    return replace(settings, login=act, server=replace(settings.server, env=env))
