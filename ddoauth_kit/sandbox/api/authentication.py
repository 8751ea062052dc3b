"""Validate API keys and bearer tokens, and identify their owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import json_answer

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


def validate_key_v1(_twin: Twin, _incoming: Incoming, _org: Org) -> Answer:
    """Confirm that the key is valid, without identifying its organization."""
    return json_answer(200, {"valid": True})


def validate_key_v2(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Return the id of a valid key's organization; it is the same as `dd_oid`."""
    key = twin.keys.find(incoming.headers.get("dd-api-key", ""), site=org.site.name)
    attributes = {
        "api_key_id": key.id if key else "",
        "api_key_scopes": [],
        "valid": key is not None,
    }
    data = {"type": "validate_v2", "id": org.id, "attributes": attributes}
    return json_answer(200, {"data": data})


def validate_bearer(_twin: Twin, _incoming: Incoming, _org: Org) -> Answer:
    """Confirm that a token is valid; the call doesn't need any scope."""
    return json_answer(200, {"status": "ok"})
