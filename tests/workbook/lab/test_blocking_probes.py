"""A cell can wait for probes, show their progress, and interrupt them."""

from __future__ import annotations

import _thread
import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

from support.builders import NOW, kept_grant, tokens
from support.loopback import Answer
from support.probed import ALL, answer_some, probing_threads

from ddoauth_kit.probing.probe_run import Probing
from ddoauth_kit.probing.prober import ProbeTarget
from ddoauth_kit.workbook.lab import blocking_probes
from ddoauth_kit.workbook.lab.blocking_probes import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from support.loopback import Arrived, RecordingServer

    from ddoauth_kit import Site
    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.probe_run import ProbeProgress

    Serve = Callable[..., RecordingServer]


def _target(site: Site, *scopes: str) -> ProbeTarget:
    grant = kept_grant(tokens(site=site, refresh_token=None))
    return ProbeTarget(site=site, scopes=scopes or ("monitors_read",), grant=grant)


def test_an_interrupt_returns_what_was_found(serve: Serve) -> None:
    """Ctrl-C in a cell ends probing, and the cell still has its rows."""
    server = answer_some(serve, 30)

    def watch(progress: ProbeProgress) -> None:
        if progress.done == 12:
            _thread.interrupt_main()

    probing = Probing([_target(server.site, *ALL)], now=NOW, watch=watch)
    report = run_blocking(probing)
    assert 12 <= len(report.results) < len(ALL)
    assert not report.complete
    assert probing_threads() == set()


def test_an_interrupt_while_waiting(serve: Serve) -> None:
    """This also holds if no result arrives and the caller only waits."""
    over, waited = threading.Event(), []

    def respond(arrived: Arrived) -> Answer:
        if "user" not in arrived.target:
            _thread.interrupt_main()
            waited.append(over.wait(60))
        return Answer()

    server = serve(respond=respond)
    report = run_blocking(Probing([_target(server.site)], now=NOW))
    assert waited == [], "no response had arrived"
    over.set()
    assert not report.complete
    assert probing_threads() == set()


def test_an_interrupt_at_the_start(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come before the cell waits for anything, and still ends probing."""

    class Interrupted(threading.Thread):
        def start(self) -> None:
            super().start()
            raise KeyboardInterrupt

    monkeypatch.setattr(blocking_probes, "threading", SimpleNamespace(Thread=Interrupted))
    server = answer_some(serve, 0)
    report = run_blocking(Probing([_target(server.site, *ALL)], now=NOW))
    assert not report.complete
    assert probing_threads() == set()


def test_in_a_cell_with_a_running_loop(serve: Serve) -> None:
    """A plain call works inside a running loop, and shows progress in the caller's thread."""
    server = serve(Answer("[]"))
    threads: set[int] = set()

    def watch(_progress: ProbeProgress) -> None:
        threads.add(threading.get_ident())

    async def cell() -> ProbeReport:
        return run_blocking(Probing([_target(server.site)], now=NOW, watch=watch))

    assert asyncio.run(cell()).complete
    assert threads == {threading.get_ident()}
