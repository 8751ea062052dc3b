"""Each profile changes only what it describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.direct import call

from ddoauth_kit.sandbox import PROFILES, Sandbox, SandboxError
from ddoauth_kit.sandbox.api.operations import MISSING
from ddoauth_kit.sandbox.facts.catalogue import MARKETPLACE_KEY, catalogue

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
    """At v1, errors also have `error` and `error_description`; no secret means a challenge."""
    partner = partner_of("rfc")
    answer = partner.exchange("made-up")
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "Invalid authorization code or code verifier.",
    }
    assert answer.headers["cache-control"] == "no-store"
    answer = partner.exchange("made-up", client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    answer = partner.exchange("made-up", client_secret=None)
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


def test_validate_first_on_every_operation(partner_of: Callable[[str], Partner]) -> None:
    """A token that opens nothing hears of unknown ids and bad bodies wherever there are such."""
    partner = partner_of("validate-first")
    token = partner.tokens(scope="mcp_read")["access_token"]
    checked = [
        o
        for o in catalogue().operations
        if any(o.scopes)
        and o.id != MARKETPLACE_KEY
        and (o.path_ids or o.query or o.body not in {"", "optional"})
    ]
    assert len(checked) > 600
    for operation in checked:
        answer = call(partner.sandbox, operation, token=token)
        assert answer.status in {400, 404}, (operation, answer)


@pytest.mark.behaviour("bearer-without-oauth")
def test_no_oauth(partner_of: Callable[[str], Partner]) -> None:
    """All data operations return 401 for a valid token; whoami, the key and the intake work."""
    partner = partner_of("no-oauth")
    token = partner.tokens()["access_token"]
    for operation in catalogue().operations:
        if operation.touches_data:
            assert call(partner.sandbox, operation, token=token).status == 401, operation
    answer = partner.call("/api/v1/monitor", token=token)
    assert (answer.status_code, answer.json()) == (401, {"errors": ["Unauthorized"]})
    assert partner.call("/api/v2/current_user", token=token).status_code == 200
    assert partner.make_key(token).status_code == 201


@pytest.mark.behaviour("product-missing")
def test_products_missing(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """A site's missing products return 404 with or without a token; consent still works."""
    sandbox = make_sandbox(profile="products-missing")
    areas = {operation.area for operation in catalogue().operations}
    assert MISSING
    for site, missing in MISSING.items():
        assert missing <= areas
        partner = make_partner(sandbox, site)
        token = partner.tokens(scope="cases_read slos_read")["access_token"]
        for operation in catalogue().operations:
            answer = call(sandbox, operation, site=site)
            if operation.area in missing:
                for found in (answer, call(sandbox, operation, site=site, token=token)):
                    assert found.status == 404, (site, operation, found)
                    assert found.body == {"errors": ["Not found"]}
            else:
                assert answer.status in {401, 403}, (site, operation, answer)
    assert make_partner(sandbox, "us1-fed").call("/api/v1/slo", token=token).status_code == 404
    us1 = make_partner(sandbox, "us1")
    assert us1.call("/api/v1/slo", token=us1.tokens()["access_token"]).status_code == 200


@pytest.mark.behaviour("error-shapes")
def test_error_shapes(partner_of: Callable[[str], Partner]) -> None:
    """403 and 404 come in four shapes and as many content types, each readable as JSON."""
    partner = partner_of("error-shapes")
    narrow = partner.tokens(scope="mcp_read")["access_token"]
    text = "Failed permission authorization checks"
    expected = {
        "/api/v1/dashboard": ("text/json", {"errors": ["Forbidden", text]}),
        "/api/v2/services/definitions": (
            "application/json",
            {
                "errors": ["Forbidden", text],
                "error_details": [
                    {"code": "403", "message": "Forbidden"},
                    {"code": "403", "message": text},
                ],
            },
        ),
        "/api/v2/security_monitoring/rules": (
            "text/plain",
            {
                "error": {
                    "code": "Forbidden",
                    "message": f"Forbidden, {text}",
                    "details": [],
                }
            },
        ),
        "/api/v2/incidents": (
            "application/vnd.api+json",
            {
                "errors": [
                    {"status": "403", "title": "Forbidden", "detail": "Forbidden"},
                    {"status": "403", "title": "Forbidden", "detail": text},
                ]
            },
        ),
    }
    for path, (content_type, body) in expected.items():
        answer = partner.call(path, token=narrow)
        assert answer.status_code == 403
        assert answer.headers["content-type"].partition(";")[0] == content_type
        assert answer.json() == body
    wide = partner.tokens()["access_token"]
    unknown = "00000000-0000-4000-8000-000000000000"
    missing = partner.call(f"/api/v2/security_monitoring/rules/{unknown}", token=wide)
    assert missing.status_code == 404
    error = {"code": "NotFound", "message": "Not found", "details": []}
    assert missing.json() == {"error": error}


def test_error_shapes_everywhere(partner_of: Callable[[str], Partner]) -> None:
    """Each operation's refusals have one of the four formats, and state their status in words."""
    sandbox = partner_of("error-shapes").sandbox
    seen = set()
    for operation in catalogue().operations:
        body = call(sandbox, operation).body
        first = body["errors"][0] if "errors" in body else None
        seen.add((*body, type(first).__name__))
    assert seen == {
        ("errors", "str"),
        ("errors", "dict"),
        ("errors", "error_details", "str"),
        ("error", "NoneType"),
    }


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
    """A mistyped profile is reported along with the existing ones."""
    with pytest.raises(
        SandboxError, match=r"'rfd'. Did you mean rfc\? The profiles are: datadog, rfc,"
    ):
        Sandbox(profile="rfd")


def test_profiles_say_what_they_do() -> None:
    """Each profile has a name and one sentence."""
    assert " ".join(PROFILES) == (
        "datadog rfc validate-first no-oauth products-missing error-shapes rate-limits"
    )
    assert all(p.summary.endswith(".") and "\n" not in p.summary for p in PROFILES.values())
