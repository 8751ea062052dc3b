"""Kill the server's process without warning, and check what it still knows after a restart."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.journey import Journey
from ddoauth_kit.grading.sandbox_control import KEY_PATH
from ddoauth_kit.grading.scenarios.finding import Check, Finding, Scenario
from ddoauth_kit.grading.scenarios.refresh import Expiring, refreshes_of

if TYPE_CHECKING:
    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.sandbox_control import SandboxEvent

_KEY_SECONDS: Final = 15.0
# Enough to store a key, but too short for much else, on a machine that is not busy.
_STORES: Final = 0.5
_TICK: Final = 0.05
_BY_HAND: Final = "The server was started by hand, so it cannot be started again."


def rotated_and_crashed(bench: Bench) -> list[Finding]:
    """Rotate the refresh token, kill the process, and refresh again."""
    check = Check("refresh-rotated", "The new refresh token survives a crash.")
    if bench.subject.by_hand:
        return [check.not_tested(_BY_HAND)]
    acting = Expiring(bench, rotate=True)
    acting.next_life(acting.life)
    acting.expire()
    first = refreshes_of(acting.act(acting.trigger)[1])
    acting.next_life(3600)
    acting.expire()
    bench.subject.restart(crash=True)
    second = refreshes_of(acting.act(acting.trigger)[1])
    if not first or not second:
        return [check.not_seen("No refresh followed an expiry after the crash.")]
    if not second[-1].succeeded:
        text = "After a crash the server refreshed with a token that had already been replaced."
        return [check.broken(text, events=(*first, *second))]
    return [check.met("The refresh after a crash used the new token.", events=second)]


def key_and_crash(bench: Bench) -> list[Finding]:
    """Kill the process right after Datadog has created the API key, and connect again."""
    check = Check("key-once", "The API key is stored before anything else happens.")
    if bench.subject.by_hand:
        return [check.not_tested(_BY_HAND)]
    first, stores = Journey(bench).begin().consent(), max(_STORES, bench.pace)
    with ThreadPoolExecutor(1) as pool:
        arriving = pool.submit(first.arrive)
        made = _key_made(first)
        time.sleep(stores)
        bench.subject.kill()
        arriving.result()
    bench.subject.restart()
    if not made:
        return [check.not_seen("The server creates no API key.")]
    Journey(bench, org=first.org).connect()
    asked = _key_requests(first)
    if len(asked) > 1:
        text = (
            f"The process died {stores:.1f} s after the key was created, then requested it again."
        )
        return [check.risk(text, events=asked)]
    return [check.met("After a crash the server still had the key.", events=asked)]


def _key_made(journey: Journey) -> bool:
    """Wait until Datadog has created this customer's key."""
    until = time.monotonic() + _KEY_SECONDS
    while time.monotonic() < until:
        if any(event.succeeded for event in _key_requests(journey)):
            return True
        time.sleep(_TICK)
    return False


def _key_requests(journey: Journey) -> tuple[SandboxEvent, ...]:
    return tuple(e for e in journey.events() if e.path == KEY_PATH and e.method == "POST")


SCENARIOS: Final = (
    Scenario(
        name="a crash after a rotation",
        checks=("refresh-rotated",),
        run=rotated_and_crashed,
        last=True,
        needs=("durable", "call|refresh"),
    ),
    Scenario(
        name="a crash after the key",
        checks=("key-once",),
        run=key_and_crash,
        connects=2,
        last=True,
        needs=("durable",),
    ),
)
