"""Limit the wait for a keyring, because it may prompt a user who isn't there."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 10.0
_WAITING: Final[list[threading.Thread]] = []


class NoAnswerError(TimeoutError):
    """A call did not return in time; its thread is still waiting."""


def answered(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - the call's own
    """Return a call's result or raise its exception, within ten seconds.

    While an earlier call is still waiting, later calls fail at once.

    Raises:
        NoAnswerError: the call did not return in time, or an earlier one is still waiting.
    """
    _WAITING[:] = [thread for thread in _WAITING if thread.is_alive()]
    if _WAITING:
        raise NoAnswerError
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(call(*arguments))
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            outcome.set_exception(error)

    thread = threading.Thread(target=run, name="ddoauth-keyring", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if not outcome.done():
        _WAITING.append(thread)
        raise NoAnswerError
    return outcome.result()
