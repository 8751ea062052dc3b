"""Summarize how long each site took to respond; the numbers differ in every run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Final

from ddoauth_kit.workbook.show.result_table import ResultTable
from ddoauth_kit.workbook.verdicts.svg import Drawing, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.probing.probe_report import ProbeReport

_TENTH: Final = 0.9
_SHOWN: Final = ("median_ms", "p90_ms", "max_ms")
# All lengths are in points, from the top left corner.
_WIDTH: Final = 560.0
_LINE: Final = 20.0
_TOP: Final = 34.0
_LEFT: Final = 70.0
_BARS: Final = 330.0
_BAR: Final = "#5b9bd1"
_REACH: Final = "#7a8694"


@dataclass(frozen=True, slots=True)
class Latency:
    """The number of calls that a site answered, and their wall times in milliseconds.

    `p90_ms` is the time within which nine out of ten calls were answered (nearest rank). The times
    are None if no call was answered.
    """

    site: str
    count: int
    median_ms: float | None
    p90_ms: float | None
    max_ms: float | None


def latencies(report: ProbeReport) -> tuple[Latency, ...]:
    """Return each site's latency, in order; calls without a response are omitted."""
    return tuple(
        _latency(
            site,
            sorted(r.seconds * 1000 for r in report.results if r.site == site and r.status),
        )
        for site in report.sites
    )


def latency_table(report: ProbeReport) -> ResultTable:
    """Return one row per site: `site`, `count`, and `median_ms`, `p90_ms`, `max_ms`.

    The times are volatile: `table.text(everything=True)` shows them, but a stored output does not.
    """
    return ResultTable("latency", [asdict(each) for each in latencies(report)], volatile=_SHOWN)


def latency_picture(report: ProbeReport) -> Picture:
    """Return bars up to the median, with lines up to the 90th percentile, as SVG."""
    measured = latencies(report)
    text = latency_table(report).text(everything=True)
    drawing = Drawing(_WIDTH, _TOP + _LINE * len(measured) + 10)
    _draw(drawing, measured)
    svg = drawing.svg(title="Latency by site", description=text.replace("\n", "; "))
    return Picture(svg=svg, text=text)


def _latency(site: str, times: Sequence[float]) -> Latency:
    if not times:
        return Latency(site, 0, None, None, None)
    p90 = times[ceil(_TENTH * len(times)) - 1]
    return Latency(site, len(times), *(round(ms, 1) for ms in (median(times), p90, times[-1])))


def _draw(drawing: Drawing, measured: Sequence[Latency]) -> None:
    longest = max((each.p90_ms or 0.0 for each in measured), default=0.0) or 1.0
    said = "Milliseconds per call: bars show the median, lines the 90th percentile"
    drawing.text(12, 18, said, size=9)
    for number, each in enumerate(measured):
        middle = _TOP + (number + 0.5) * _LINE
        drawing.text(12, middle + 3, each.site, size=9)
        drawing.text(_LEFT + _BARS + 8, middle + 3, _in_words(each), size=8)
        if each.median_ms is not None and each.p90_ms is not None:
            _bar(drawing, middle, half=5, ends=(0.0, each.median_ms / longest), colour=_BAR)
            ends = each.median_ms / longest, each.p90_ms / longest
            _bar(drawing, middle, half=1, ends=ends, colour=_REACH)


def _bar(
    drawing: Drawing, middle: float, *, half: float, ends: tuple[float, float], colour: str
) -> None:
    """Draw a bar between two shares of the full length."""
    left, right = (_LEFT + end * _BARS for end in ends)
    drawing.rectangle(left, middle - half, right - left, 2 * half, colour=colour)


def _in_words(each: Latency) -> str:
    if each.median_ms is None:
        return "no answer"
    return f"{each.median_ms:.0f}, {each.p90_ms:.0f}, at most {each.max_ms:.0f} ({each.count})"
