"""A record never contains known values, and is searched completely before it is returned."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from support.builders import ACCESS_TOKEN, API_KEY, CLIENT_SECRET, US1, request

from ddoauth_kit import Secret
from ddoauth_kit.http.policy import RECORDED, recorded
from ddoauth_kit.http.transcript import Transcript

if TYPE_CHECKING:
    from ddoauth_kit.http.message import Response

pytestmark = pytest.mark.checklist("C9")

NEW: Final = "canary-new-access-token"
_RAW: Final = CLIENT_SECRET.encode()


def _answer(text: str, *, keep_answers: bool = True) -> Response:
    asked = request(
        US1,
        method="POST",
        path=f"/api/v1/monitor/{API_KEY}",
        headers=(("authorization", Secret(ACCESS_TOKEN, label="access_token")),),
        form=(("client_secret", Secret(CLIENT_SECRET, label="client_secret")),),
    )
    headers = {"www-authenticate": f'Basic realm="{b64encode(_RAW * 2).decode()}"'}
    return recorded(
        asked, status=200, headers=headers, text=text, seconds=1.0, keep_answers=keep_answers
    )


def _held(answer: Response) -> str:
    """Return every text of the record as the quick pass left it."""
    return repr([getattr(answer.record._kept[0], name) for name in ("url", "response_body")])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"you sent": CLIENT_SECRET, "bearer": f"Bearer {ACCESS_TOKEN}"}),
        json.dumps({"access_token": NEW, "scope": NEW}),
        json.dumps({"inside": json.dumps({"refresh_token": NEW, "sent": CLIENT_SECRET})}),
        f"client_secret={quote(CLIENT_SECRET, safe='')}&refresh_token={NEW}",
        f"<p>{CLIENT_SECRET.replace('&', '&amp;')}</p>",
        f'{{"access_token": "{NEW}", "torn": "{CLIENT_SECRET}',
    ],
)
def test_the_quick_pass(text: str) -> None:
    """Known values and named fields are gone before anybody reads, in JSON and in forms."""
    held = _held(_answer(text))
    for value in (CLIENT_SECRET, quote(CLIENT_SECRET, safe=""), ACCESS_TOKEN, NEW):
        assert value not in held


@pytest.mark.parametrize(
    "echoed",
    [
        b64encode(b"sent: " + _RAW).decode(),
        _RAW.hex(),
        "".join(f"%{byte:02x}" for byte in _RAW),
        "".join(f"\\u{byte:04x}" for byte in _RAW),
        "".join(f"&#{byte};" for byte in _RAW),
        f"\x1b[31m{CLIENT_SECRET[:9]}\x1b[0m{CLIENT_SECRET[9:]}",
    ],
)
def test_what_is_handed_out(echoed: str) -> None:
    """The transcript, the response and all other readers get the fully searched record."""
    answer = _answer(json.dumps({"error": echoed, "id": API_KEY}))
    transcript = Transcript()
    transcript.add(answer.record)
    exchange = transcript.newest()
    assert exchange is answer.exchange is next(iter(transcript))
    assert transcript.last("current user call") is exchange
    shown = [exchange.url, exchange.facts.path, exchange.response_body, exchange.response_headers]
    for value in (echoed, json.dumps(echoed)[1:-1], API_KEY, b64encode(_RAW * 2).decode()):
        assert value not in repr(shown)


def test_a_token_in_other_words() -> None:
    """A token in the response is known when the record is read, here by its hex digits."""
    answer = _answer(json.dumps({"access_token": NEW, "debug": NEW.encode().hex()}))
    assert NEW.encode().hex() not in answer.exchange.response_body


@pytest.mark.parametrize("keep_answers", [True, False])
def test_what_is_cut(*, keep_answers: bool) -> None:
    """A long response is searched before it is truncated, so that no half of a secret remains."""
    encoded = b64encode(_RAW * 3).decode()
    for before in range(RECORDED - 60, RECORDED, 20):
        text = f"{'x ' * (before // 2)}{encoded} {'y ' * 100}"
        body = _answer(text, keep_answers=keep_answers).exchange.response_body
        assert len(body) <= RECORDED
        assert encoded[:16] not in body


def test_an_outline_names_fields() -> None:
    """The shape of a response keeps its field names, even those of secrets."""
    answer = _answer(json.dumps({"key": API_KEY, "token": NEW}), keep_answers=False)
    assert answer.exchange.response_body == '{"key": "str", "token": "str"}'
