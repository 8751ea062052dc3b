"""Limits are learned from responses and observed, separately for each site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import US1, local_site, request, response

from ddoauth_kit.http.pace import Pace

if TYPE_CHECKING:
    from ddoauth_kit.http.message import Request, Response

SITE = local_site("http://127.0.0.1:1")


class Clock:
    """Tell seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Return the present second."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that shows a hundred seconds."""
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    """Know no limit yet."""
    return Pace(clock=clock)


def _get(path: str = "/api/v1/monitor") -> Request:
    return request(SITE, path=path)


def _answer(remaining: str, reset: str, *, name: str = "m", status: int = 200) -> Response:
    headers = {"remaining": remaining, "reset": reset, "name": name}
    named = {f"x-ratelimit-{key}": value for key, value in headers.items()}
    return replace(response(status), headers=named)


def test_what_is_not_known_is_not_waited_for(pace: Pace) -> None:
    """Without a response, or with calls left, nothing waits."""
    assert pace.delay(_get()) == 0
    pace.note(_get(), response=_answer("1", "9"))
    pace.note(_get(), response=response(200))
    assert pace.delay(_get()) == 0


def test_a_used_up_limit_is_waited_for_until_its_reset(pace: Pace, clock: Clock) -> None:
    """The wait gets shorter as time passes, and ends."""
    pace.note(_get(), response=_answer("0", "9"))
    assert pace.delay(_get()) == 9
    clock.now += 8
    assert pace.delay(_get()) == 1
    clock.now += 2
    assert pace.delay(_get()) == 0


def test_a_429_uses_a_limit_up(pace: Pace) -> None:
    """This also holds if the response does not say how many calls remain."""
    pace.note(_get(), response=_answer("", "4", status=429))
    assert pace.delay(_get()) == 4


def test_a_limit_is_shared_by_the_calls_that_name_it(pace: Pace) -> None:
    """Two paths under one name wait for each other, once their name is known."""
    pace.note(_get("/a"), response=_answer("5", "9", name="shared"))
    pace.note(_get("/b"), response=_answer("0", "9", name="shared"))
    assert pace.delay(_get("/a")) == 9
    assert pace.delay(_get("/c")) == 0


def test_a_limit_is_one_sites_own(pace: Pace) -> None:
    """Another site's calls of the same name do not wait."""
    pace.note(_get(), response=_answer("0", "9"))
    assert pace.delay(replace(_get(), site=US1)) == 0


def test_without_a_name_an_operation_is_its_own_limit(pace: Pace) -> None:
    """Method and path stand for the limit that no name was given for."""
    pace.note(_get(), response=_answer("0", "9", name=""))
    assert pace.delay(_get()) == 9
    assert pace.delay(replace(_get(), method="POST")) == 0


def test_what_was_waited_for_is_forgotten(pace: Pace) -> None:
    """A sender whose sleep takes no time on this clock waits once, not forever."""
    pace.note(_get(), response=_answer("0", "9"))
    pace.waited(_get(), due=pace.due(_get()))
    assert pace.delay(_get()) == 0


def test_what_was_used_up_again_is_remembered(pace: Pace, clock: Clock) -> None:
    """A call that waited for the first reset keeps the limits that a faster call learned."""
    pace.note(_get(), response=_answer("0", "9"))
    due = pace.due(_get())
    clock.now += 9
    pace.note(_get(), response=_answer("0", "5"))
    pace.waited(_get(), due=due)
    assert pace.delay(_get()) == 5


@pytest.mark.parametrize("reset", ["31", "1767225600", "-1", "nan", "inf", "soon"])
def test_a_wait_that_cannot_be_meant_is_not_made(pace: Pace, reset: str) -> None:
    """For over half a minute, an epoch or no number, the server's own response is returned."""
    pace.note(_get(), response=_answer("0", reset))
    assert pace.delay(_get()) == 0
