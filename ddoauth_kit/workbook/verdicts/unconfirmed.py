"""List unconfirmed verdicts with their evidence; sites with the same response share a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.workbook.verdicts.words_and_colours import GRAVITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ddoauth_kit.probing.verdict import ProbeResult


COLUMNS: Final = ("scope", "verdict", "sites", "call", "status", "evidence", "explained_by")


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A verdict other than confirmed, its evidence, and the sites where it was found.

    `call` is the method and path, or empty if nothing was sent.
    """

    scope: str
    verdict: Verdict
    sites: tuple[str, ...]
    call: str
    status: int | None
    evidence: str
    explained_by: tuple[str, ...]

    @property
    def said(self) -> str:
        """Return the status and evidence as one string."""
        return f"{self.status}: {self.evidence}" if self.status else self.evidence


def findings(results: Iterable[ProbeResult]) -> tuple[Unconfirmed, ...]:
    """Return the unconfirmed verdicts, worst first, then by scope."""
    sites: dict[tuple[Any, ...], list[str]] = {}
    for result in results:
        if result.verdict is not Verdict.CONFIRMED:
            sites.setdefault(_shared(result), []).append(result.site)
    found = [
        Unconfirmed(scope, verdict, tuple(places), *rest)
        for (scope, verdict, *rest), places in sites.items()
    ]
    return tuple(sorted(found, key=lambda finding: (GRAVITY.index(finding.verdict), finding.scope)))


def findings_rows(found: Iterable[Unconfirmed]) -> list[dict[str, Any]]:
    """Return one row for each finding, with the columns of `findings_frame`."""
    return [
        {
            "scope": f.scope,
            "verdict": str(f.verdict),
            "sites": " ".join(f.sites),
            "call": f.call,
            "status": f.status,
            "evidence": f.evidence,
            "explained_by": " ".join(f.explained_by),
        }
        for f in found
    ]


def findings_frame(found: Iterable[Unconfirmed]) -> pd.DataFrame:
    """Return one row for each finding.

    Columns: `scope`, `verdict`, `sites` (joined by spaces), `call`, `status` (Int64), `evidence`,
    `explained_by` (joined by spaces).
    """
    import pandas as pd

    return pd.DataFrame(findings_rows(found), columns=list(COLUMNS)).astype({"status": "Int64"})


def _shared(result: ProbeResult) -> tuple[Any, ...]:
    """Return everything that two results in one finding share, except the site."""
    return (
        result.scope,
        result.verdict,
        f"{result.method} {result.path}".strip(),
        result.status,
        result.evidence,
        result.explained_by,
    )
