"""Tokens open what their scopes say, keys open the intake, and each only at its own site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.sandbox.catalogue import CURRENT_USER, Operation, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

OPERATIONS = catalogue().operations
READS = [operation for operation in OPERATIONS if operation.reads_data]
WITH_KEY = [operation for operation in OPERATIONS if operation.needs_key]
UNAUTHORIZED = {"errors": ["Unauthorized"]}
FORBIDDEN = {"errors": ["Forbidden", "Failed permission authorization checks"]}
HOSTS = {"api": "api_url", "logs": "logs_intake_url", "events": "events_intake_url"}


def name(operation: Operation) -> str:
    """Name an operation in test ids."""
    return f"{operation.method} {operation.path}"


def call(partner: Partner, operation: Operation, **options: str) -> tuple[int, object]:
    """Call an operation and return status and body."""
    path = operation.path.replace("{monitor_id}", "1")
    answer = partner.call(path, method=operation.method, host=HOSTS[operation.role], **options)
    return answer.status_code, answer.json()


@pytest.mark.behaviour("bearer-missing")
@pytest.mark.behaviour("bearer-key-instead")
@pytest.mark.behaviour("bearer-invalid")
@pytest.mark.behaviour("bearer-other-site")
@pytest.mark.parametrize("operation", [o for o in OPERATIONS if not o.needs_key], ids=name)
def test_reads_need_a_live_token(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner], operation: Operation
) -> None:
    """No token, a bogus one, another site's and an expired one get 401, an API key 403."""
    tokens = partner.tokens()
    elsewhere = make_partner(sandbox, "us5").tokens()["access_token"]
    refused = (401, UNAUTHORIZED)
    assert call(partner, operation) == refused
    assert call(partner, operation, token="made-up") == refused
    assert call(partner, operation, key=partner.key()) == (403, {"errors": ["Forbidden"]})
    assert call(partner, operation, token=elsewhere) == refused
    assert call(partner, operation, token=tokens["refresh_token"]) == refused
    sandbox.clock.advance(3600)
    assert call(partner, operation, token=tokens["access_token"]) == refused


@pytest.mark.behaviour("scope-missing")
@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if o.scopes and o.id != CURRENT_USER], ids=name
)
def test_reads_need_their_scope(partner: Partner, operation: Operation) -> None:
    """A token with another scope gets 403 with Datadog's two texts."""
    other = next(s for s in partner.client.scopes if not operation.is_open_to(frozenset({s})))
    token = partner.tokens(scope=other)["access_token"]
    assert call(partner, operation, token=token) == (403, FORBIDDEN)
    assert partner.call("/api/v2/current_user", token=token).status_code == 200


@pytest.mark.behaviour("key-missing")
@pytest.mark.behaviour("key-invalid")
@pytest.mark.parametrize("operation", WITH_KEY, ids=name)
def test_intake_needs_a_live_key(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner], operation: Operation
) -> None:
    """A bearer token sends no data; a wrong, a foreign and a revoked key are forbidden."""
    token = partner.tokens()["access_token"]
    assert call(partner, operation) == (403, {"errors": ["API key required"]})
    assert call(partner, operation, token=token) == (403, {"errors": ["API key required"]})
    forbidden = (403, {"errors": ["Forbidden"]})
    assert call(partner, operation, key="0" * 32) == forbidden
    assert call(partner, operation, key=make_partner(sandbox, "eu1").key()) == forbidden
    key = partner.make_key(token).json()["data"]
    assert sandbox.revoke_api_key(key["id"])
    assert call(partner, operation, key=key["attributes"]["key"]) == forbidden


@pytest.mark.behaviour("header-only")
def test_credentials_in_the_query_do_not_count(partner: Partner) -> None:
    """What stands in a URL ends in logs, so it opens nothing."""
    token, key = partner.tokens()["access_token"], partner.key()
    query = {"access_token": token, "api_key": key}
    assert partner.call("/api/v2/current_user", params=query).status_code == 401
    assert partner.call("/api/v1/validate", params=query).status_code == 403


@pytest.mark.behaviour("validate-key")
def test_good_key_is_valid(partner: Partner) -> None:
    """The call that tells whether a key is good tells nothing else."""
    answer = partner.call("/api/v1/validate", key=partner.key())
    assert (answer.status_code, answer.json()) == (200, {"valid": True})


@pytest.mark.behaviour("rate-limit-headers")
@pytest.mark.parametrize("operation", READS, ids=name)
def test_reads_tell_their_limit(partner: Partner, operation: Operation) -> None:
    """Every read that a token opens tells limit, period, rest, reset and name."""
    token = partner.tokens()["access_token"]
    path = operation.path.replace("{monitor_id}", "1")
    headers = partner.call(path, token=token, method=operation.method).headers
    assert headers["x-ratelimit-limit"] == "6000"
    assert headers["x-ratelimit-period"] == "60"
    assert headers["x-ratelimit-remaining"] == "5999"
    assert 0 < int(headers["x-ratelimit-reset"]) <= 60
    assert headers["x-ratelimit-name"]


def test_scheme_is_case_insensitive(partner: Partner) -> None:
    """RFC 9110 compares authentication schemes without regard to case."""
    token = partner.tokens()["access_token"]
    headers = {"Authorization": f"bearer {token}"}
    assert partner.call("/api/v2/current_user", headers=headers).status_code == 200


@pytest.mark.behaviour("check-order")
def test_scopes_come_before_content(partner: Partner) -> None:
    """By default a 403 hides whether the monitor exists and whether the query makes sense."""
    token = partner.tokens(scope="events_read")["access_token"]
    assert partner.call("/api/v1/monitor/1", token=token).status_code == 403
    assert partner.call("/api/v1/query", token=token).status_code == 403
    token = partner.tokens()["access_token"]
    assert partner.call("/api/v1/monitor/1", token=token).status_code == 404
    assert partner.call("/api/v1/query", token=token).status_code == 400
