"""An attempt waits for its redirect: once, for its session, for ten minutes."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from support.builders import registration

from ddoauth_kit import Secret
from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth import pending
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, authorization_request
from ddoauth_kit.oauth.pending import PendingAuthorizations

pytestmark = pytest.mark.checklist("C4")


def _request() -> AuthorizationRequest:
    return authorization_request(registration())


def _assert_refused(waiting: PendingAuthorizations, state: str, *, session: str = "") -> None:
    with pytest.raises(AuthorizationError) as caught:
        waiting.take(state, session=session)
    assert caught.value.code == "wrong_state"
    assert not state or state not in str(caught.value)


def test_an_attempt_is_taken_once() -> None:
    """The second redirect with the same state finds nothing."""
    waiting, request = PendingAuthorizations(), _request()
    waiting.add(request, session="s")
    assert waiting.take(request.state.reveal(), session="s") is request
    _assert_refused(waiting, request.state.reveal())


@pytest.mark.parametrize("state", ["", "guess", "\ud800"])
def test_an_unknown_state_is_refused(state: str) -> None:
    """An attempt that nobody started can't be ended, and the pending one stays pending."""
    waiting = PendingAuthorizations()
    waiting.add(_request(), session="s")
    _assert_refused(waiting, state)
    assert len(waiting) == 1


def test_another_session_cannot_end_an_attempt() -> None:
    """A foreign browser is refused, and the rightful one still gets through."""
    waiting, request = PendingAuthorizations(), _request()
    waiting.add(request, session="alice")
    _assert_refused(waiting, request.state.reveal(), session="mallory")
    _assert_refused(waiting, request.state.reveal())
    assert waiting.take(request.state.reveal(), session="alice") is request


def test_a_new_attempt_replaces_no_other() -> None:
    """Two onboarding requests of one session both wait, in any order."""
    waiting, first, second = PendingAuthorizations(), _request(), _request()
    waiting.add(first, session="alice")
    waiting.add(second, session="alice")
    assert waiting.take(second.state.reveal(), session="alice") is second
    assert waiting.take(first.state.reveal(), session="alice") is first


def test_an_attempt_ends_after_ten_minutes() -> None:
    """Up to the last second it can be taken; then it is forgotten, not only refused."""
    now = [0.0]
    waiting, first, second = PendingAuthorizations(clock=lambda: now[0]), _request(), _request()
    waiting.add(first, session="s")
    now[0] = 599.9
    waiting.add(second, session="s")
    assert waiting.take(first.state.reveal(), session="s") is first
    now[0] = 599.9 + 600.0
    _assert_refused(waiting, second.state.reveal())
    assert len(waiting) == 0


def test_waiting_can_be_asked_about_without_ending_it() -> None:
    """`waits` is true until the attempt is taken or too old."""
    now = [0.0]
    waiting, first, second = PendingAuthorizations(clock=lambda: now[0]), _request(), _request()
    waiting.add(first, session="s")
    waiting.add(second, session="s")
    assert waiting.waits(first)
    waiting.take(first.state.reveal(), session="s")
    assert [waiting.waits(first), waiting.waits(second)] == [False, True]
    now[0] = 600.0
    assert not waiting.waits(second)


@pytest.mark.checklist("L10")
@pytest.mark.parametrize("flood", [1, pending.MOST + 1])
def test_a_flood_costs_no_memory_and_nobody_else(flood: int) -> None:
    """Ten thousand attempts wait at most; who came before a flood or after it is still there."""
    waiting, request = PendingAuthorizations(), _request()
    early = [replace(request, state=Secret(f"early {n}", label="state")) for n in range(20)]
    late = [replace(request, state=Secret(f"late {n}", label="state")) for n in range(20)]
    for each in early:
        waiting.add(each, session="early")
    for number in range(flood):
        foreign = replace(request, state=Secret(f"flood {number}", label="state"))
        waiting.add(foreign, session=f"flood {number}")
    for each in late:
        waiting.add(each, session="late")
    assert len(waiting) <= pending.MOST
    for name, requests in (("early", early), ("late", late)):
        for each in requests:
            assert waiting.take(each.state.reveal(), session=name) is each


def test_one_of_many_threads_gets_the_attempt() -> None:
    """A state that arrives eight times at once is accepted only once."""
    waiting, request = PendingAuthorizations(), _request()
    waiting.add(request, session="s")
    won: list[AuthorizationRequest] = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        try:
            won.append(waiting.take(request.state.reveal(), session="s"))
        except AuthorizationError:
            return

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [request]
