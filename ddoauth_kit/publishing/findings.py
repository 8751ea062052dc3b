"""Describe a finding: the rule, the place, the problem and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddoauth_kit.publishing.rules import RULES

if TYPE_CHECKING:
    from ddoauth_kit.publishing.rules import Rule

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A file in the folder, and a line counted from 1 or None."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return plain(self.file) if self.line is None else f"{plain(self.file)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement for the characters from `start` to `end`; equal offsets insert text."""

    file: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One violation of a rule; `edits` fix it, or are empty if a fix would be a guess."""

    rule: Rule
    at: Place
    what: str
    fix: str
    edits: tuple[Edit, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the finding in the form that `--format json` shows."""
        return {
            "rule": self.rule.id,
            "severity": str(self.rule.severity),
            "source": self.rule.source,
            "file": self.at.file,
            "line": self.at.line,
            "what": self.what,
            "fix": self.fix,
            "mended_by_patch": bool(self.edits),
        }


def finding(
    rule: str, *, at: Place, what: str, fix: str, edits: tuple[Edit, ...] = ()
) -> RuleFinding:
    """Return a finding for the rule with the given id."""
    return RuleFinding(rule=RULES[rule], at=at, what=what, fix=fix, edits=edits)


def plain(name: str) -> str:
    """Return a file name, quoted and escaped if it could confuse a terminal."""
    return name if name.isascii() and name.isprintable() else ascii(name)


def quoted(value: object) -> str:
    """Return a value from a file in printable form: one line of ASCII, truncated if long."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
