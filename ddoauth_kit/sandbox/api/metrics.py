"""Metrics, in and out (Datadog API v2 series; v1 query; v1 and v2 lists)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.messages import json_answer
from ddoauth_kit.sandbox.http.payload import json_body, malformed, seconds_parameter
from ddoauth_kit.sandbox.state.received_data import Point

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

# Beyond this, a float can no longer distinguish whole numbers.
_MOST = 2.0**53

_QUERY = re.compile(
    r"(avg|sum|min|max):([A-Za-z][\w.]*)\{([^}]*)\}(?:\s*by\s*\{([^}]*)\})?(?:\.\w+\([^)]*\))*",
    re.ASCII,
)

# The metrics of an org that has not received any data.
SAMPLE = "sandbox.sample"


def submit_metrics(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Store v2 series; a resource of type host becomes a tag, as in Datadog."""
    body = json_body(incoming)
    series = body.get("series") if isinstance(body, dict) else None
    if not isinstance(series, list):
        raise malformed("The payload has no list called series.")
    points = [point for entry in series for point in _points(entry)]
    twin.telemetry[org.id].points.extend(points)
    return json_answer(202, {"errors": []})


def _points(entry: object) -> Iterable[Point]:
    if not isinstance(entry, dict) or not isinstance(entry.get("metric"), str):
        raise malformed("Each series needs a metric name.")
    tags = entry.get("tags") or []
    resources = entry.get("resources") or []
    points = entry.get("points")
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        raise malformed("Each series needs points with a timestamp and a value.")
    if not isinstance(tags, list) or not isinstance(resources, list):
        raise malformed("Tags and resources must be lists.")
    hosts = [
        f"host:{r.get('name')}"
        for r in resources
        if isinstance(r, dict) and r.get("type") == "host"
    ]
    all_tags = tuple(dict.fromkeys([*map(str, tags), *hosts]))
    for point in points:
        yield Point(entry["metric"], int(point["timestamp"]), float(point["value"]), all_tags)


def _is_point(point: object) -> bool:
    return isinstance(point, dict) and all(
        isinstance(point.get(key), (int, float)) and abs(point[key]) < _MOST
        for key in ("timestamp", "value")
    )


def query_metrics(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Answer the query `avg:name{tag:value} by {key}` from `from` to `to`, in epoch seconds."""
    parameters = incoming.parameters
    start = seconds_parameter(parameters, "from")
    end = seconds_parameter(parameters, "to")
    query = parameters.get("query", "")
    parsed = _QUERY.fullmatch(query.strip())
    if parsed is None:
        raise malformed(f"Error parsing query: unable to parse {query}")
    aggregator, metric, scope, group = parsed.groups()
    keys = [key.strip() for key in (group or "").split(",") if key.strip()]
    wanted = [tag.strip() for tag in scope.split(",") if tag.strip() not in {"", "*"}]
    groups: defaultdict[tuple[str, ...], list[Point]] = defaultdict(list)
    for point in twin.telemetry[org.id].points:
        if point.metric == metric and start <= point.timestamp <= end and _in(point, wanted):
            groups[_group(point, keys)].append(point)
    series = [
        _series(tags, points, aggregator=aggregator, wanted=wanted, metric=metric)
        for tags, points in sorted(groups.items())
    ]
    return json_answer(200, _query_body(query, start=start, end=end, series=series, keys=keys))


def _in(point: Point, wanted: list[str]) -> bool:
    return all((tag.lstrip("!") in point.tags) != tag.startswith("!") for tag in wanted)


def _group(point: Point, keys: list[str]) -> tuple[str, ...]:
    found = {tag.partition(":")[0]: tag for tag in point.tags}
    return tuple(found.get(key, f"{key}:N/A") for key in keys)


def _series(
    tags: tuple[str, ...], points: list[Point], *, aggregator: str, wanted: list[str], metric: str
) -> dict[str, Any]:
    values: defaultdict[int, list[float]] = defaultdict(list)
    for point in points:
        values[point.timestamp].append(point.value)
    pointlist = [
        [timestamp * 1000.0, _aggregate(aggregator, values[timestamp])]
        for timestamp in sorted(values)
    ]
    scope = ",".join([*wanted, *tags]) or "*"
    return {
        "unit": None,
        "query_index": 0,
        "aggr": aggregator,
        "metric": metric,
        "tag_set": list(tags),
        "expression": f"{aggregator}:{metric}{{{scope}}}",
        "scope": scope,
        "interval": 1,
        "length": len(pointlist),
        "start": int(pointlist[0][0]),
        "end": int(pointlist[-1][0]) + 999,
        "pointlist": pointlist,
        "display_name": metric,
        "attributes": {},
    }


def _aggregate(aggregator: str, values: list[float]) -> float:
    if aggregator == "avg":
        return sum(values) / len(values)
    if aggregator == "sum":
        return sum(values)
    return min(values) if aggregator == "min" else max(values)


def _query_body(
    query: str, *, start: int, end: int, series: list[dict[str, Any]], keys: list[str]
) -> dict[str, Any]:
    return {
        "status": "ok",
        "res_type": "time_series",
        "resp_version": 1,
        "query": query,
        "from_date": start * 1000,
        "to_date": end * 1000,
        "series": series,
        "values": [],
        "times": [],
        "message": "",
        "group_by": keys,
    }


def list_active_metrics(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """List the names of metrics that have had points since `from`."""
    parameters = incoming.parameters
    since = seconds_parameter(parameters, "from")
    host = parameters.get("host")
    wanted = [f"host:{host}"] if host else []
    names = {
        point.metric
        for point in twin.telemetry[org.id].points
        if point.timestamp >= since and _in(point, wanted)
    }
    return json_answer(200, {"from": str(since), "metrics": sorted(names)})


def list_tag_configurations(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """List all metrics of the org as resources; none of them has configured tags."""
    names = sorted({point.metric for point in twin.telemetry[org.id].points}) or [SAMPLE]
    return json_answer(200, {"data": [{"type": "metrics", "id": name} for name in names]})
