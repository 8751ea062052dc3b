"""A key that the store accepted survives the death of its process, whenever that comes."""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.loopback import PLAIN
from support.places import TESTS
from support.scene import Scene

from ddoauth_kit import Secret
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.store import FileStore, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ddoauth_kit import Http

SLOT = Slot("api_key", "us1", "acme")
PREVIOUS = Secret("the-key-of-another-organization!", label="api_key")
UNHARMED = 10

pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="only Linux has handles of processes"
)


class Maker:
    """Drive the process that forks, and take its forks' lives."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        environ = {**os.environ}
        paths = (TESTS, TESTS / "benchmarks", environ.get("PYTHONPATH", ""))
        environ["PYTHONPATH"] = os.pathsep.join(map(str, paths))
        command = [sys.executable, str(TESTS / "soak" / "keymaker.py"), str(folder)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=environ, text=True, bufsize=1, **pipes)
        self._write(sandbox.description())
        assert self._line() == "ready"

    def run(self, token: str, *, kill: Callable[[str, int], None]) -> list[str]:
        """Let one fork make a key; `kill` gets each of its lines and a handle of its process."""
        self._write({"token": token, "slot": f"{SLOT.kind} {SLOT.site} {SLOT.client_id}"})
        said: list[str] = []
        begin = self._line()
        # A handle stays with its process; a number may be given to another one after its end.
        fork = os.pidfd_open(int(begin.removeprefix("start ")))
        try:
            self._write_text("\n")
            line = begin
            while line != "end":
                said.append(line)
                kill(line, fork)
                line = self._line()
        finally:
            os.close(fork)
        return said

    def _write(self, value: object) -> None:
        self._write_text(json.dumps(value) + "\n")

    def _write_text(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve keys."""
    with Sandbox(real_time=True) as running:
        yield running


@pytest.fixture
def maker(sandbox: Sandbox, tmp_path: Path) -> Iterator[Maker]:
    """Start the process that forks, and end it."""
    started = Maker(tmp_path / "kept", sandbox)
    with started.process as process:
        yield started
        process.kill()


def _after(seconds: float, event: str) -> Callable[[str, int], None]:
    def kill(line: str, fork: int) -> None:
        if line.startswith(event):
            time.sleep(seconds)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(fork, signal.SIGKILL)

    return kill


def _spare(_line: str, _fork: int) -> None:
    """Kill nobody."""


@pytest.mark.checklist("C11")
@pytest.mark.checklist("N4")
@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.soak)])
def test_a_key_the_store_accepted_is_never_lost(  # noqa: PLR0913, PLR0917 - fixtures
    sandbox: Sandbox,
    maker: Maker,
    http: Http,
    tmp_path: Path,
    count: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Half of the kills come at any instant of the work, half right around the answer's arrival."""
    token = Scene(sandbox, http).tokens().access_token.reveal()
    store = FileStore(tmp_path / "kept")
    chance = random.Random(4711)
    windows, lengths = [], []
    for _ in range(UNHARMED):
        begun = time.perf_counter()
        said = maker.run(token, kill=_spare)
        lengths.append(time.perf_counter() - begun)
        windows.append(int(said[-1].removeprefix("kept ")))
        _clear(sandbox, store)
    longest = 1.2 * statistics.median(lengths)
    ends: Counter[str] = Counter()
    for number in range(count):
        store.put(SLOT, PREVIOUS)
        at_random = number % 2 == 0
        moment = chance.uniform(0, longest if at_random else 0.002)
        said = maker.run(token, kill=_after(moment, "start" if at_random else "arrived"))
        ends[_end(sandbox, store, said)] += 1
        _clear(sandbox, store)
    assert ends["accepted and lost"] == ends["neither old nor new"] == 0
    assert sum(ends.values()) == count
    record_property("figure", f"{count} kills while a key was made: {dict(sorted(ends.items()))}")
    record_property(
        "figure",
        f"from the answer's last byte to the accepted key: median {statistics.median(windows):.0f} "
        f"microseconds, longest {max(windows)} of {len(windows)}",
    )


def _end(sandbox: Sandbox, store: FileStore, said: list[str]) -> str:
    """Return how one trial ended; the request of a killed process may still be under way."""
    with httpx.Client(**PLAIN) as client:
        client.get(f"{sandbox.base_url}/")
    again = FileStore(store._folder.path)
    held = again.get(SLOT)
    made = [key.value for key in sandbox.api_keys("us1")]
    if held is None or held.reveal() not in {PREVIOUS.reveal(), *made}:
        return "neither old nor new"
    accepted = any(line.startswith("kept") for line in said)
    if made and held.reveal() == made[0]:
        return "kept, and the process went on" if accepted else "kept, and the process died"
    if accepted:
        return "accepted and lost"
    if made:
        return "lost in the window" if "arrived" in said else "lost on its way"
    return "no key was made"


def _clear(sandbox: Sandbox, store: FileStore) -> None:
    """Have the customer revoke every key, and delete the stored ones."""
    for key in sandbox.api_keys("us1"):
        sandbox.revoke_api_key(key.id)
    for slot in store.slots():
        store.forget(slot)
