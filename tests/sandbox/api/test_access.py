"""Tokens open what their scopes say, keys open the intake, and each only at its own site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.direct import call

from ddoauth_kit.sandbox.facts.catalogue import Operation, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Partner
    from support.direct import Reply

    from ddoauth_kit.sandbox import Sandbox

    Answers = dict[str, Reply]

OPERATIONS = catalogue().operations
BY_TOKEN = [operation for operation in OPERATIONS if not operation.needs_key]
BY_KEY = [operation for operation in OPERATIONS if operation.needs_key]
UNAUTHORIZED = (401, {"errors": ["Unauthorized"]})
FORBIDDEN = (403, {"errors": ["Forbidden"]})
LACKING = (403, {"errors": ["Forbidden", "Failed permission authorization checks"]})
HOSTS = {"api": "api_url", "logs": "logs_intake_url", "events": "events_intake_url"}


def answers_of(sandbox: Sandbox, operations: Iterable[Operation], **options: str) -> Answers:
    """Call operations, and return each one's response."""
    return {f"{o.method} {o.path}": call(sandbox, o, **options) for o in operations}


def others_than(expected: tuple[int, object], answers: Answers) -> Answers:
    """Return the responses that are not as expected."""
    told = {name: (answer.status, answer.body) for name, answer in answers.items()}
    return {name: answers[name] for name, answer in told.items() if answer != expected}


@pytest.fixture(scope="module")
def answers(shared: Partner) -> dict[str, Answers]:
    """Call every operation with each kind of credential, good and bad."""
    tokens, key = shared.tokens(), shared.key()
    token = tokens["access_token"]
    given = {
        "nothing": {},
        "key": {"key": key},
        "made up": {"token": "made-up"},
        "refresh token": {"token": tokens["refresh_token"]},
        "other site": {"token": token, "site": "us5"},
        "good": {"token": token},
    }
    told = {name: answers_of(shared.sandbox, OPERATIONS, **each) for name, each in given.items()}
    shared.sandbox.clock.advance(3600)
    return {**told, "expired": answers_of(shared.sandbox, OPERATIONS, token=token)}


@pytest.mark.behaviour("bearer-missing")
@pytest.mark.behaviour("bearer-key-instead")
@pytest.mark.behaviour("bearer-invalid")
@pytest.mark.behaviour("bearer-other-site")
def test_operations_need_a_live_token(answers: dict[str, Answers]) -> None:
    """A missing, bogus, expired or other site's token gets 401; an API key gets 403."""
    by_token = [f"{o.method} {o.path}" for o in BY_TOKEN]
    for name, told in answers.items():
        if name != "good":
            expected = FORBIDDEN if name == "key" else UNAUTHORIZED
            assert not others_than(expected, {each: told[each] for each in by_token}), name


@pytest.mark.behaviour("scope-missing")
def test_operations_need_their_scope(shared: Partner) -> None:
    """A token with another scope gets 403 with Datadog's two texts, and can say who it is."""
    scopes = ("aws_configurations_manage", "mcp_read")
    for token, scope in ((shared.tokens(scope=scope)["access_token"], scope) for scope in scopes):
        closed = [o for o in BY_TOKEN if not (o.is_open_to(frozenset({scope})) or o.manages_keys)]
        assert len(closed) > 800
        assert not others_than(LACKING, answers_of(shared.sandbox, closed, token=token))
        assert shared.call("/api/v2/current_user", token=token).status_code == 200


@pytest.mark.behaviour("key-missing")
@pytest.mark.behaviour("key-invalid")
def test_intake_needs_a_live_key(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A bearer token sends no data; a wrong, a foreign and a revoked key are forbidden."""
    token = partner.tokens()["access_token"]
    required = (403, {"errors": ["API key required"]})
    assert not others_than(required, answers_of(sandbox, BY_KEY))
    assert not others_than(required, answers_of(sandbox, BY_KEY, token=token))
    key = partner.make_key(token).json()["data"]
    assert sandbox.revoke_api_key(key["id"])
    foreign = make_partner(sandbox, "eu1").key()
    for wrong in ("0" * 32, foreign, key["attributes"]["key"]):
        assert not others_than(FORBIDDEN, answers_of(sandbox, BY_KEY, key=wrong))


@pytest.mark.behaviour("keys-closed")
def test_key_management_is_closed(shared: Partner) -> None:
    """Keys are listed to any good token, without a value; all else about them gets 401."""
    token = shared.tokens()["access_token"]
    about_keys = [o for o in BY_TOKEN if o.area == "Key Management" or "_key" in o.path]
    closed = [o for o in about_keys if o.manages_keys]
    assert len(closed) == 24
    assert not others_than(UNAUTHORIZED, answers_of(shared.sandbox, closed, token=token))
    listings = ("/api/v1/api_key", "/api/v2/api_keys", "/api/v2/current_user/application_keys")
    for path in (*listings, "/api/v1/application_key", "/api/v2/application_keys"):
        answer = shared.call(path, token=token)
        assert answer.status_code == 200
        values = [*_values(answer.json(), "key"), *_values(answer.json(), "hash")]
        assert all(value.startswith("sandbox-") for value in values)


def _values(part: object, name: str) -> list[str]:
    if isinstance(part, list):
        return [value for inner in part for value in _values(inner, name)]
    if not isinstance(part, dict):
        return []
    own = [value for key, value in part.items() if key == name and isinstance(value, str)]
    return own + [value for inner in part.values() for value in _values(inner, name)]


@pytest.mark.behaviour("header-only")
def test_credentials_in_the_query_do_not_count(partner: Partner) -> None:
    """Credentials in a URL end up in logs, so they are ignored."""
    token, key = partner.tokens()["access_token"], partner.key()
    query = {"access_token": token, "api_key": key}
    assert partner.call("/api/v2/current_user", params=query).status_code == 401
    assert partner.call("/api/v1/validate", params=query).status_code == 403


@pytest.mark.behaviour("validate-key")
def test_good_key_is_valid(partner: Partner) -> None:
    """The call that says whether a key is valid reveals nothing else."""
    answer = partner.call("/api/v1/validate", key=partner.key())
    assert (answer.status_code, answer.json()) == (200, {"valid": True})


@pytest.mark.behaviour("validate-key-owner")
def test_a_good_key_tells_its_owner(partner: Partner) -> None:
    """The second version of the call names the organization and the key's id."""
    answer = partner.call("/api/v2/validate", key=partner.key())
    (key,) = partner.sandbox.api_keys("us1")
    data = answer.json()["data"]
    assert (answer.status_code, data["id"], data["type"]) == (200, key.org.id, "validate_v2")
    assert data["attributes"] == {"api_key_id": key.id, "api_key_scopes": [], "valid": True}
    assert partner.call("/api/v2/validate", key="x").status_code == 403


@pytest.mark.behaviour("rate-limit-headers")
def test_every_answer_tells_the_limit(answers: dict[str, Answers]) -> None:
    """Granted, refused or unknown, each operation has all five rate-limit headers."""
    for answer_of in answers.values():
        for name, answer in answer_of.items():
            told = answer.headers
            assert told["x-ratelimit-limit"] == "6000", name
            assert told["x-ratelimit-period"] == "60"
            assert 5900 < int(told["x-ratelimit-remaining"]) <= 6000
            assert 0 < int(told["x-ratelimit-reset"]) <= 60
            assert told["x-ratelimit-name"]


def test_only_good_tokens_use_up_the_limit(partner: Partner) -> None:
    """A refused token costs nothing, each call of a good one costs one."""
    token = partner.tokens()["access_token"]
    given = ("made-up", token, token, "made-up")
    answers = [partner.call("/api/v2/roles", token=value) for value in given]
    rest = [answer.headers["x-ratelimit-remaining"] for answer in answers]
    assert rest == ["6000", "5999", "5998", "6000"]


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
