"""Operations that keep nothing: the request is checked, and the spec's answer comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.api.canned_answers import canned
from ddoauth_kit.sandbox.api.existing_ids import check_ids
from ddoauth_kit.sandbox.http.payload import plain_body, read_json
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal, error_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.api.existing_ids import Handler
    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


def answer_operation(
    twin: Twin,
    incoming: Incoming,
    org: Org,
    *,
    operation: Operation,
    readers: Mapping[str, Handler],
) -> Answer:
    """Check query, body and ids in this order, then answer as the spec says.

    `readers` are the stores' own reads of single items, by the shape of their paths.
    """
    _check_query(incoming, operation)
    _check_body(incoming, operation)
    check_ids(twin, incoming, org, operation=operation, readers=readers)
    return canned(operation).answer


def _check_query(incoming: Incoming, operation: Operation) -> None:
    parameters = incoming.parameters
    missing = [name for name in operation.query if not parameters.get(name)]
    if missing:
        text = f'missing parameter "{missing[0]}" in "query"'
        raise api_refusal("query-required", 400, _bad_request(operation, text))


def _check_body(incoming: Incoming, operation: Operation) -> None:
    body = operation.body
    if not body or (body == "optional" and not incoming.body):
        return
    if incoming.body and incoming.content_type in canned(operation).takes:
        return
    try:
        document = read_json(plain_body(incoming))
    except (ValueError, RecursionError):
        raise _bad_body(operation, "The body is not valid JSON.") from None
    if body in {"any", "optional"}:
        return
    fields = document if isinstance(document, dict) else {}
    missing = [name for name in body.split() if name not in fields]
    if missing:
        raise _bad_body(operation, f"missing required field: {missing[0]}")


def _bad_body(operation: Operation, text: str) -> Refusal:
    return api_refusal("body-required", 400, _bad_request(operation, text))


def _bad_request(operation: Operation, text: str) -> object:
    return error_of(operation.path, 400, "Invalid Parameter", text)
