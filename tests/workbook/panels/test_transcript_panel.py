"""Exchanges unfold masked and can be copied as code, only in a browser; they stay text."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from support.markup import read_html
from support.panels import field, held

from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.record import Record
from ddoauth_kit.http.transcript import KEPT_EXCHANGES
from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook.panels import TranscriptPanel
from ddoauth_kit.workbook.panels.transcript_panel import PAGE, exchange_html
from ddoauth_kit.workbook.show.snippets import as_curl, as_httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.markup import Element

HOSTILE = "\"'`></textarea></pre></details><img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


def probe(number: int) -> Exchange:
    """Return the exchange of one small call."""
    url = f"https://api.datadoghq.com/api/v2/things/{number}"
    return Exchange("probe", "GET", url, 200, response_body='{"data": []}')


def page(panel: TranscriptPanel) -> Any:
    """Return the one page that is not hidden."""
    (shown,) = [each for each in panel._pages.children if each.layout.display != "none"]
    return shown


def test_the_transcript_grows_and_offers_code(lab: Lab) -> None:
    """Each exchange can be unfolded, masked, and taken away as a command and as httpx code."""
    panel = TranscriptPanel(lab)
    assert "No requests have been sent yet." in panel.status.value
    tokens = lab.connect()
    field(panel, "Show the newest").click()
    assert "1 exchange." in panel.status.value
    (shown,) = page(panel).children
    assert "1. 200 POST api.datadoghq.com/api/v2/oauth2/token (token exchange)" in shown.value
    assert "<h4>Request</h4>" in shown.value
    assert "<h4>Answer</h4>" in shown.value
    assert "DDOAUTH_API_URL (https://api.datadoghq.com)" in shown.value
    assert (
        "DDOAUTH_CLIENT_SECRET"
        in shown.value.split("Set these variables first")[1].split("</p>")[0]
    )
    newest = lab.transcript.newest()
    fields = {each.attributes["name"]: each.text for each in areas(shown.value)}
    assert fields == {
        "curl": f"\n{as_curl(newest).introduced('api.datadoghq.com')}",
        "httpx": f"\n{as_httpx(newest).introduced('api.datadoghq.com')}",
    }
    assert tokens.access_token.reveal() not in held()


def areas(text: str) -> list[Any]:
    """Return the fields with code."""
    return read_html(text).all("textarea")


@pytest.mark.parametrize("part", ["purpose", "method", "url", "headers", "body", "answer"])
def test_what_comes_over_the_wire_stays_text(part: str) -> None:
    """Hostile text adds no element or handler, and the field contains the code unchanged."""
    parts: dict[str, Any] = {
        "purpose": {"purpose": HOSTILE},
        "method": {"method": HOSTILE},
        "url": {"url": f"https://api.datadoghq.com/{HOSTILE}?q={HOSTILE}"},
        "headers": {"request_headers": (("x", HOSTILE),), "response_headers": ((HOSTILE, "x"),)},
        "body": {"request_body": HOSTILE, "request_type": "application/x-www-form-urlencoded"},
        "answer": {"response_body": HOSTILE},
    }
    plain = {"purpose": "probe", "method": "GET", "url": "https://api.datadoghq.com/", "status": 1}
    exchange = Exchange(**{**plain, **parts[part]})
    text = exchange_html(exchange, number=1)
    assert tags(text) == tags(exchange_html(probe(1), number=1))
    curl, httpx = areas(text)
    assert curl.text.endswith(f"\n{as_curl(exchange).code}")
    assert httpx.text.endswith(f"\n{as_httpx(exchange).code}")
    for area in (curl, httpx):
        above = area.text.partition("\ncurl ")[0].partition("\nimport ")[0]
        assert all(line.startswith("# ") for line in above.strip("\n").split("\n"))
    assert "alert(1)" in unescape(text)


def tags(text: str) -> list[tuple[str, list[str]]]:
    """Return all elements in their order, with the names of their attributes."""
    return list(_tags(read_html(text)))


def _tags(element: Element) -> Iterator[tuple[str, list[str]]]:
    yield element.tag, list(element.attributes)
    for each in element.inside:
        yield from _tags(each)


def test_many_exchanges_come_page_by_page(lab: Lab) -> None:
    """The newest fifty are created first, the others on request."""
    for number in range(KEPT_EXCHANGES + 200):
        lab.transcript.add(Record(probe(number)))
    panel = TranscriptPanel(lab)
    made = [len(each.children) for each in panel._pages.children]
    assert made == [0] * (KEPT_EXCHANGES // PAGE - 1) + [PAGE]
    assert "/things/1199 " in page(panel).children[-1].value
    assert "951 to 1000 of 1000; choose other exchanges" in panel.status.value
    field(panel, "Exchanges").value = 0
    assert "/things/200 " in page(panel).children[0].value
    assert "Exchanges 1 to 50 of 1000" in panel.status.value


def test_new_ones_are_added_and_fold_nothing(lab: Lab) -> None:
    """A page keeps its widgets when old exchanges are dropped from the record."""
    for number in range(KEPT_EXCHANGES - 10):
        lab.transcript.add(Record(probe(number)))
    panel = TranscriptPanel(lab)
    last, before = page(panel), page(panel).children
    panel.update()
    assert page(panel).children == before
    for number in range(KEPT_EXCHANGES, KEPT_EXCHANGES + 20):
        lab.transcript.add(Record(probe(number)))
    panel.update()
    assert "/things/1019 " in page(panel).children[-1].value
    assert "1001 to 1010 of 1010" in panel.status.value
    field(panel, "Exchanges").value = KEPT_EXCHANGES // PAGE - 1
    assert page(panel) is last
    assert last.children[: len(before)] == before
    assert len(last.children) == PAGE


def test_a_gap_in_the_record_is_no_end(lab: Lab) -> None:
    """If all seen exchanges have been dropped, the current ones are shown after them."""
    lab.transcript.add(Record(probe(0)))
    panel = TranscriptPanel(lab)
    for number in range(1, KEPT_EXCHANGES + 50):
        lab.transcript.add(Record(probe(number)))
    panel.update()
    assert f"of {KEPT_EXCHANGES + 1};" in panel.status.value
    assert "/things/1049 " in page(panel).children[-1].value
