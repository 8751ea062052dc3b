"""Operations without a store: check the request and return the spec's response."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.api.canned_answers import address, canned
from ddoauth_kit.sandbox.api.existing_ids import check_ids
from ddoauth_kit.sandbox.facts.recorded_statuses import unacceptable_status
from ddoauth_kit.sandbox.resources.described_body import is_backwards
from ddoauth_kit.sandbox.resources.described_refusals import checked_body, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.api.existing_ids import Handler
    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.http.refusals import Refusal
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

# The time spans of usage listings, in ISO 8601, which sorts chronologically.
_SPANS = (("start_hr", "end_hr"), ("filter[timestamp][start]", "filter[timestamp][end]"))
_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}T")


def answer_operation(
    twin: Twin,
    incoming: Incoming,
    org: Org,
    *,
    operation: Operation,
    readers: Mapping[str, Handler],
) -> Answer:
    """Check the query, the body and the ids, in that order, then answer as in the spec.

    `readers` maps path shapes to functions that read single items from stores.
    """
    check_query(incoming, operation)
    check_body_of(incoming, operation)
    check_ids(twin, incoming, org, operation=operation, readers=readers)
    return canned(operation).answer


def check_query(incoming: Incoming, operation: Operation) -> None:
    """Refuse a query without a required parameter, or with an end before its start."""
    if not (incoming.query or operation.query):
        return
    parameters = incoming.parameters
    missing = [name for name in operation.query if not parameters.get(name)]
    if missing:
        raise _bad_query(operation, f'missing parameter "{missing[0]}" in "query"')
    for first, last in _SPANS:
        start, end = parameters.get(first), parameters.get(last)
        if start and end and _HOUR.match(start) and _HOUR.match(end) and start >= end:
            raise _bad_query(operation, f"{first} must be before {last}")
    name = address(operation.method, operation.path)
    if is_backwards(parameters.get("filter[from]"), parameters.get("filter[to]")):
        words = "filter[from] must be before filter[to]"
        raise refusal("query-required", unacceptable_status(name), words, at=name)
    if parameters.get("page[size]") == "0":
        raise _bad_query(operation, "page[size] must be at least 1")


def check_body_of(incoming: Incoming, operation: Operation) -> None:
    """Refuse a body that lacks required fields or has fields that the description forbids."""
    body = operation.body
    if not body or (body == "optional" and not incoming.body):
        return
    if incoming.body and incoming.content_type in canned(operation).takes:
        return
    document = checked_body(incoming, address(operation.method, operation.path))
    if body in {"any", "optional"}:
        return
    missing = [
        name for name in body.split() if not isinstance(document, dict) or name not in document
    ]
    if missing:
        words = f"missing required field: {missing[0]}"
        name = address(operation.method, operation.path)
        raise refusal("body-required", 400, words, at=name)


def _bad_query(operation: Operation, text: str) -> Refusal:
    return refusal("query-required", 400, text, at=address(operation.method, operation.path))
