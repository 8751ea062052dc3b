"""Show the progress of probing: a bar in a notebook or terminal, plain lines in CI."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, suppress
from html import escape
from typing import TYPE_CHECKING, Final

from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit.probing.probe_run import ProbeProgress

    Watch = Callable[[ProbeProgress], None]

STEPS: Final = 10
# A thousand updates would keep the notebook's runner busy for longer than the probes take.
BLINK: Final = 0.2


@contextmanager
def progress_for(scopes: int, *, sites: int) -> Iterator[Watch]:
    """Return a function that shows each new result, wherever this runs."""
    title = f"Probing {counted(scopes, 'scope')} on {counted(sites, 'site')}"
    if _in_notebook():
        with _notebook_bar(title) as watch:
            yield watch
    elif sys.stderr is not None and sys.stderr.isatty():
        with _terminal_bar(title, total=scopes * sites) as watch:
            yield watch
    else:
        yield _plain_lines(title)


@contextmanager
def _notebook_bar(title: str) -> Iterator[Watch]:
    """Show a bar during probing, then leave only the title, so that nothing partial is stored."""
    from IPython.display import display

    handle = display(_Bar(title), display_id=True)  # type: ignore[no-untyped-call]
    shown = time.monotonic()

    def show(progress: ProbeProgress) -> None:
        nonlocal shown
        if time.monotonic() - shown >= BLINK:
            shown = time.monotonic()
            handle.update(_Bar(title, progress))

    try:
        yield show
    finally:
        handle.update(_Bar(title))


class _Bar:
    """A title and the progress of a run."""

    def __init__(self, title: str, progress: ProbeProgress | None = None) -> None:
        self._title = title
        self._progress = progress

    def __repr__(self) -> str:
        done = f": {self._progress.done} of {self._progress.total}" if self._progress else "."
        return self._title + done

    def _repr_html_(self) -> str:
        if self._progress is None:
            return escape(repr(self))
        values = f'value="{self._progress.done}" max="{self._progress.total}"'
        label = escape(repr(self))
        return f'<label>{label} <progress aria-label="{label}" {values}></progress></label>'


@contextmanager
def _terminal_bar(title: str, *, total: int) -> Iterator[Watch]:
    from tqdm import tqdm

    with tqdm(total=total, desc=title, unit="scope", leave=False) as bar:
        yield lambda progress: bar.update(progress.done - bar.n)


def _plain_lines(title: str) -> Watch:
    def say(progress: ProbeProgress) -> None:
        step = max(1, progress.total // STEPS)
        if sys.stderr is not None and (
            progress.done % step == 0 or progress.done == progress.total
        ):
            line = f"{title}: {progress.done} of {progress.total}"
            with suppress(OSError):  # a full stderr stops no probe
                print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress

    return say


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")
