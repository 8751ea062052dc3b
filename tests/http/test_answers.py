"""A response is read in every format that Datadog uses, and never misinterpreted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import response, with_locals

from ddoauth_kit.errors import AnswerError
from ddoauth_kit.http.answers import (
    error_texts,
    oauth_error,
    read_json,
    read_object,
    refusal_sentence,
    refuse_unreadable,
    seconds_to_wait,
)

PAGE = "\n<!DOCTYPE html><html><body>Bad gateway</body></html>"


def test_json_is_returned() -> None:
    """Any JSON value is an answer; an object is asked for by name."""
    assert read_json(response(text="[1]")) == [1]
    assert read_object(response(text='{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (200, "", "malformed_json"),
        (200, "   ", "malformed_json"),
        (200, '{"a": ', "malformed_json"),
        (200, "[" * 100_000, "malformed_json"),
        (200, '{"a":' + "9" * 10_000, "malformed_json"),
        (200, "\ufffd\ufffd", "malformed_json"),
        (200, PAGE, "html_answer"),
        (400, PAGE, "html_answer"),
        (500, PAGE, "html_answer"),
        (502, PAGE, "html_answer"),
        (500, '{"errors": ["boom"]}', "server_error"),
        (503, "", "server_error"),
        (301, "", "unexpected_redirect"),
        (307, PAGE, "unexpected_redirect"),
        (200, "[1]", "unexpected_answer"),
        (200, '"text"', "unexpected_answer"),
        (200, "null", "unexpected_answer"),
    ],
)
def test_what_is_no_object_is_refused_by_name(status: int, text: str, code: str) -> None:
    """Each kind of unreadable answer has a code, and the error carries the exchange."""
    answer = response(status, text)
    with pytest.raises(AnswerError) as caught:
        read_object(answer)
    assert caught.value.code == code
    assert caught.value.exchange is answer.exchange
    assert f"token exchange ({status})" in caught.value.what


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ({"errors": ["Forbidden", "Failed"]}, ("Forbidden", "Failed")),
        (
            {"errors": [{"status": "404", "title": "Not Found", "detail": "gone"}]},
            ("Not Found: gone",),
        ),
        ({"errors": [{"title": "Forbidden"}, "x"]}, ("Forbidden", "x")),
        ({"error": {"code": "Bad", "message": "no", "details": []}}, ("Bad: no",)),
        (
            {"error": "invalid_grant", "error_description": "used"},
            ("invalid_grant - used",),
        ),
        ({"errors": []}, ()),
        ({"errors": [None, 3, {}]}, ()),
        ({}, ()),
        ([], ()),
        ({"errors": ["x" * 1000]}, ("x" * 300,)),
    ],
)
def test_error_texts_of_every_shape(answer: object, texts: tuple[str, ...]) -> None:
    """The server's words are found in the four shapes, cut to what can be shown."""
    assert error_texts(response(400, json.dumps(answer))) == texts


def test_an_error_without_description_is_its_code() -> None:
    """RFC 6749's description is optional; its absence leaves no dangling dash."""
    assert error_texts(response(400, '{"error": "invalid_grant"}')) == ("invalid_grant",)
    assert oauth_error(response(400, '{"error": "invalid_grant"}'))[0] == "invalid_grant"


@pytest.mark.parametrize(
    ("text", "texts"),
    [("Event too\n far", ("Event too far",)), ("", ()), (PAGE, ()), ("y" * 1000, ("y" * 300,))],
)
def test_plain_text_is_an_error_text_and_a_page_is_not(text: str, texts: tuple[str, ...]) -> None:
    """Some endpoints answer text/plain; markup is not quoted."""
    assert error_texts(response(400, text)) == texts


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"errors": ["invalid_grant - Invalid authorization code."]}, "invalid_grant"),
        ({"error": "invalid_client", "error_description": "no"}, "invalid_client"),
        ({"errors": ["Some words - and more"]}, ""),
        ({"errors": ["Unauthorized"]}, ""),
        ({}, ""),
    ],
)
def test_oauth_code_in_both_shapes(answer: object, code: str) -> None:
    """The code is read from Datadog's `code - text` and from RFC 6749's `error`."""
    assert oauth_error(response(400, json.dumps(answer)))[0] == code


@pytest.mark.checklist("C9")
def test_an_error_quotes_no_token_of_a_torn_answer() -> None:
    """A truncated token response is masked in the message and in the frames' variables."""
    with pytest.raises(AnswerError) as caught:
        read_object(response(200, '{"access_token": "canary-torn'))
    assert "<redacted>" in str(caught.value)
    assert "canary" not in str(caught.value) + with_locals(caught.value)


NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
DATE = format_datetime(NOW, usegmt=True)


def _wait_of(value: str, name: str = "x-ratelimit-reset") -> float | None:
    return seconds_to_wait(response(429, **{name: value, "date": DATE}))


@generated(
    st.integers(0, 600),
    st.sampled_from(["seconds", "unix", "milliseconds", "date", "iso", "quoted", "parameter"]),
    st.integers(1, 3),
    st.sampled_from(["x-ratelimit-reset", "retry-after"]),
    st.sampled_from([",", ", ", " , "]),
)
def test_a_wait_is_read_however_it_is_written(
    seconds: int, form: str, times: int, name: str, between: str
) -> None:
    """Seconds, Unix time and dates, sent once, twice or three times, mean the same wait."""
    moment = NOW + timedelta(seconds=seconds)
    written = {
        "seconds": str(seconds),
        "unix": str(int(moment.timestamp())),
        "milliseconds": str(int(moment.timestamp() * 1000)),
        "date": format_datetime(moment, usegmt=True),
        "iso": moment.isoformat(),
        "quoted": f'"{seconds}"',
        "parameter": f"{seconds};w=60",
    }[form]
    assert _wait_of(between.join([written] * times), name) == seconds


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("2, 2", 2),
        ("2, 5", 5),
        ("", 1),
        ("soon", None),
        ("soon, 3", 3),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e99", None),
        ("99999999", None),
        (str(int(NOW.timestamp()) - 5), 0),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", None),
    ],
)
def test_a_wait_that_makes_no_sense_is_unknown(value: str, wait: float | None) -> None:
    """A time in the past means no wait; an invalid time, or one over a week away, is ignored."""
    assert _wait_of(value) == wait


def test_a_bad_reset_leaves_the_word_to_retry_after() -> None:
    """One header that cannot be read does not hide the other."""
    answer = response(429, **{"x-ratelimit-reset": "soon", "retry-after": "7"})
    assert seconds_to_wait(answer) == 7
    assert refusal_sentence(answer).endswith("wait 7 seconds.")


@pytest.mark.parametrize(
    ("status", "code"), [(407, "proxy_answer"), (511, "proxy_answer"), (302, "unexpected_redirect")]
)
def test_a_proxy_s_answer_is_named(status: int, code: str) -> None:
    """The status decides, whatever the page says; a redirect names where it leads."""
    answer = response(status, "<html>Log in</html>", location="https://login.corp.example/x?y=z")
    with pytest.raises(AnswerError) as caught:
        refuse_unreadable(answer)
    assert caught.value.code == code
    assert ("login.corp.example" in caught.value.what) == (status == 302)


@pytest.mark.parametrize("location", ["http://[", "//[::1", "\x00", "", "/only/a/path"])
def test_a_redirect_to_nowhere(location: str) -> None:
    """A `Location` that is not a URL is a redirect without a host to name."""
    with pytest.raises(AnswerError) as caught:
        refuse_unreadable(response(302, location=location))
    assert caught.value.code == "unexpected_redirect"
    assert "was a redirect." in caught.value.what


def test_a_page_with_429_is_a_limit() -> None:
    """A gateway's page that says to wait is not a web page in the wrong place."""
    refuse_unreadable(response(429, "<html>Too many requests</html>"))
