"""Send test data with the partner's API key: a metric, a log, an event and a service check."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.api.api_keys import read_validation, validation_request
from ddoauth_kit.api.telemetry import (
    Telemetry,
    check_request,
    event_request,
    log_request,
    metric_request,
)
from ddoauth_kit.errors import AnswerError
from ddoauth_kit.probing.verdict import Verdict, said_by

if TYPE_CHECKING:
    from datetime import datetime

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.http.message import Response
    from ddoauth_kit.http.sender import AsyncHttp
    from ddoauth_kit.probing.verdict import ProbeResult

NAME: Final = "ddoauth_kit.probe"
NO_KEY: Final = (
    "There is no API key of this organization here. Lesson 04 creates and stores the only one "
    "there can be; a probe never does, because the key is shown once."
)
_TOO_MANY: Final = 429
_KEY_REFUSED: Final = frozenset({401, 403})
_BUILDERS: Final = {
    "metric": metric_request,
    "log": log_request,
    "event": event_request,
    "service check": check_request,
}


async def try_data_in(
    http: AsyncHttp, row: ProbeResult, *, api_key: ApiKey | None, now: datetime, sends: bool
) -> ProbeResult:
    """Send one sample of each kind of data, or only validate the key if nothing may be sent.

    Raises:
        NetworkError, AnswerError: a call got no usable response.
    """
    if api_key is None:
        return replace(row, verdict=Verdict.NOT_TRIED, evidence=NO_KEY)
    if not sends:
        return await _validated(http, row, api_key=api_key)
    sample = Telemetry(
        name=NAME, value=1.0, at=int(now.timestamp()), source="ddoauth-kit", tags=("probe:ddoauth",)
    )
    requests = [build(api_key, sample=sample) for build in _BUILDERS.values()]
    answers = [await http.send(request) for request in requests]
    said = [f"{kind} {answer.status}" for kind, answer in zip(_BUILDERS, answers, strict=True)]
    request, worst = max(zip(requests, answers, strict=True), key=lambda sent: sent[1].status)
    words = "" if worst.succeeded else f": {said_by(worst)}"
    return replace(
        row,
        verdict=_verdict(worst),
        method=request.method,
        path=request.path,
        status=worst.status,
        seconds=max(answer.record.seconds for answer in answers),
        evidence=", ".join(said) + words,
    )


async def _validated(http: AsyncHttp, row: ProbeResult, *, api_key: ApiKey) -> ProbeResult:
    request = validation_request(api_key.key, site=api_key.site)
    answer = await http.send(request)
    verdict, evidence = _verdict(answer), said_by(answer)
    if verdict is Verdict.CONFIRMED:
        verdict, evidence = _judged(answer)
    return replace(
        row,
        verdict=verdict,
        method=request.method,
        path=request.path,
        status=answer.status,
        seconds=answer.record.seconds,
        evidence=evidence,
    )


def _judged(answer: Response) -> tuple[Verdict, str]:
    try:
        valid = read_validation(answer)
    except AnswerError as error:
        return Verdict.FAILED, error.what
    if not valid:
        return Verdict.REFUSED, "the key is not valid"
    evidence = "the key is valid; nothing was sent, because you did not ask for writes"
    return Verdict.INCONCLUSIVE, evidence


def _verdict(answer: Response) -> Verdict:
    if answer.succeeded:
        return Verdict.CONFIRMED
    if answer.status == _TOO_MANY:
        return Verdict.RATE_LIMITED
    return Verdict.REFUSED if answer.status in _KEY_REFUSED else Verdict.FAILED
