"""What tells whose a credential is: the validation of API keys and of bearer tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import json_answer

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


def validate_key_v1(_twin: Twin, _incoming: Incoming, _org: Org) -> Answer:
    """Tell that a key is good, which is all that this call tells."""
    return json_answer(200, {"valid": True})


def validate_key_v2(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Tell whose a good key is: the id is the organization's, and equals `dd_oid`."""
    key = twin.keys.find(incoming.headers.get("dd-api-key", ""), site=org.site.name)
    attributes = {
        "api_key_id": key.id if key else "",
        "api_key_scopes": [],
        "valid": key is not None,
    }
    data = {"type": "validate_v2", "id": org.id, "attributes": attributes}
    return json_answer(200, {"data": data})


def validate_bearer(_twin: Twin, _incoming: Incoming, _org: Org) -> Answer:
    """Tell that a token is good, a call that needs no scope."""
    return json_answer(200, {"status": "ok"})
