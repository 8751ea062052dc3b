"""A refusal's code depends only on the response."""

from __future__ import annotations

import pytest
from support.builders import response

from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.errors import AnswerError, ApiError, ApiKeyError, DdoauthError


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_passes(status: int) -> None:
    """Any 2xx is a success, whatever its body."""
    assert refuse_failure(response(status, "<html>")) is None


@pytest.mark.checklist("C13")
@pytest.mark.parametrize(
    ("status", "text", "error", "code", "said"),
    [
        (401, '{"errors": ["Unauthorized"]}', ApiError, "unauthorized", ("Unauthorized",)),
        (
            403,
            '{"errors": ["Forbidden", "Failed permission authorization checks"]}',
            ApiError,
            "scope_missing",
            ("Forbidden", "Failed permission authorization checks"),
        ),
        (404, '{"errors": ["Monitor not found"]}', ApiError, "not_found", ("Monitor not found",)),
        (409, '{"errors": [{"title": "Conflict"}]}', ApiError, "api_refused", ("Conflict",)),
        (400, "Event too far in the past", ApiError, "api_refused", ("Event too far in the past",)),
        (400, "", ApiError, "api_refused", ()),
        (429, '{"errors": []}', ApiError, "rate_limited", ()),
        (404, "<html>", AnswerError, "html_answer", ()),
        (500, '{"errors": ["boom"]}', AnswerError, "server_error", ("boom",)),
        (502, "<html>", AnswerError, "html_answer", ()),
        (302, "", AnswerError, "unexpected_redirect", ()),
    ],
)
def test_a_failure_is_named(
    status: int, text: str, error: type[DdoauthError], code: str, said: tuple[str, ...]
) -> None:
    """Each status has its code; the server's words and the exchange are carried."""
    answer = response(status, text)
    with pytest.raises(DdoauthError) as caught:
        refuse_failure(answer)
    assert (type(caught.value), caught.value.code) == (error, code)
    assert caught.value.said == said
    assert caught.value.exchange is answer.exchange


def test_the_caller_names_the_class() -> None:
    """A refused key is an `ApiKeyError`, which is an `ApiError`."""
    with pytest.raises(ApiKeyError) as caught:
        refuse_failure(response(404), error=ApiKeyError)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"x-ratelimit-reset": "7"}, "wait 7 seconds"),
        ({}, "wait 1 second."),
        ({"x-ratelimit-reset": "canary"}, "wait an unknown number of seconds"),
        ({"retry-after": "9" * 99}, r"wait an unknown number of seconds"),
    ],
)
def test_a_rate_limit_tells_how_long(headers: dict[str, str], words: str) -> None:
    """The message contains the number of seconds from the server, if it is a number."""
    with pytest.raises(ApiError, match=words):
        refuse_failure(response(429, **headers))
