"""Time things fairly: side by side, interleaved, with minimum, median and maximum."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def interleaved(subjects: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, str]:
    """Run each subject once a round, and return its milliseconds as `median [min-max]`."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            started = time.perf_counter()
            subject()
            taken[name].append((time.perf_counter() - started) * 1000)
    return {name: summary(times) for name, times in taken.items()}


def summary(values: list[float], *, digits: int = 0) -> str:
    """Return `median [min-max]`."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
