"""Hold what a check found, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Say how much a finding matters: only a problem is one."""

    OK = "ok"
    NOTE = "note"
    UNKNOWN = "unknown"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one check: what was looked at, what was found, and what to do; nothing secret."""

    check: str
    status: Status
    found: str
    next_step: str = ""


def ok(check: str, found: str) -> Finding:
    """Return a finding without a next step."""
    return Finding(check, Status.OK, found)


def note(check: str, found: str, next_step: str = "") -> Finding:
    """Return a finding that is good to know."""
    return Finding(check, Status.NOTE, found, next_step)


def unknown(check: str, found: str, next_step: str) -> Finding:
    """Return a finding about what could not be found out."""
    return Finding(check, Status.UNKNOWN, found, next_step)


def problem(check: str, found: str, next_step: str) -> Finding:
    """Return a finding that something will not work, or is not safe."""
    return Finding(check, Status.PROBLEM, found, next_step)
