"""A good server is met, and settings that cannot work end before any scenario."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.graded import VARIABLES, free_port, reference_settings, server_copy
from support.mutant import CALL

from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.settings import ConnectedSettings, ServerSettings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.grading.results import GradeReport
    from ddoauth_kit.grading.settings import GradeSettings

PLAIN = Path(__file__).parent / "data" / "plain_server.py"
GOOD = (
    *("pkce-s256", "challenge-fresh", "verifier-length", "state-sent", "state-checked"),
    *("state-required", "state-once", "browser-bound", "denied", "stranger", "token-host"),
    *("token-endpoint", "secret-in-body", "nothing-in-query", "form-type", "redirect-uri-same"),
    *("scope-valid", "grant-type", "page-clean", "code-leaves-bar", "logs-clean", "revoke"),
    *("data-credential", "key-once", "domain-used", "domain-allowed", "error-escaped"),
)


def _plain(**env: str) -> GradeSettings:
    """Return settings of the server without the kit."""
    from ddoauth_kit.grading.settings import settings_from

    port = free_port()
    base = f"http://localhost:{port}"
    client = {"DD_ID": "{client_id}", "DD_KEY": "{client_secret}", "PORT": str(port)}
    return settings_from(
        {
            "start": {"url": f"{base}/connect"},
            "connected": {"text": "Connected to Datadog"},
            "client": {
                "redirect_uris": [f"{base}/callback"],
                "scopes": ["dashboards_read", "monitors_read"],
            },
            "server": {"command": [sys.executable, str(PLAIN)], "env": {**client, **env}},
        }
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GradeReport]:
    """Return a grading of the reference server by most of the checks that take no waiting."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        yield grade(reference_settings(tmp_path_factory.mktemp("graded")), only=GOOD)


def test_a_good_server_is_met(report: GradeReport) -> None:
    """Each check of the reference server is met, with what was seen beside it."""
    wrong = {r.requirement.id: r for r in report.results if r.verdict is not Verdict.MET}
    assert not wrong
    assert all(result.actual and result.expected for result in report.results)
    assert report.tolerated == ()


def test_evidence_is_of_the_journal_and_holds_no_secret(report: GradeReport) -> None:
    """Lines of evidence have numbers, hosts and statuses, but none of the run's secrets."""
    lines = [line for result in report.results for line in result.evidence]
    assert any("api.datadoghq.com/api/v2/oauth2/token 200" in line for line in lines)
    told = repr(report)
    assert not any(value in told for value in VARIABLES.values())
    assert "client_secret=" not in told


def test_a_check_that_needs_a_setting_says_which() -> None:
    """Without [call] the checks of refresh are not tested, and name the table."""
    result = grade(_plain(), only=["single-flight"]).results[0]
    assert result.verdict is Verdict.NOT_TESTED
    assert result.reason == "[call] is missing from the settings."


def test_a_session_that_holds_the_verifier_is_not_broken() -> None:
    """A server that ignores `state` and binds its verifier to the session is a risk at most."""
    only = ["state-checked", "state-required", "browser-bound", "state-once"]
    verdicts = {
        r.requirement.id: r.verdict for r in grade(_plain(STATE="ignored"), only=only).results
    }
    assert Verdict.BROKEN not in verdicts.values()
    assert verdicts["state-checked"] is Verdict.RISK
    assert verdicts["browser-bound"] is Verdict.MET


def test_a_mistake_is_tolerated_and_told() -> None:
    """Without PKCE, grading continues, that check is broken, and the report names the switch."""
    report = grade(_plain(PKCE="none"), only=["pkce-s256", "state-checked"])
    verdicts = {result.requirement.id: result.verdict for result in report.results}
    assert verdicts == {"pkce-s256": Verdict.BROKEN, "state-checked": Verdict.MET}
    assert [line.partition(":")[0] for line in report.tolerated] == ["no-pkce"]


def test_a_missing_state_is_broken_where_nothing_else_binds() -> None:
    """Without a state the verdict depends on what binds the browser to its attempt."""
    alone = grade(_plain(STATE="none"), only=["state-sent"]).results[0]
    assert alone.verdict is Verdict.RISK
    both = grade(_plain(STATE="none"), only=["state-sent", "browser-bound"]).results
    assert {result.verdict for result in both} == {Verdict.BROKEN}
    assert "see browser-bound" in both[0].reason


def test_a_crash_shows_a_key_that_was_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that lives in memory serves the second login, and with `durable` the crash shows it."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    in_memory = (
        ('FileStore(folder / "secrets")', "MemoryStore()"),
        ("FileStore, ", ""),
        ("import uvicorn\n", "import uvicorn\nfrom ddoauth_kit.store import MemoryStore\n"),
    )
    server = server_copy(tmp_path, *in_memory)
    settings = reference_settings(tmp_path, server=server)
    verdicts = [
        grade(replace(settings, durable=durable), only=["key-once"]).results[0].verdict
        for durable in (False, True)
    ]
    assert verdicts == [Verdict.MET, Verdict.RISK]


def test_nothing_counts_after_a_death() -> None:
    """A server that ends is broken; checks without a later successful connection are not tested."""
    report = grade(_plain(DIES="stranger"), only=["denied", "stranger", "error-escaped"])
    found = {result.requirement.id: result for result in report.results}
    assert found["stranger"].verdict is Verdict.BROKEN
    assert found["denied"].verdict is Verdict.NOT_TESTED
    assert "successful connection" in found["denied"].reason
    assert found["error-escaped"].verdict is Verdict.MET


def test_an_unknown_check_is_refused_with_the_near_name() -> None:
    """A typing mistake in `only` ends before anything starts."""
    with pytest.raises(SettingsError, match="state-checked") as caught:
        grade(_plain(), only=["state-cheked"])
    assert caught.value.code == "unknown_check"


def test_a_missing_command_is_named() -> None:
    """Without a command there is nothing to start."""
    with pytest.raises(SettingsError) as caught:
        grade(replace(_plain(), server=ServerSettings()))
    assert caught.value.code == "no_command"


def test_a_wrong_mark_of_the_connected_page_is_named() -> None:
    """A good run that does not show the text is a mistake of the settings."""
    settings = replace(_plain(), connected=ConnectedSettings(text="Nowhere to be seen"))
    with pytest.raises(SettingsError, match="Nowhere to be seen") as caught:
        grade(settings, only=["pkce-s256"])
    assert caught.value.code == "not_connected_page"


def _slow(folder: Path, line: str, *, seconds: float) -> GradeSettings:
    """Return settings of a copy of the reference server that waits before this line."""
    change = (line, f"time.sleep({seconds:g})\n        {line}")
    return reference_settings(folder, server=server_copy(folder, change))


def test_a_token_lives_until_a_slow_server_has_connected_its_customer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server makes the key with the same token after a second, so the token still works."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    settings = _slow(tmp_path, 'if "api_keys_write" in tokens.scopes.granted:', seconds=1.2)
    (result,) = grade(settings, only=["refresh-refused"]).results
    assert result.verdict is Verdict.MET, (result.actual, result.reason)


def test_an_act_that_does_not_end_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call without a response is not tested, and the reason names it and `patience`."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    slow = _slow(tmp_path, CALL, seconds=60)
    (result,) = grade(replace(slow, patience=3.0), only=["401-once"]).results
    assert result.verdict is Verdict.NOT_TESTED
    assert result.reason.startswith("[call] did not answer within ")
    assert result.reason.endswith("Raise `patience`.")
