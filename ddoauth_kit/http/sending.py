"""Define the steps of sending a request; both senders follow them, one of them with `await`."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AnswerError
from ddoauth_kit.http.policy import (
    recorded,
    refuse_insecure,
    refuse_unsendable,
    seconds_before_repeat,
)

if TYPE_CHECKING:
    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.pace import Pace
    from ddoauth_kit.http.transcript import Transcript

MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024
MAX_REPEATS: Final = 2


@dataclass(frozen=True, slots=True)
class Received:
    """A whole response; `text` is None if the response was too large."""

    status: int
    headers: dict[str, str] = field(repr=False)
    text: str | None = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class NotReceived:
    """The reason why no complete response arrived.

    `stale` is true if a reused connection was closed before the response began.
    """

    error: DdoauthError
    stale: bool


Outcome = Received | NotReceived
# A number asks for a sleep of that many seconds; None asks for an attempt and its outcome.
Steps = Generator["float | None", "Outcome | None", "Response"]


class Sending:
    """The rules that both senders follow: what to refuse, repeat, wait for and record."""

    def __init__(
        self, *, transcript: Transcript, keep_answers: bool, pace: Pace | None = None
    ) -> None:
        self._transcript = transcript
        self._keep_answers = keep_answers
        self._pace = pace

    def steps(self, request: Request) -> Steps:
        """Yield the steps for a request, then return its response.

        Raises:
            InputError, NetworkError, AnswerError: see `Http.send`.
        """
        refuse_insecure(request.url)
        refuse_unsendable(request)
        if self._pace and (delay := self._pace.delay(request)):
            yield from self._sleep(request, delay)
        response = yield from self._answered(request)
        for attempt in range(MAX_REPEATS if request.repeatable else 0):
            wait = seconds_before_repeat(response, attempt=attempt)
            if wait is None:
                break
            yield from self._sleep(request, wait)
            response = yield from self._answered(request)
        return response

    def _sleep(
        self, request: Request, seconds: float
    ) -> Generator[float | None, Outcome | None, None]:
        due = self._pace.due(request) if self._pace else None
        yield seconds
        if self._pace:
            self._pace.waited(request, due=due)

    def _answered(self, request: Request) -> Steps:
        """Get one response; if the connection was stale, retry the request if it is repeatable."""
        outcome = yield None
        if isinstance(outcome, NotReceived) and outcome.stale and request.repeatable:
            outcome = yield None
        assert outcome is not None  # noqa: S101 - both senders answer None with an outcome
        if isinstance(outcome, NotReceived):
            raise outcome.error
        if outcome.text is None:
            what = f"The response to the {request.purpose} exceeds {MAX_ANSWER_BYTES} bytes."
            raise AnswerError("answer_too_large", what)
        response = recorded(
            request,
            status=outcome.status,
            headers=outcome.headers,
            text=outcome.text,
            seconds=outcome.seconds,
            keep_answers=self._keep_answers,
        )
        self._transcript.add(response.record)
        if self._pace:
            self._pace.note(request, response=response)
        return response
