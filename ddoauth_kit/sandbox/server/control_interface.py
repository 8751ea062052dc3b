"""The control interface over HTTP, for programs in any language that have its key."""

from __future__ import annotations

import hmac
import json
import re
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.messages import Answer, json_answer, read_pairs
from ddoauth_kit.sandbox.http.refusals import api_refusal
from ddoauth_kit.sandbox.sandbox_error import NotThereError, SandboxError
from ddoauth_kit.sandbox.server.control import KEY_HEADER
from ddoauth_kit.sandbox.server.control_operations import OPERATIONS, STREAM, Question
from ddoauth_kit.sandbox.server.control_schemas import check
from ddoauth_kit.sandbox.server.openapi import openapi_document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from ddoauth_kit.sandbox.server.actions import Actions
    from ddoauth_kit.sandbox.server.control_operations import ControlOperation
    from ddoauth_kit.sandbox.server.journal import Journal

OPENAPI_PATH = "/control/openapi.json"
_SEGMENT = re.compile(r"[^/]{1,200}")
# In seconds. The connection, not this limit, reveals that a follower has gone.
_PATIENCE = 3600.0
_NO_STORE = ("Cache-Control", "no-store")


class ControlInterface:
    """The addresses below `/control/`; without the key, all of them look the same."""

    def __init__(self, actions: Actions, journal: Journal, *, key: str) -> None:
        self._actions = actions
        self._journal = journal
        self._key = key

    def answer(self, request: Request, *, body: bytes) -> Answer:
        """Carry out a request; the caller holds the lock."""
        shown = request.headers.get(KEY_HEADER, "")
        if not hmac.compare_digest(self._key.encode(), shown.encode()):
            text = f"Send this sandbox's control key in the header {KEY_HEADER.title()}."
            raise api_refusal("control-refused", 401, text)
        path: str = request.scope["path"]
        try:
            if path == OPENAPI_PATH and request.method == "GET":
                return json_answer(200, openapi_document(), _NO_STORE)
            return self._answered(request.method, path, request.scope["query_string"], body)
        except NotThereError as error:
            return json_answer(404, {"errors": [_sentence(error)]}, _NO_STORE)
        except SandboxError as error:
            return json_answer(400, {"errors": [_sentence(error)]}, _NO_STORE)

    def _answered(self, method: str, path: str, query: bytes, body: bytes) -> Answer:
        operation, segment = _find(method, path)
        given = dict(read_pairs(query))
        check_query(given, operation)
        question = Question(_read(body, operation), given, segment)
        outcome = operation.act(self._actions, question)
        if operation.content_type == STREAM:
            after: int = outcome
            return Answer(200, content_type=STREAM, headers=(_NO_STORE,), stream=self._lines(after))
        return json_answer(200, outcome, _NO_STORE)

    def _lines(self, after: int) -> Any:  # noqa: ANN401 - what `Answer.stream` takes
        async def lines() -> AsyncGenerator[bytes]:
            async for entries in self._journal.follow(after=after, patience=_PATIENCE):
                shown = [json.dumps(entry.document(), separators=(",", ":")) for entry in entries]
                yield "".join(f"{line}\n" for line in shown).encode()

        return lines


def check_query(given: dict[str, str], operation: ControlOperation) -> None:
    """Refuse a parameter that the operation does not take."""
    for name in given:
        if name not in operation.query:
            known = ", ".join(operation.query) or "no parameters"
            raise SandboxError(f"unknown parameter {name!r}; this operation takes {known}")


def _find(method: str, path: str) -> tuple[ControlOperation, str]:
    there = False
    for operation in OPERATIONS:
        pattern = _SEGMENT.pattern.join(map(re.escape, operation.path.split("{id}")))
        found = re.fullmatch(pattern, path)
        if found and operation.method == method:
            before, _, after = operation.path.partition("{id}")
            return operation, path[len(before) : len(path) - len(after)]
        there = there or found is not None
    what = "this address does not support this method" if there else "this operation does not exist"
    raise NotThereError(f"{what}; {OPENAPI_PATH} lists all of them")


def _read(body: bytes, operation: ControlOperation) -> dict[str, Any]:
    if not operation.body:
        return {}
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise SandboxError("the body must be a JSON object") from None
    check(document, operation.body)
    read: dict[str, Any] = document
    return read


def _sentence(error: SandboxError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
