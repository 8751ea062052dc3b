"""Report what changed between two runs, and whether it got better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Final

from ddoauth_kit.probing.verdict import PROBLEMS, Verdict
from ddoauth_kit.workbook.show.result_table import ResultTable
from ddoauth_kit.workbook.verdicts.matrix import chip, scope_html
from ddoauth_kit.workbook.verdicts.saved_results import report_of
from ddoauth_kit.workbook.verdicts.style import ROOT, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.probing.verdict import ProbeResult
    from ddoauth_kit.workbook.verdicts.saved_results import Source

    Found = Mapping[tuple[str, str], ProbeResult]


class Meaning(StrEnum):
    """The meaning of a change; changes are listed in this order.

    `changed` means that neither verdict is better. `gone` means that the later run did not probe
    this scope on this site.
    """

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"


_ORDER: Final = tuple(Meaning)


@dataclass(frozen=True, slots=True)
class Change:
    """A changed verdict for one scope on one site; None means that a run doesn't have this verdict.

    `evidence` comes from the later run.
    """

    site: str
    scope: str
    before: Verdict | None
    after: Verdict | None
    meaning: Meaning
    evidence: str


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """All changes, worse ones first.

    `compared` is the number of verdicts in both runs. `complete` is false if a run was cancelled;
    new or gone verdicts may then just be missing.
    """

    changes: tuple[Change, ...]
    compared: int
    complete: bool = True

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def table(self) -> ResultTable:
        """Return the changes: `site`, `scope`, `before`, `after`, `meaning`, `evidence`."""
        return ResultTable("verdict_changes", [_row(change) for change in self.changes])

    @property
    def headline(self) -> str:
        """Summarize the changes in one sentence."""
        counts = [sum(c.meaning is meaning for c in self.changes) for meaning in _ORDER]
        named = [f"{n} {meaning}" for n, meaning in zip(counts, _ORDER, strict=True) if n]
        cut = (
            ""
            if self.complete
            else (
                " A run was cancelled, so verdicts that look new or gone may just be missing from "
                "it."
            )
        )
        return f"Of {self.compared} verdicts in both runs: {', '.join(named) or 'no change'}.{cut}"

    def text(self) -> str:
        """Return the headline and a table."""
        return f"{self.headline}\n\n{self.table.text()}" if self.changes else self.headline

    def html(self) -> str:
        """Return the headline and a table, including the necessary style."""
        return f'<div class="{ROOT}">{style()}{self.body()}</div>'

    def body(self) -> str:
        """Return the headline and table for a page that already has the style."""
        headline = f"<p>{escape(self.headline)}</p>"
        if not self.changes:
            return headline
        names = ("scope", "site", "before", "after", "meaning", "evidence now")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        rows = "".join(map(_html_row, self.changes))
        table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        return f'{headline}<table class="long">{table}</table>'

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def difference(earlier: Source, later: Source) -> Difference:
    """Compare two runs, each a report, a frame, rows or the path of a saved JSON or CSV file.

    Raises:
        InputError: `bad_probe_rows` if something does not contain probe results.
    """
    reports = report_of(earlier), report_of(later)
    before, after = ({(r.site, r.scope): r for r in report.results} for report in reports)
    changes = [
        _change(place, before, after)
        for place in dict.fromkeys((*after, *before))
        if place not in before
        or place not in after
        or before[place].verdict is not after[place].verdict
    ]
    return Difference(
        changes=tuple(sorted(changes, key=lambda change: _ORDER.index(change.meaning))),
        compared=len(before.keys() & after.keys()),
        complete=all(report.complete for report in reports),
    )


def _change(place: tuple[str, str], before: Found, after: Found) -> Change:
    old, new = before.get(place), after.get(place)
    return Change(
        site=place[0],
        scope=place[1],
        before=old.verdict if old else None,
        after=new.verdict if new else None,
        meaning=_meaning(old, new),
        evidence=new.evidence if new else "",
    )


def _meaning(old: ProbeResult | None, new: ProbeResult | None) -> Meaning:
    if old is None or new is None:
        return Meaning.NEW if old is None else Meaning.GONE
    rise = _worth(new.verdict) - _worth(old.verdict)
    if rise == 0:
        return Meaning.CHANGED
    return Meaning.BETTER if rise > 0 else Meaning.WORSE


def _worth(verdict: Verdict) -> int:
    """Return how good a verdict is; all verdicts that say nothing about the scope are equal."""
    if verdict in PROBLEMS:
        return 0
    return {Verdict.CONFIRMED: 3, Verdict.LET_THROUGH: 2}.get(verdict, 1)


def _row(change: Change) -> dict[str, str]:
    return {
        "site": change.site,
        "scope": change.scope,
        "before": str(change.before or ""),
        "after": str(change.after or ""),
        "meaning": str(change.meaning),
        "evidence": change.evidence,
    }


def _html_row(change: Change) -> str:
    verdicts = "".join(
        f'<td class="mark">{chip(verdict) if verdict else "none"}</td>'
        for verdict in (change.before, change.after)
    )
    return (
        f'<tr><th scope="row">{scope_html(change.scope)}</th>'
        f'<td class="fix">{escape(change.site)}</td>'
        f"{verdicts}<td>{change.meaning}</td><td>{escape(change.evidence)}</td></tr>"
    )
