"""Code that normally needs threads works in a process that can't start any."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import pytest

from ddoauth_kit import without_threads
from ddoauth_kit.without_threads import apart, pause, threads_exist
from ddoauth_kit.workbook.lab.without_sockets import sockets_exist

# A stack larger than any address space: the system refuses each thread.
NO_THREADS = "import threading; threading.stack_size(1 << 46)\n"


def _in_a_process_without_threads(code: str) -> str:
    command = [sys.executable, "-c", NO_THREADS + textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_this_process_has_both() -> None:
    """Here are threads and sockets."""
    assert threads_exist()
    assert sockets_exist()


@pytest.mark.parametrize("platform", [sys.platform, "emscripten"])
def test_a_pause_takes_its_time(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits as long as requested, even in a tab, where no other code runs meanwhile."""
    if platform == "emscripten":
        clock = SimpleNamespace(perf_counter=time.perf_counter)  # it has no sleep
        monkeypatch.setattr(without_threads, "sys", SimpleNamespace(platform=platform))
        monkeypatch.setattr(without_threads, "time", clock)
    began = time.perf_counter()
    pause(0.02)
    assert 0.02 <= time.perf_counter() - began < 2


def test_a_blocking_call_runs_apart() -> None:
    """With threads, the loop continues meanwhile; the result is the call's."""
    assert asyncio.run(apart(pow, 2, 5)) == 32


def test_a_lab_needs_no_thread() -> None:
    """If no thread can start, a lab automatically runs, probes and refreshes in process."""
    shown = _in_a_process_without_threads(
        """
        import asyncio
        from ddoauth_kit.http.sender import AsyncHttp
        from ddoauth_kit.oauth.tokens import current_user_request
        from ddoauth_kit.without_threads import threads_exist
        from ddoauth_kit.workbook import open_lab

        async def cell():
            lab = open_lab()
            tokens = lab.connect()
            probes = lab.scopes.probe("monitors_read", "logs_read_data")
            begun = len(lab.backend.journal())
            lab.inject("expired-token:1")
            async with AsyncHttp() as http:
                answer = await lab.grant(tokens).asend(http, current_user_request)
            paths = [entry.path.rpartition("/")[2] for entry in lab.backend.journal()[begun:]]
            return [r.verdict.value for r in probes.report.results], answer.status, paths

        print(threads_exist(), *asyncio.run(cell()))
        """
    )
    assert shown == (
        "False ['confirmed', 'confirmed'] 200 ['current_user', 'token', 'current_user']\n"
    )
