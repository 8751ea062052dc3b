"""The faults that affect token and API requests or responses, whatever they contain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.html import document, el
from ddoauth_kit.sandbox.http.messages import NO_CONTENT, Answer, json_answer
from ddoauth_kit.sandbox.state.rate_limits import rate_headers

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.faults import FaultPlan

SLOW_SECONDS = 3.0
RESET_SECONDS = 2
HANG_SECONDS = 60.0


def instead_of_answer(incoming: Incoming, *, faults: FaultPlan) -> Answer | None:
    """Return the response of a service that fails before doing anything."""
    if faults.strikes("server-error"):
        return json_answer(500, {"errors": ["Internal Server Error"]})
    if faults.strikes("hang"):
        timeout = json_answer(504, {"errors": ["Gateway Timeout"]})
        return replace(timeout, delay=HANG_SECONDS)
    if faults.strikes("html-error"):
        page = document("502 Bad Gateway", el("p", "The upstream did not answer."))
        return Answer(502, page.encode(), "text/html; charset=utf-8")
    if faults.strikes("rate-limited"):
        headers = rate_headers("fault", limit=1, period=10, remaining=0, reset=RESET_SECONDS)
        return json_answer(429, {"errors": []}, *headers)
    if faults.strikes("echo-secret"):
        return json_answer(400, {"errors": [f"invalid_request - cannot read: {_sent(incoming)}"]})
    return None


def _sent(incoming: Incoming) -> str:
    credentials = (incoming.headers.get(name, "") for name in ("authorization", "dd-api-key"))
    return " ".join([incoming.body.decode("utf-8", errors="replace"), *credentials]).strip()


def spoil_answer(answer: Answer, *, faults: FaultPlan) -> Answer:
    """Return a response as a bad connection would deliver it; an empty one can only be late."""
    if answer.status == NO_CONTENT:
        return replace(answer, delay=SLOW_SECONDS) if faults.strikes("slow") else answer
    if faults.strikes("malformed-json"):
        answer = replace(answer, body=answer.body[: len(answer.body) // 2] or b"{")
    if faults.strikes("empty-body"):
        answer = replace(answer, body=b"")
    if faults.strikes("slow"):
        answer = replace(answer, delay=SLOW_SECONDS)
    if faults.strikes("cut-off"):
        # To truncate a body, at least one byte must be left out.
        answer = replace(answer, body=answer.body or b"{}", cut_off=True)
    return answer
