"""Try data in with the API key that the partner has: a metric, a log, an event, a check."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.answers import error_texts
from ddoauth_kit.api.api_keys import validation_request
from ddoauth_kit.api.telemetry import (
    Telemetry,
    check_request,
    event_request,
    log_request,
    metric_request,
)
from ddoauth_kit.api.verdicts import Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.api.verdicts import ProbeResult
    from ddoauth_kit.http import AsyncHttp
    from ddoauth_kit.message import Response

NAME: Final = "ddoauth_kit.probe"
NO_KEY: Final = (
    "No API key of this organization is at hand. Lesson 04 creates and keeps the one there can be; "
    "probing never does, because it is shown once."
)
_SUCCESS: Final = range(200, 300)
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
    """Send one sample of each kind, or only validate the key where nothing is to be sent.

    Raises:
        NetworkError, AnswerError: a call was not answered.
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
    worst = max(answers, key=lambda answer: answer.status)
    words = "; ".join(error_texts(worst)) if worst.status not in _SUCCESS else ""
    return replace(
        row,
        verdict=_verdict(worst),
        method=requests[0].method,
        path=requests[0].path,
        status=worst.status,
        seconds=max(answer.exchange.seconds for answer in answers),
        evidence=", ".join(said) + (f": {words}" if words else ""),
    )


async def _validated(http: AsyncHttp, row: ProbeResult, *, api_key: ApiKey) -> ProbeResult:
    request = validation_request(api_key.key, site=api_key.site)
    answer = await http.send(request)
    good = answer.status in _SUCCESS
    evidence = "the key is valid; nothing was sent, since writes were not asked for"
    return replace(
        row,
        verdict=Verdict.INCONCLUSIVE if good else _verdict(answer),
        method=request.method,
        path=request.path,
        status=answer.status,
        seconds=answer.exchange.seconds,
        evidence=evidence if good else "; ".join(error_texts(answer)),
    )


def _verdict(answer: Response) -> Verdict:
    if answer.status in _SUCCESS:
        return Verdict.CONFIRMED
    return Verdict.REFUSED if answer.status in _KEY_REFUSED else Verdict.FAILED
