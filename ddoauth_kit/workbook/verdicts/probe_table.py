"""Turn a probe report into a tidy DataFrame, and saved rows back into a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.probe import Flow
from ddoauth_kit.probing.probe_report import Baseline, ProbeReport
from ddoauth_kit.probing.verdict import ProbeResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

COLUMNS: Final = (
    "site",
    "scope",
    "area",
    "flow",
    "verdict",
    "method",
    "path",
    "status",
    "seconds",
    "evidence",
    "explained_by",
)
_NEEDED: Final = ("site", "scope", "verdict")
_NO_ANSWER: Final = frozenset({Verdict.FAILED, Verdict.NOT_TRIED})
_UNKNOWN: Final = "Saved rows don't include a baseline."


def verdict_rows(report: ProbeReport) -> list[dict[str, Any]]:
    """Return one flat row for each site and scope, with the columns of `verdict_frame`."""
    return [
        {**result.as_dict(), "explained_by": " ".join(result.explained_by)}
        for result in report.results
    ]


def verdict_frame(report: ProbeReport) -> pd.DataFrame:
    """Return one row for each site and scope, in the report's order.

    Columns: `site`, `scope`, `area` (of the product), `flow` (`data out`, `data in`, `edit`),
    `verdict` (a value of `Verdict`), `method`, `path`, `status` (Int64, missing without a
    response), `seconds` (of the call), `evidence`, `explained_by` (other granted scopes that would
    open the call, joined by spaces).
    """
    import pandas as pd

    frame = pd.DataFrame(verdict_rows(report), columns=list(COLUMNS))
    texts = dict.fromkeys(set(COLUMNS) - {"status", "seconds"}, "str")
    return frame.astype({**texts, "status": "Int64", "seconds": "float64"})


def report_from_rows(rows: Iterable[Mapping[str, Any]] | pd.DataFrame) -> ProbeReport:
    """Rebuild the report from saved rows, so that it can be shown and compared again.

    Rows need `site`, `scope` and `verdict`; other columns may be missing, and unknown columns are
    ignored. Rows don't contain baselines, so a site counts as alive if any of its calls got a
    response.

    Raises:
        InputError: `bad_probe_rows`, with the row.
    """
    results: dict[tuple[str, str], ProbeResult] = {}
    for number, row in enumerate(_as_mappings(rows), start=1):
        result = _result(row, number)
        if (result.site, result.scope) in results:
            raise _bad(number, f"{result.scope} on {result.site} occurs twice")
        results[result.site, result.scope] = result
    sites = dict.fromkeys(site for site, _ in results)
    return ProbeReport(
        results=tuple(results.values()),
        baselines=tuple(_baseline(site, results.values()) for site in sites),
    )


def _as_mappings(rows: Iterable[Mapping[str, Any]] | pd.DataFrame) -> Iterable[Any]:
    """Return a frame's rows as mappings, without loading pandas for other values."""
    from_pandas = getattr(rows, "to_dict", None)
    found: Iterable[Any] = from_pandas(orient="records") if from_pandas else rows
    return found


def _result(row: Mapping[str, Any], number: int) -> ProbeResult:
    if not hasattr(row, "keys"):
        raise _bad(number, "it is not an object with columns")
    if missing := [name for name in _NEEDED if not _text(row.get(name))]:
        raise _bad(number, f"it has no {missing[0]}")
    try:
        return ProbeResult(
            site=_text(row["site"]),
            scope=_text(row["scope"]),
            area=_text(row.get("area")),
            flow=Flow(_text(row.get("flow")) or Flow.OUT),
            verdict=Verdict(_text(row["verdict"])),
            method=_text(row.get("method")),
            path=_text(row.get("path")),
            status=int(status) if (status := _number(row.get("status"))) is not None else None,
            seconds=_number(row.get("seconds")) or 0.0,
            evidence=_text(row.get("evidence")),
            explained_by=_names(row.get("explained_by")),
        )
    except (ValueError, OverflowError) as error:
        raise _bad(number, str(error)) from None


def _bad(number: int, why: str) -> InputError:
    return InputError("bad_probe_rows", f"Row {number} of the saved probe results: {why}.")


def _baseline(site: str, results: Iterable[ProbeResult]) -> Baseline:
    alive = any(r.verdict not in _NO_ANSWER for r in results if r.site == site)
    return Baseline(site=site, alive=alive, status=None, evidence=_UNKNOWN)


def _is_missing(value: object) -> bool:
    """Detect None, an empty CSV cell, and pandas' own marks (which don't equal themselves)."""
    return value is None or str(value) in {"", "nan", "<NA>"}


def _text(value: object) -> str:
    return "" if _is_missing(value) else str(value)


def _number(value: Any) -> float | None:  # noqa: ANN401 - JSON, CSV and pandas have their own
    return None if _is_missing(value) else float(value)


def _names(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, (list, tuple)) else _text(value).split()
    return tuple(str(name) for name in names)
