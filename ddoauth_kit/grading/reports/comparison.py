"""Compare a grading report with an earlier one that `--out` wrote."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.results import GRAVITY, Grade, Verdict
from ddoauth_kit.grading.settings import SettingsError
from ddoauth_kit.masking.redaction import redact
from ddoauth_kit.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ddoauth_kit.grading.results import GradeReport

REPORT: Final = "grade.json"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,60}")
_LONGEST: Final = 500
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """One change; a verdict of None means that the run did not include the requirement."""

    id: str
    before: Verdict | None
    after: Verdict | None

    @property
    def line(self) -> str:
        """Describe the change and its direction."""
        before, after = (each.words if each else "not there" for each in (self.before, self.after))
        return f"{self.id}: {before} -> {after}{self._direction()}"

    def _direction(self) -> str:
        if self.before is None or self.after is None:
            return ""
        better = GRAVITY.index(self.after) > GRAVITY.index(self.before)
        return f" ({'better' if better else 'worse'})"


def read_verdicts(folder: Path) -> Mapping[str, Verdict]:
    """Return the verdicts in an earlier report by id.

    Raises:
        SettingsError: `not_a_grade`.
    """
    path = folder / REPORT
    try:
        found = json.loads(path.read_text("utf-8"))["verdicts"]
        return {_id(str(each["id"])): Verdict(each["verdict"]) for each in found}
    except _UNREADABLE as error:
        raise _not_a_grade(path, error) from None


def _id(text: str) -> str:
    """Return a requirement's id; in a file from another program, it could be anything."""
    if not _ID.fullmatch(text):
        raise ValueError("not an id")
    return text


def read_headline(folder: Path) -> tuple[Grade, str]:
    """Return the grade and headline of an earlier report.

    Raises:
        SettingsError: `not_a_grade`.
    """
    path = folder / REPORT
    try:
        found = json.loads(path.read_text("utf-8"))
        return Grade(found["grade"]), one_line(redact(str(found["headline"])[:_LONGEST]))
    except _UNREADABLE as error:
        raise _not_a_grade(path, error) from None


def _not_a_grade(path: Path, error: Exception) -> SettingsError:
    return SettingsError(
        "not_a_grade",
        f"{path} is not the report of a grading ({type(error).__name__}). Name a folder that "
        "`ddoauth grade --out` wrote.",
    )


def changes(report: GradeReport, earlier: Mapping[str, Verdict]) -> tuple[VerdictChange, ...]:
    """Return the verdicts that changed, were added or were removed."""
    now = {result.requirement.id: result.verdict for result in report.results}
    names = dict.fromkeys([*now, *earlier])
    pairs = (VerdictChange(name, earlier.get(name), now.get(name)) for name in names)
    return tuple(each for each in pairs if each.before is not each.after)
