"""List the apps that an org's users have authorized, and the time each was last used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.http.messages import json_answer
from ddoauth_kit.sandbox.http.refusals import api_refusal, error_of

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.grants import Grant
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


def list_authorized_clients(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """List each app with its user count and the time of its last use."""
    found = [
        resource(twin, org, grants[0].client, grants)
        for grants in authorized_clients(twin, org).values()
    ]
    page = {"total_count": len(found), "total_filtered_count": len(found)}
    return json_answer(200, {"data": found, "meta": {"page": page}})


def get_authorized_client(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Show one app in the list."""
    wanted = incoming.path.rpartition("/")[2]
    for grants in authorized_clients(twin, org).values():
        client = grants[0].client
        if id_of(twin, client, org) == wanted:
            return json_answer(200, {"data": resource(twin, org, client, grants)})
    text = "authorized client not found"
    raise api_refusal("unknown-id", 404, error_of(incoming.path, 404, "Not Found", text))


def authorized_clients(twin: Twin, org: Org) -> dict[str, list[Grant]]:
    """Return an org's grants by client id."""
    found: dict[str, list[Grant]] = {}
    for grant in twin.grants.of_org(org):
        found.setdefault(grant.client.client_id, []).append(grant)
    return found


def id_of(twin: Twin, client: Client, org: Org) -> str:
    """Return the id that an org's list uses for an app."""
    return twin.mint.uuid(f"authorized:{client.client_id}:{org.id}")


def resource(twin: Twin, org: Org, client: Client, grants: list[Grant]) -> dict[str, Any]:
    """Show an app with any authorizations by the org's only user."""
    times = [grant.exercised for grant in grants if grant.exercised is not None]
    last = iso(datetime.fromtimestamp(max(times), tz=UTC)) if times else None
    own = id_of(twin, client, org)
    users = {"type": "user_authorized_clients", "id": twin.mint.uuid(f"user:{own}")}
    related = f"/api/v2/org_authorized_clients/{own}/user_authorized_clients"
    oauth2_client = {"type": "oauth2_clients", "id": client.client_id}
    return {
        "type": "org_authorized_clients",
        "id": own,
        "attributes": {
            "disabled": twin.apps.of(client, org=org).disabled,
            "last_exercised": last,
            # An org has one user, however often that user authorizes the app.
            "user_count": 1 if grants else 0,
        },
        "relationships": {
            "oauth2_client": {"data": oauth2_client},
            "user_authorized_clients": {
                "data": [users] if grants else [],
                "links": {"related": related},
            },
        },
    }
