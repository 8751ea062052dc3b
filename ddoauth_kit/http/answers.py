"""Read responses: JSON, and Datadog's errors in every format."""

from __future__ import annotations

import json
import math
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import AnswerError
from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    from ddoauth_kit.http.message import Response

_REFUSED: Final = 400
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_REDIRECTS: Final = range(300, 400)
_SHOWN: Final = 300
_PROXY: Final = frozenset({407, 511})
_WAITS: Final = ("x-ratelimit-reset", "retry-after")
_BETWEEN: Final = re.compile(r"(?<!Mon)(?<!Tue)(?<!Wed)(?<!Thu)(?<!Fri)(?<!Sat)(?<!Sun),")
_UNIX: Final = 1e9
_UNIX_MILLISECONDS: Final = 1e12
_WEEK: Final = 7 * 24 * 3600.0
_READ: Final = 64 * 1024


def read_json(response: Response) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return the parsed body.

    Raises:
        AnswerError: `unexpected_redirect`, `proxy_answer`, `server_error`, `html_answer` or
            `malformed_json`.
    """
    refuse_unreadable(response)
    try:
        return _parsed(response.text)
    except (ValueError, RecursionError):
        start = response.text.lstrip()[:1]
    code = "html_answer" if start == "<" else "malformed_json"
    found = "a web page" if code == "html_answer" else _found(start)
    raise _unreadable(response, code, f"contained {found} instead of JSON")


def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Parse JSON, and refuse half of a surrogate pair, which a valid string can't contain."""
    answer = json.loads(text)
    if "\\u" in text:
        json.dumps(answer, ensure_ascii=False).encode()
    return answer


def read_object(response: Response) -> dict[str, Any]:
    """Return the parsed body, which must be a JSON object.

    Raises:
        AnswerError: as for `read_json`, or `unexpected_answer` for a list, a string or a number.
    """
    answer = read_json(response)
    if not isinstance(answer, dict):
        raise unexpected(response, "was JSON, but not an object")
    return answer


def refuse_unreadable(response: Response) -> None:
    """Raise for responses that readers can't handle: redirects, 5xx, and error pages in HTML.

    Some statuses matter more than the body: a web page with status 429 is a rate limit, which the
    readers report, and one with 407 or 511 comes from a proxy that requires a login.

    Raises:
        AnswerError: `unexpected_redirect`, `proxy_answer`, `html_answer` or `server_error`.
    """
    if response.status in _REDIRECTS:
        host = _host(response.headers.get("location", ""))
        raise _unreadable(
            response, "unexpected_redirect", f"was a redirect{f' to {host!a}' if host else ''}"
        )
    if response.status in _PROXY:
        raise _unreadable(response, "proxy_answer", "came from a proxy that needs a login")
    is_page = response.text.lstrip("\ufeff \t\r\n").startswith("<")
    if response.status >= _REFUSED and response.status != _TOO_MANY and is_page:
        raise _unreadable(response, "html_answer", "was a web page")
    if response.status >= _SERVER_ERROR:
        raise _unreadable(response, "server_error", "was a failure")


def _host(url: str) -> str | None:
    """Return the host of a URL from a server, or an empty string if the text is not a URL."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def refusal_sentence(response: Response) -> str:
    """Say that a request was refused and, if the response specifies it, how long to wait."""
    purpose = response.record.purpose
    if response.status != _TOO_MANY:
        return f"The {purpose} was refused ({response.status})."
    wait = seconds_to_wait(response)
    shown = "an unknown number of seconds" if wait is None else counted(f"{wait:g}", "second")
    return f"The {purpose} was sent too often ({response.status}): wait {shown}."


def seconds_to_wait(response: Response) -> float | None:
    """Return the seconds in `X-RateLimit-Reset`, or else in `Retry-After`, or else None.

    If a header occurs twice, its values are joined by a comma. A value is a number of seconds, a
    date or a Unix time; if there are several, the longest wait applies. Without either header, the
    wait is one second. Waits of more than a week are ignored.
    """
    headers = response.headers
    named = [headers[name] for name in _WAITS if headers.get(name, "").strip()]
    if not named:
        return 1.0
    now = _moment(headers.get("date", "")) or time.time()
    waits = ([_wait(value, now) for value in _values(text)] for text in named)
    return next((max(known) for known in map(_known, waits) if known), None)


def first_value(text: str) -> str:
    """Return the first value of a header that may occur twice."""
    return text.partition(",")[0].strip()


def _known(waits: list[float | None]) -> list[float]:
    return [wait for wait in waits if wait is not None]


def _values(text: str) -> list[str]:
    """Split a header into its values, but not at the comma after the weekday of a date.

    A value may be quoted, and may have parameters (RFC 9651 section 3.3).
    """
    bare = (value.partition(";")[0].strip().strip('"') for value in _BETWEEN.split(text))
    return [value for value in bare if value]


def _wait(value: str, now: float) -> float | None:
    """Return a value in seconds, counted from `now` if the value is a point in time."""
    try:
        number = float(value)
    except ValueError:
        moment = _moment(value)
    else:
        if not number >= _UNIX:
            return number if 0 <= number <= _WEEK else None
        moment = number / 1000 if number >= _UNIX_MILLISECONDS else number
    if moment is None or moment - now > _WEEK:
        return None
    return float(max(0, math.ceil(moment - now)))


def _moment(text: str) -> float | None:
    try:
        told = datetime.fromisoformat(text) if text[:4].isdecimal() else parsedate_to_datetime(text)
    except ValueError:
        return None
    return told.replace(tzinfo=told.tzinfo or UTC).timestamp()


def unexpected(response: Response, what: str) -> AnswerError:
    """Return the error for a response that is JSON but differs from the documentation."""
    return _unreadable(response, "unexpected_answer", what)


def error_texts(response: Response) -> tuple[str, ...]:
    """Return the server's error messages, masked; any of the known formats is accepted.

    The formats: `{"errors": ["text"]}`, `{"errors": [{"title", "detail"}]}`,
    `{"error": {"code", "message"}}`, and RFC 6749's `{"error", "error_description"}`.
    """
    try:
        answer = json.loads(response.text)
    except (ValueError, RecursionError):
        return _plain(response.masked(response.text[:_READ]))
    if not isinstance(answer, dict):
        return ()
    errors = answer.get("errors")
    listed = [_text(item) for item in errors] if isinstance(errors, list) else []
    found = listed or [_rfc_text(answer)]
    return tuple(response.masked(text)[:_SHOWN] for text in found if text)


def oauth_error(response: Response) -> tuple[str, tuple[str, ...]]:
    """Return the OAuth error code and all error messages, from Datadog's format or RFC 6749's.

    Datadog writes `invalid_grant - text` as one string. The code is "" if the response has none.
    """
    texts = error_texts(response)
    code, _, _ = (texts[0] if texts else "").partition(" - ")
    return (code if code.islower() and " " not in code else ""), texts


def _rfc_text(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    if isinstance(error, dict):
        return _text(error)
    description = answer.get("error_description")
    return f"{_text(error)} - {_text(description)}".removesuffix(" - ") if error else ""


def _text(item: object) -> str:
    """Return the readable part of an error, which may have any type."""
    if isinstance(item, dict):
        parts = [item.get(name) for name in ("code", "title", "detail", "message")]
        return ": ".join(part for part in parts if isinstance(part, str) and part)
    return item if isinstance(item, str) else ""


def _plain(body: str) -> tuple[str, ...]:
    text = " ".join(body.split())
    return () if text.startswith("<") else tuple(filter(None, [text[:_SHOWN]]))


def _found(start: str) -> str:
    return "broken JSON" if start else "nothing"


def _unreadable(response: Response, code: str, what: str) -> AnswerError:
    exchange = response.exchange
    sentence = f"The response to the {exchange.purpose} ({response.status}) {what}."
    return AnswerError(code, sentence, said=error_texts(response), exchange=exchange)
