"""Refusals in the format that the API description gives for an operation's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.described_schemas import operation_schemas
from ddoauth_kit.sandbox.facts.error_families import family_error
from ddoauth_kit.sandbox.facts.recorded_statuses import unacceptable_status
from ddoauth_kit.sandbox.http.payload import plain_body, read_json
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError
from ddoauth_kit.sandbox.resources.described_body import SenselessBodyError, check_body

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Incoming

_TITLES = {404: "Not Found", 409: "Conflict"}


def checked_body(incoming: Incoming, name: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Read an operation's body and check it against the description."""
    schemas = operation_schemas(name)
    try:
        body = read_json(plain_body(incoming))
    except (ValueError, RecursionError):
        raise refusal("body-required", 400, "The body is not valid JSON.", at=name) from None
    try:
        if schemas.body is not None:
            check_body(schemas.body, body)
    except InvalidBodyError as error:
        is_senseless = isinstance(error, SenselessBodyError)
        status = unacceptable_status(name) if is_senseless else 400
        raise refusal("body-required", status, str(error), at=name) from None
    return body


def refusal(behaviour: str, status: int, words: str, *, at: str) -> Refusal:
    """Refuse in the format that the description gives for the operation's errors."""
    title = _TITLES.get(status, "Invalid Parameter")
    return api_refusal(behaviour, status, family_error(at, status, title, words))
