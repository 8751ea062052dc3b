"""Send data with an API key: metrics, logs, events and service checks.

A bearer token can't send telemetry; OAuth integrations send data only with the API key (Datadog's
page on OAuth endpoints). Times are whole seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.api.refusals import refusal, refuse_failure
from ddoauth_kit.errors import ApiKeyError
from ddoauth_kit.exchange import Purpose
from ddoauth_kit.http.message import Request, Response
from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.http.sender import Http

_GAUGE: Final = 3
_KEY_REFUSED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One small sample of each kind of data, all with the same name, tags and time.

    `at` is in seconds since the epoch, `value` is the metric's value, and `source` names the
    integration.
    """

    name: str
    value: float
    at: int
    source: str
    tags: tuple[str, ...] = ()
    host: str = "ddoauth-kit"


def send(http: Http, request: Request) -> Response:
    """Send one sample.

    Raises:
        ApiKeyError: `api_key_refused` (401, 403), or a code from `refuse_failure`.
        AnswerError, NetworkError: no readable response arrived.
    """
    response = http.send(request)
    read_accepted(response)
    return response


def metric_request(api_key: ApiKey, *, sample: Telemetry) -> Request:
    """Build a gauge with one point (`POST /api/v2/series`)."""
    series = {
        "metric": sample.name,
        "type": _GAUGE,
        "points": [{"timestamp": sample.at, "value": sample.value}],
        "tags": list(sample.tags),
        "resources": [{"type": "host", "name": sample.host}],
    }
    return _post(Purpose.METRIC, api_key, "/api/v2/series", {"series": [series]})


def log_request(api_key: ApiKey, *, sample: Telemetry) -> Request:
    """Build one log (`POST /api/v2/logs` on the site's logs intake)."""
    log = {
        "message": f"{sample.name} is {sample.value}",
        "service": sample.source,
        "ddsource": sample.source,
        "ddtags": ",".join(sample.tags),
        "hostname": sample.host,
        "timestamp": sample.at * 1000,
    }
    return _post(Purpose.LOG, api_key, "/api/v2/logs", [log], host=Host.LOGS_INTAKE)


def event_request(api_key: ApiKey, *, sample: Telemetry) -> Request:
    """Build one event (`POST /api/v1/events`, which needs only the API key)."""
    event = {
        "title": sample.name,
        "text": f"{sample.name} is {sample.value}",
        "date_happened": sample.at,
        "source_type_name": sample.source,
        "tags": list(sample.tags),
        "host": sample.host,
    }
    return _post(Purpose.EVENT, api_key, "/api/v1/events", event)


def check_request(api_key: ApiKey, *, sample: Telemetry) -> Request:
    """Build one service check with the status OK (`POST /api/v1/check_run`)."""
    check = {
        "check": sample.name,
        "status": 0,
        "timestamp": sample.at,
        "host_name": sample.host,
        "tags": list(sample.tags),
    }
    return _post(Purpose.SERVICE_CHECK, api_key, "/api/v1/check_run", [check])


def read_accepted(response: Response) -> None:
    """Accept 200 and 202; the bodies vary by endpoint and don't add any information.

    Raises:
        ApiKeyError: `api_key_refused`, or a code from `refuse_failure`.
        AnswerError: the response cannot be read.
    """
    if response.status in _KEY_REFUSED:
        raise refusal(response, "api_key_refused", error=ApiKeyError)
    refuse_failure(response, error=ApiKeyError)


def _post(
    purpose: Purpose,
    api_key: ApiKey,
    path: str,
    body: Any,  # noqa: ANN401 - JSON has no narrower type
    *,
    host: Host = Host.API,
) -> Request:
    return Request(
        purpose=purpose,
        method="POST",
        site=api_key.site,
        host=host,
        path=path,
        headers=(("dd-api-key", api_key.key),),
        body=body,
    )
