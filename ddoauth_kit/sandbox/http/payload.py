"""Read the content of API requests: JSON bodies, query parameters and times."""

from __future__ import annotations

import json
import math
import re
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.refusals import api_refusal

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.clock import Clock
    from ddoauth_kit.sandbox.http.messages import Incoming

MAX_BODY_BYTES = 5 * 1024 * 1024

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"now(?:-(\d{1,9})([smhdw]))?", re.ASCII)
# The last moment that Python's datetime can show, in milliseconds.
_LATEST_MS = 253_402_300_799_999


def json_body(incoming: Incoming) -> Any:  # noqa: ANN401 - JSON is anything
    """Read a JSON body, decompress it if necessary, or refuse it as malformed."""
    try:
        return read_json(plain_body(incoming))
    except (ValueError, RecursionError):
        raise malformed("The body is not valid JSON.") from None


def read_json(raw: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Read strict JSON; Python would accept NaN and Infinity but could not send them back."""
    return _STRICT.decode(raw.decode(json.detect_encoding(raw), "surrogatepass"))


def _finite(digits: str) -> float:
    """Read a number, and refuse one that is too large for a float and would become Infinity."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _no_constant(name: str) -> None:
    raise ValueError(name)


_STRICT = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def plain_body(incoming: Incoming) -> bytes:
    """Return the body, decompressed if necessary; the intake endpoints accept compression."""
    encoding = incoming.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return incoming.body
    if encoding not in {"gzip", "deflate"}:
        raise malformed(f"Content-Encoding {encoding} is not supported here.")
    try:
        unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        body = unzip.decompress(incoming.body, MAX_BODY_BYTES)
    except zlib.error:
        raise malformed("The body is not compressed as its header says.") from None
    if unzip.unconsumed_tail:
        raise api_refusal("body-limit", 413, "Payload too large")
    return body


def malformed(detail: str) -> Exception:
    """Return the refusal for a request whose content doesn't make sense."""
    return api_refusal("malformed-request", 400, detail)


def seconds_parameter(parameters: dict[str, str], name: str) -> int:
    """Read a required query parameter in epoch seconds."""
    value = parameters.get(name, "")
    if not re.fullmatch(r"-?\d{1,12}", value, re.ASCII):
        raise malformed(f"Parameter {name} must be in epoch seconds.")
    return int(value)


def limit_of(value: object, *, default: int, most: int = 1000) -> int:
    """Read a page size."""
    text = str(default if value is None else value)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 0 < int(text) <= most:
        raise malformed(f"The page limit must be between 1 and {most}.")
    return int(text)


def milliseconds(value: object, *, clock: Clock) -> int:
    """Read a time in a search's format: ISO 8601, epoch milliseconds, or `now-15m`."""
    text = str(value).strip()
    relative = _RELATIVE.fullmatch(text)
    if relative:
        back = int(relative[1] or 0) * _UNITS[relative[2] or "s"]
        return round((clock.timestamp() - back) * 1000)
    if re.fullmatch(r"\d{1,15}", text, re.ASCII):
        return min(int(text), _LATEST_MS)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(f"Cannot read {text!r} as a time.") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def moment_of(ms: int) -> datetime:
    """Convert an epoch time in milliseconds."""
    return datetime.fromtimestamp(max(0, min(ms, _LATEST_MS)) / 1000, tz=UTC)
