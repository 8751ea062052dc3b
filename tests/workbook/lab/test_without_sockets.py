"""A coroutine runs to its end in one thread, without sockets, even inside a running loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from ddoauth_kit.workbook.lab.without_sockets import run_inline


async def _double(number: int, *, seconds: float = 0.0) -> int:
    await asyncio.sleep(seconds)
    return 2 * number


def test_a_coroutine_runs_inside_a_running_loop() -> None:
    """It returns its result, tasks and pauses included, and the outer loop then continues."""

    async def many() -> list[int]:
        return await asyncio.gather(*(_double(n, seconds=0.01) for n in range(3)))

    async def outer() -> tuple[list[int], int]:
        task, found = asyncio.current_task(), run_inline(many())
        assert asyncio.current_task() is task
        return found, await asyncio.wait_for(_double(4), timeout=60)

    assert asyncio.run(outer()) == ([0, 2, 4], 8)
    assert run_inline(_double(5)) == 10


def test_a_failure_leaves_the_outer_loop_as_it_was() -> None:
    """The coroutine's error is raised, and the outer loop is the running one again."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("inside")

    async def outer() -> int:
        loop = asyncio.get_running_loop()
        with pytest.raises(LookupError, match="inside"):
            run_inline(fail())
        assert asyncio.get_running_loop() is loop
        return await _double(1)

    assert asyncio.run(outer()) == 2


def test_waiting_for_what_cannot_come_is_an_error() -> None:
    """A coroutine that only another thread could wake gets an error, and does not hang."""

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="can't happen"):
        run_inline(wait())
    assert time.monotonic() - started < 5
