"""The result of a check, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    UNKNOWN = "unknown"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, without secrets: what was checked, what was found, and what to do."""

    check: str
    status: Status
    found: str
    next_step: str = ""


def ok(check: str, found: str) -> Finding:
    """Return a finding without a next step."""
    return Finding(check, Status.OK, found)


def note(check: str, found: str, next_step: str = "") -> Finding:
    """Return a finding that is purely informational."""
    return Finding(check, Status.NOTE, found, next_step)


def unknown(check: str, found: str, next_step: str) -> Finding:
    """Return a finding about something that could not be determined."""
    return Finding(check, Status.UNKNOWN, found, next_step)


def problem(check: str, found: str, next_step: str) -> Finding:
    """Return a finding about something that won't work or isn't safe."""
    return Finding(check, Status.PROBLEM, found, next_step)
