"""Handle the changes that an administrator makes to an org's apps and their authorizations."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.api.authorized_clients import authorized_clients, id_of, resource
from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.http.payload import json_body, malformed
from ddoauth_kit.sandbox.http.refusals import api_refusal, error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.http.refusals import Refusal
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

    Change = Callable[[], Answer]
    Handler = Callable[[Twin, Incoming, Org], Answer | Change]

_CLIENT = 4  # the position of the app's id in a path split at its slashes
_NO_CONTENT = 204


def update_authorized_client(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """Disable an app and end its grants, or enable it without restoring them."""
    client = _client(twin, incoming, org)
    disabled = _disabled(json_body(incoming))

    def change() -> Answer:
        if disabled:
            twin.disable_app(client, org=org)
        else:
            twin.apps.of(client, org=org).disabled = False
        grants = authorized_clients(twin, org).get(client.client_id, [])
        return json_answer(200, {"data": resource(twin, org, client, grants)})

    return change


def delete_authorized_client(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """End an app's authorizations in the org; users may authorize it again."""
    client = _authorized(twin, incoming, org)
    return _ending(twin, client, org)


def delete_authorizations_of_user(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """End one user's authorizations of an app; an org in the sandbox has only one user."""
    client = _authorized(twin, incoming, org)
    if incoming.path.rpartition("/")[2] != org.admin.id:
        raise _unknown(incoming, "user not found")
    return _ending(twin, client, org)


def list_user_authorizations(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """List the org's authorizations of an app: at most one, because the org has only one user."""
    client = _authorized(twin, incoming, org)
    grants = authorized_clients(twin, org)[client.client_id]
    shown = resource(twin, org, client, grants)
    scopes = sorted({scope for grant in grants for scope in grant.scopes})
    begun = iso(datetime.fromtimestamp(min(grant.created for grant in grants), tz=UTC))
    attributes = {
        "created_at": begun,
        "disabled": False,
        "last_exercised": shown["attributes"]["last_exercised"],
        "modified_at": begun,
        "org_disabled": shown["attributes"]["disabled"],
    }
    relationships: dict[str, Any] = {
        "oauth2_client": shown["relationships"]["oauth2_client"],
        "scopes": {"data": [{"type": "scopes", "id": scope} for scope in scopes]},
        "user": {"data": {"type": "users", "id": org.admin.id}},
    }
    (own,) = shown["relationships"]["user_authorized_clients"]["data"]
    data = [{**own, "attributes": attributes, "relationships": relationships}]
    page = {"total_count": 1, "total_filtered_count": 1}
    return json_answer(200, {"data": data, "meta": {"page": page}})


def delete_user_authorization(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """End one authorization by its own id."""
    client = _authorized(twin, incoming, org)
    shown = resource(twin, org, client, authorized_clients(twin, org)[client.client_id])
    (own,) = shown["relationships"]["user_authorized_clients"]["data"]
    if incoming.path.rpartition("/")[2] != own["id"]:
        raise _unknown(incoming, "user authorized client not found")
    return _ending(twin, client, org)


def _ending(twin: Twin, client: Client, org: Org) -> Change:
    def change() -> Answer:
        twin.grants.revoke_client(client.client_id, org=org)
        return Answer(_NO_CONTENT)

    return change


def _client(twin: Twin, incoming: Incoming, org: Org) -> Client:
    """Return the app named in a path, whether or not anyone has authorized it."""
    wanted = incoming.path.split("/")[_CLIENT]
    for client in twin.clients.known_to(org):
        if id_of(twin, client, org) == wanted:
            return client
    raise _unknown(incoming, "authorized client not found")


def _authorized(twin: Twin, incoming: Incoming, org: Org) -> Client:
    client = _client(twin, incoming, org)
    if client.client_id not in authorized_clients(twin, org):
        raise _unknown(incoming, "authorized client not found")
    return client


def _unknown(incoming: Incoming, text: str) -> Refusal:
    return api_refusal("unknown-id", 404, error_of(incoming.path, 404, "Not Found", text))


def _disabled(body: object) -> bool:
    data = body.get("data") if isinstance(body, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    disabled = attributes.get("disabled") if isinstance(attributes, dict) else None
    if not isinstance(disabled, bool):
        raise malformed("data.attributes.disabled must be true or false.")
    return disabled


_APP = "/api/v2/org_authorized_clients/{org_authorized_client_id}"
_USERS = f"{_APP}/user_authorized_clients"
HANDLERS: Mapping[tuple[str, str], Handler] = MappingProxyType(
    {
        ("PATCH", _APP): update_authorized_client,
        ("DELETE", _APP): delete_authorized_client,
        ("DELETE", f"{_APP}/user/{{user_id}}"): delete_authorizations_of_user,
        ("GET", _USERS): list_user_authorizations,
        ("DELETE", f"{_USERS}/{{user_authorized_client_id}}"): delete_user_authorization,
    }
)
