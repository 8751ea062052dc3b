"""Each profile changes what it says and leaves the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.sandbox import PROFILES, Sandbox, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner


@pytest.fixture
def partner_of(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> Callable[[str], Partner]:
    """Bring a partner to a sandbox of a profile."""
    return lambda profile: make_partner(make_sandbox(profile=profile))


@pytest.mark.checklist("S5")
def test_rfc_token_errors(partner_of: Callable[[str], Partner]) -> None:
    """Errors have `error` and `error_description`, and a bad client gets 401."""
    partner = partner_of("rfc")
    answer = partner.exchange("made-up")
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "Invalid authorization code or code verifier.",
    }
    assert answer.headers["cache-control"] == "no-store"
    answer = partner.exchange("made-up", client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.checklist("S8")
def test_rfc_bearer_errors(partner_of: Callable[[str], Partner]) -> None:
    """Challenges follow RFC 6750: no code without a token, else the right one."""
    partner = partner_of("rfc")
    plain = partner.call("/api/v2/current_user")
    assert plain.status_code == 401
    assert plain.headers["www-authenticate"] == 'Bearer realm="ddoauth-sandbox"'
    wrong = partner.call("/api/v2/current_user", token="made-up")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    token = partner.tokens(scope="events_read")["access_token"]
    narrow = partner.call("/api/v1/monitor", token=token)
    assert (narrow.status_code, narrow.json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in narrow.headers["www-authenticate"]
    assert "www-authenticate" not in partner.call("/api/v1/validate").headers


@pytest.mark.checklist("S8")
def test_default_has_no_challenges(partner: Partner) -> None:
    """Datadog's own bodies come without WWW-Authenticate."""
    answer = partner.call("/api/v2/current_user")
    assert answer.json() == {"errors": ["Unauthorized"]}
    assert "www-authenticate" not in answer.headers


def test_validate_first(partner_of: Callable[[str], Partner]) -> None:
    """404 and 400 come before 403, and 401 before all."""
    partner = partner_of("validate-first")
    token = partner.tokens(scope="events_read")["access_token"]
    assert partner.call("/api/v1/monitor/1").status_code == 401
    assert partner.call("/api/v1/monitor/1", token=token).status_code == 404
    assert partner.call("/api/v1/query", token=token).status_code == 400
    assert partner.call("/api/v1/monitor", token=token).status_code == 403
    assert partner.make_key(token).status_code == 403


@pytest.mark.behaviour("bearer-without-oauth")
def test_no_oauth(partner_of: Callable[[str], Partner]) -> None:
    """Reads answer 401 to a good token; whoami, the key and the intake work."""
    partner = partner_of("no-oauth")
    token = partner.tokens()["access_token"]
    answer = partner.call("/api/v1/monitor", token=token)
    assert (answer.status_code, answer.json()) == (401, {"errors": ["Unauthorized"]})
    assert partner.call("/api/v2/current_user", token=token).status_code == 200
    assert partner.make_key(token).status_code == 201


@pytest.mark.behaviour("rate-limit-reached")
def test_rate_limits(partner_of: Callable[[str], Partner]) -> None:
    """Three calls pass, the fourth waits for the window's end, per operation and org."""
    partner = partner_of("rate-limits")
    token = partner.tokens()["access_token"]
    answers = [partner.call("/api/v1/monitor", token=token) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]
    last = answers[-1]
    assert last.json() == {"errors": []}
    assert "retry-after" not in last.headers
    assert partner.call("/api/v1/dashboard", token=token).status_code == 200
    second = partner.tokens(dd_oid=partner.sandbox.orgs["us1"][1].id)["access_token"]
    assert partner.call("/api/v1/monitor", token=second).status_code == 200
    partner.sandbox.clock.advance(int(last.headers["x-ratelimit-reset"]))
    assert partner.call("/api/v1/monitor", token=token).status_code == 200


def test_unknown_profile_lists_the_known() -> None:
    """A mistyped profile is told with those there are."""
    with pytest.raises(SandboxError, match="'rfd'; the profiles are: datadog, rfc,"):
        Sandbox(profile="rfd")


def test_profiles_say_what_they_do() -> None:
    """Each profile has a name and one sentence."""
    assert list(PROFILES) == ["datadog", "rfc", "validate-first", "no-oauth", "rate-limits"]
    assert all(p.summary.endswith(".") and "\n" not in p.summary for p in PROFILES.values())
