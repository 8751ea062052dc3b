"""Data sent to an org with an API key can be read back with a bearer token."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Partner

NOW = 1767225600  # The sandbox's clock starts here.


class Data:
    """One org's key and token, and the few calls that these tests make."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.token = partner.tokens()["access_token"]
        self.key = partner.make_key(self.token).json()["data"]["attributes"]["key"]

    def send(self, path: str, body: Any, **options: Any) -> Any:
        """Send a JSON body by key."""
        return self.partner.call(path, key=self.key, json=body, **options)

    def log(self, *logs: Any, **options: Any) -> Any:
        """Send logs by key."""
        return self.send("/api/v2/logs", list(logs), host="logs_intake_url", **options)

    def search(self, path: str, query: str, **settings: Any) -> list[dict[str, Any]]:
        """Return the attributes of what a search finds."""
        body = {"filter": {"query": query, **settings}}
        answer = self.partner.call(path, token=self.token, json=body)
        assert answer.status_code == 200, answer.text
        return [entry["attributes"] for entry in answer.json()["data"]]

    def logs(self, query: str, **settings: Any) -> list[str]:
        """Return the messages that a search finds."""
        return [a["message"] for a in self.search("/api/v2/logs/events/search", query, **settings)]

    def read(self, path: str, **query: Any) -> Any:
        """Read by token."""
        return self.partner.call(path, token=self.token, params=query)

    def query(self, text: str, start: int = NOW - 100, end: int = NOW + 100) -> Any:
        """Query metrics around the clock's start."""
        answer = self.read("/api/v1/query", query=text, **{"from": start, "to": end})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def data(partner: Partner) -> Data:
    """Give an org with a key and a token."""
    return Data(partner)


def point(metric: str, value: float, at: int = NOW, **more: Any) -> dict[str, Any]:
    """Describe a series of one point."""
    return {"metric": metric, "points": [{"timestamp": at, "value": value}], **more}


@pytest.mark.behaviour("intake-answers")
def test_intake_answers_as_recorded(data: Data) -> None:
    """Each intake endpoint returns 202 and its own body."""
    sent = data.send("/api/v2/series", {"series": [point("a", 1)]})
    assert (sent.status_code, sent.json()) == (202, {"errors": []})
    sent = data.log({"message": "hi"})
    assert (sent.status_code, sent.json()) == (202, {})
    check = {"check": "app.ok", "host_name": "web", "status": 0, "tags": ["a:b"]}
    sent = data.send("/api/v1/check_run", [check])
    assert (sent.status_code, sent.json()) == (202, {"status": "ok"})
    sent = data.send("/api/v1/events", {"title": "Deploy", "text": "v2"})
    assert (sent.status_code, sent.json()["status"]) == (202, "ok")
    assert sent.json()["event"]["url"].startswith("https://app.datadoghq.com/event/")


@pytest.mark.behaviour("read-back")
def test_query_aggregates_points(data: Data) -> None:
    """A query filters by tags, groups by keys and aggregates what has one time."""
    series = [
        point("shop.orders", 2, tags=["shop:a", "env:prod"]),
        point("shop.orders", 4, tags=["shop:b", "env:prod"]),
        point("shop.orders", 9, tags=["shop:c", "env:test"]),
        point("shop.orders", 5, at=NOW + 60, tags=["shop:a", "env:prod"]),
        point("shop.orders", 7, at=NOW + 900, tags=["shop:a", "env:prod"]),
        point("other", 1, resources=[{"type": "host", "name": "web"}]),
    ]
    data.send("/api/v2/series", {"series": series})
    body = data.query("avg:shop.orders{env:prod}")
    assert (body["status"], body["res_type"]) == ("ok", "time_series")
    assert (body["from_date"], body["to_date"]) == ((NOW - 100) * 1000, (NOW + 100) * 1000)
    [one] = body["series"]
    assert one["pointlist"] == [[NOW * 1000, 3.0], [(NOW + 60) * 1000, 5.0]]
    assert (one["metric"], one["scope"], one["aggr"]) == ("shop.orders", "env:prod", "avg")
    assert (one["length"], one["start"]) == (2, NOW * 1000)
    for aggregator, expected in (("sum", 15.0), ("min", 2.0), ("max", 9.0)):
        [one] = data.query(f"{aggregator}:shop.orders{{*}}")["series"]
        assert one["pointlist"][0][1] == expected
    body = data.query("sum:shop.orders{!env:test} by {shop}.as_count()")
    assert body["group_by"] == ["shop"]
    assert [s["tag_set"] for s in body["series"]] == [["shop:a"], ["shop:b"]]
    assert [s["scope"] for s in body["series"]] == ["!env:test,shop:a", "!env:test,shop:b"]
    assert len(data.query("avg:other{host:web}")["series"]) == 1
    assert data.query("avg:nothing{*}")["series"] == []


@pytest.mark.behaviour("read-back")
def test_metric_lists(data: Data) -> None:
    """Both lists name what was sent, the first one since a time and for a host."""
    host = [{"type": "host", "name": "web"}]
    series = [point("b", 1), point("a", 1, at=NOW - 500), point("c", 1, resources=host)]
    data.send("/api/v2/series", {"series": series})
    body = data.read("/api/v1/metrics", **{"from": NOW - 100}).json()
    assert body == {"from": str(NOW - 100), "metrics": ["b", "c"]}
    assert data.read("/api/v1/metrics", **{"from": 0, "host": "web"}).json()["metrics"] == ["c"]
    entries = data.read("/api/v2/metrics").json()["data"]
    assert entries == [{"type": "metrics", "id": name} for name in ("a", "b", "c")]


@pytest.mark.behaviour("read-back")
def test_log_search(data: Data) -> None:
    """Words, fields, tags, attributes and their negation find logs."""
    data.log(
        {
            "message": "payment failed",
            "service": "shop",
            "hostname": "web",
            "status": "error",
            "ddtags": "env:prod,team:a",
            "ddsource": "python",
            "order": 7,
        },
        {"message": "payment done", "service": "shop", "ddtags": "env:test"},
        {"message": "started"},
    )
    failed = ["payment failed"]
    for query in (
        "failed",
        "FAILED payment",
        '"payment failed"',
        "service:shop env:prod",
        "service:sh* AND -env:test",
        "host:web",
        "status:error",
        "source:python",
        "@order:7",
        "team:*",
    ):
        assert data.logs(query) == failed, query
    assert sorted(data.logs("service:shop")) == ["payment done", "payment failed"]
    assert len(data.logs("*")) == 3
    assert data.logs("service:other") == []
    assert data.logs("made up") == []


@pytest.mark.behaviour("read-back")
def test_log_times_order_and_pages(data: Data) -> None:
    """Searches read three ways to write a time, sort both ways and page by cursor."""
    entries = [{"message": str(n), "timestamp": (NOW - n * 60) * 1000} for n in range(5)]
    data.log(*entries)
    data.log({"message": "iso", "timestamp": "2025-12-31T23:50:30Z"})
    assert data.logs("*") == ["0", "1", "2", "3", "4", "iso"]
    assert data.logs("*", **{"from": "now-150s"}) == ["0", "1", "2"]
    assert data.logs("*", to="2025-12-31T23:57:30+00:00") == ["3", "4", "iso"]
    assert data.logs("*", to=str((NOW - 230) * 1000)) == ["4", "iso"]
    assert data.logs("*", **{"from": "now-2h", "to": "now-5m"}) == ["iso"]
    path, body = "/api/v2/logs/events/search", {"sort": "timestamp", "page": {"limit": 4}}
    first = data.partner.call(path, token=data.token, json=body).json()
    assert [e["attributes"]["message"] for e in first["data"]] == ["iso", "4", "3", "2"]
    cursor = first["meta"]["page"]["after"]
    body = {"sort": "timestamp", "page": {"limit": 4, "cursor": cursor}}
    second = data.partner.call(path, token=data.token, json=body).json()
    assert [e["attributes"]["message"] for e in second["data"]] == ["1", "0"]
    assert "page" not in second["meta"]
    empty = data.partner.call(path, token=data.token, method="POST")
    assert len(empty.json()["data"]) == 6


def test_logs_come_as_text_one_by_one_or_packed(data: Data) -> None:
    """A single object, lines of text, and both compressions are taken."""
    url = {"path": "/api/v2/logs", "host": "logs_intake_url", "key": data.key}
    one = json.dumps({"message": "packed"}).encode()
    assert data.partner.call(**url, json={"message": "single"}).status_code == 202
    text = {"Content-Type": "text/plain"}
    sent = data.partner.call(**url, content="first\n\nsecond\n", headers=text)
    assert sent.status_code == 202
    for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        headers = {"Content-Encoding": name, "Content-Type": "application/json"}
        assert data.partner.call(**url, content=pack(one), headers=headers).status_code == 202
    assert sorted(data.logs("*")) == ["first", "packed", "packed", "second", "single"]
    shared = data.partner.call(**url, json={"message": "x"}, params={"ddtags": "a:b"})
    assert shared.status_code == 202
    assert data.logs("a:b") == ["x"]


@pytest.mark.behaviour("read-back")
def test_events_in_three_ways(data: Data) -> None:
    """One event is found by the v1 list, the v2 list and the search."""
    body = {"title": "Deploy", "text": "version 2", "tags": ["env:prod"], "alert_type": "warning"}
    event = data.send("/api/v1/events", body).json()["event"]
    data.send("/api/v1/events", {"title": "Other", "text": "t", "priority": "low"})
    found = data.read("/api/v1/events", start=NOW - 10, end=NOW + 10, tags="env:prod").json()
    assert found["events"] == [event]
    found = data.read("/api/v1/events", start=NOW - 10, end=NOW + 10, priority="low").json()
    assert [e["title"] for e in found["events"]] == ["Other"]
    assert data.read("/api/v1/events", start=0, end=10).json()["events"] == []
    listed = data.read("/api/v2/events", **{"filter[query]": "env:prod", "filter[from]": "now-1h"})
    searched = data.search("/api/v2/events/search", "source:api version")
    assert [e["attributes"] for e in listed.json()["data"]] == searched
    assert searched[0]["attributes"]["title"] == "Deploy"
    assert searched[0]["message"] == "version 2"
    limited = data.read("/api/v2/events", **{"page[limit]": 1, "sort": "-timestamp"}).json()
    assert len(limited["data"]) == 1
    assert limited["meta"]["page"]["after"]


@pytest.mark.behaviour("sample-telemetry")
def test_samples_give_way(data: Data) -> None:
    """An org that was sent nothing lists one metric and one event, until it is sent some."""
    assert len(data.read("/api/v2/metrics").json()["data"]) == 1
    [event] = data.read("/api/v2/events").json()["data"]
    assert event["attributes"]["attributes"]["title"] == "Sandbox sample"
    assert data.read("/api/v2/events", **{"filter[query]": "*"}).json()["data"] == []
    data.send("/api/v1/events", {"title": "Deploy", "text": "1"})
    [event] = data.read("/api/v2/events").json()["data"]
    assert event["attributes"]["attributes"]["title"] == "Deploy"


@pytest.mark.behaviour("event-too-old")
def test_old_event_is_refused_as_text(data: Data) -> None:
    """Datadog sends this JSON as plain text."""
    body = {"title": "a", "text": "b", "date_happened": NOW - 19 * 3600}
    answer = data.send("/api/v1/events", body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/plain"
    assert answer.json() == {"errors": ["Event too far in the past"]}


@pytest.mark.behaviour("malformed-request")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v2/series", b"{"),
        ("/api/v2/series", b"[" * 100_000),
        ("/api/v2/series", b"[]"),
        ("/api/v2/series", b'{"series":{}}'),
        ("/api/v2/series", b'{"series":[{"points":[]}]}'),
        ("/api/v2/series", b'{"series":[{"metric":"a","points":[{"timestamp":"x"}]}]}'),
        ("/api/v2/series", b'{"series":[{"metric":"a","points":[{"timestamp":1,"value":NaN}]}]}'),
        ("/api/v2/series", b'{"series":[{"metric":"a","tags":"x","points":[]}]}'),
        ("/api/v1/events", b'{"title":"a"}'),
        ("/api/v1/events", b"[]"),
        ("/api/v1/events", b'{"title":"a","text":"b","date_happened":"now"}'),
        ("/api/v1/events", b'{"title":"a","text":"b","date_happened":1e300}'),
        ("/api/v1/events", b'{"title":"a","text":"b","alert_type":"nonsense"}'),
        ("/api/v1/check_run", b'[{"check":"a","host_name":"b","status":9}]'),
        ("/api/v1/check_run", b'{"check":"a","status":0}'),
    ],
)
def test_malformed_intake_is_refused(data: Data, path: str, body: bytes) -> None:
    """A body without sense gets 400 and a list of errors, and stores nothing."""
    headers = {"Content-Type": "application/json"}
    answer = data.partner.call(path, key=data.key, content=body, headers=headers)
    assert answer.status_code == 400
    assert isinstance(answer.json()["errors"][0], str)
    names = [metric["id"] for metric in data.read("/api/v2/metrics").json()["data"]]
    assert names == ["sandbox.sample"]


@pytest.mark.behaviour("malformed-log")
@pytest.mark.parametrize("body", [b"{", b'"text"', b"[1]", b'{"message":NaN}'])
def test_malformed_log_is_refused(data: Data, body: bytes) -> None:
    """The log intake has its own error format."""
    options = {"headers": {"Content-Type": "application/json"}, "host": "logs_intake_url"}
    answer = data.partner.call("/api/v2/logs", key=data.key, content=body, **options)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["status"], error["title"]) == ("400", "Bad Request")
    assert error["detail"]


@pytest.mark.behaviour("malformed-log")
def test_too_many_logs_are_refused(data: Data) -> None:
    """A thousand logs fit into one request and no more."""
    assert data.log(*[{"message": "a"}] * 1001).status_code == 413
    assert data.log(*[{"message": "a"}] * 1000).status_code == 202


@pytest.mark.behaviour("body-limit")
def test_packed_body_cannot_grow_past_the_limit(data: Data) -> None:
    """A small body that unpacks to more than 5 MB is refused, as is a false one."""
    options = {"host": "logs_intake_url", "key": data.key}
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    bomb = gzip.compress(b" " * 6_000_000)
    answer = data.partner.call("/api/v2/logs", content=bomb, headers=headers, **options)
    assert answer.status_code == 413
    answer = data.partner.call("/api/v2/logs", content=b"{}", headers=headers, **options)
    assert answer.status_code == 400
    headers["Content-Encoding"] = "br"
    answer = data.partner.call("/api/v2/logs", content=b"{}", headers=headers, **options)
    assert answer.status_code == 400


@pytest.mark.behaviour("malformed-request")
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/query", {"from": "1", "to": "2"}),
        ("/api/v1/query", {"from": "1", "to": "2", "query": "made up"}),
        ("/api/v1/query", {"from": "x", "to": "2", "query": "avg:a{*}"}),
        ("/api/v1/query", {"query": "avg:a{*}"}),
        ("/api/v1/metrics", {}),
        ("/api/v1/events", {"start": "1"}),
        ("/api/v2/events", {"filter[from]": "yesterday"}),
        ("/api/v2/events", {"page[limit]": "0"}),
        ("/api/v2/events", {"page[limit]": "x"}),
        ("/api/v2/events", {"page[cursor]": "%%%"}),
    ],
)
def test_malformed_parameters_are_refused(data: Data, path: str, query: dict[str, str]) -> None:
    """A read that makes no sense gets 400 and a text."""
    answer = data.read(path, **query)
    assert answer.status_code == 400
    assert isinstance(answer.json()["errors"][0], str)


@pytest.mark.behaviour("malformed-request")
@pytest.mark.parametrize("path", ["/api/v2/logs/events/search", "/api/v2/events/search"])
@pytest.mark.parametrize("body", ["[]", '{"filter":[1]}', '{"page":"x"}', "{", '"a"'])
def test_malformed_searches_are_refused(data: Data, path: str, body: str) -> None:
    """A search with an invalid body gets 400."""
    headers = {"Content-Type": "application/json"}
    answer = data.partner.call(path, token=data.token, content=body, headers=headers)
    assert answer.status_code == 400


def test_strange_text_comes_back(data: Data) -> None:
    """Half a surrogate pair and other odd text do not break later searches."""
    options = {"headers": {"Content-Type": "application/json"}, "host": "logs_intake_url"}
    body = b'{"message":"odd \\ud800 \\u0000","x":{"y":[1,null,"\\ud800"]}}'
    sent = data.partner.call("/api/v2/logs", key=data.key, content=body, **options)
    assert sent.status_code == 202
    assert len(data.logs("odd")) == 1
