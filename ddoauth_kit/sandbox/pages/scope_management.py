"""The administrator's page for managing apps, their scopes and their future scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.html import Markup, el, form
from ddoauth_kit.sandbox.http.messages import see_other
from ddoauth_kit.sandbox.http.refusals import page_refusal
from ddoauth_kit.sandbox.pages.page_frame import button, enter, frame, root, section, submitted

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.sessions import Session
    from ddoauth_kit.sandbox.state.state import Twin

PAGE = "organization-settings/app-scopes"
MAY_READ, MAY_WRITE = "org_authorized_apps_read", "org_authorized_apps_write"


def show_scopes(twin: Twin, incoming: Incoming) -> Answer:
    """Show each app's scopes, whether new ones are allowed, and whether the app is disabled."""
    visit = enter(twin, incoming)
    session = visit.session
    _check(session, MAY_READ)
    parts = [_app(twin, session, client) for client in twin.clients.known_to(session.org)]
    return frame(twin, incoming, visit, "Application Scope Management", *parts)


def _app(twin: Twin, session: Session, client: Client) -> Markup:
    access = twin.apps.of(client, org=session.org)
    lines = [
        el("li", el("code", scope), " ", _button(session, client, scope, access.opens(scope)))
        for scope in client.scopes
    ]
    new = "Block new scopes" if access.allows_new else "Automatically allow new scopes"
    app = "Enable" if access.disabled else "Disable for all users"
    return section(
        client.name,
        _form(session, client, "app-scopes/new", new, to=_switched(access.allows_new)),
        _form(session, client, "app-scopes/app", app, to=_switched(not access.disabled)),
        el("ul", *lines),
    )


def _button(session: Session, client: Client, scope: str, opens: bool) -> Markup:  # noqa: FBT001
    label = "Disable" if opens else "Allow"
    to = _switched(opens)
    return _form(session, client, "app-scopes/scope", label, scope=scope, to=to)


def _switched(on: bool) -> str:  # noqa: FBT001 - it turns one value into the other
    return "off" if on else "on"


def _form(session: Session, client: Client, action: str, label: str, **hidden: str) -> Markup:
    fields = {"csrf": session.csrf, "client_id": client.client_id, **hidden}
    return form(action, button(label), **fields)


def change_scope(twin: Twin, incoming: Incoming) -> Answer:
    """Remove a scope from an app and end the authorizations that include it, or allow it again."""
    session, fields, client = _decided(twin, incoming)
    scope = fields.get("scope", "")
    if scope not in client.scopes:
        raise page_refusal("page-unknown-scope", "This app does not request that scope.")
    if fields["to"] == "on":
        twin.apps.of(client, org=session.org).allow(scope)
    else:
        twin.block_scope(client, org=session.org, scope=scope)
    return see_other(f"{root(incoming)}{PAGE}")


def change_new_scopes(twin: Twin, incoming: Incoming) -> Answer:
    """Allow scopes that the app requests later, or block them until someone allows them."""
    session, fields, client = _decided(twin, incoming)
    access = twin.apps.of(client, org=session.org)
    access.let_new_in(fields["to"] == "on", registered=client.scopes)
    return see_other(f"{root(incoming)}{PAGE}")


def change_app(twin: Twin, incoming: Incoming) -> Answer:
    """Disable an app for all users of the org, or let them authorize it again."""
    session, fields, client = _decided(twin, incoming)
    if fields["to"] == "on":
        twin.apps.of(client, org=session.org).disabled = False
    else:
        twin.disable_app(client, org=session.org)
    return see_other(f"{root(incoming)}{PAGE}")


def _decided(twin: Twin, incoming: Incoming) -> tuple[Session, dict[str, str], Client]:
    session, fields = submitted(twin, incoming)
    _check(session, MAY_WRITE)
    client = twin.clients.find(fields.get("client_id", ""), site=session.site)
    if client is None or not client.is_known_to(session.org):
        raise page_refusal(
            "page-unknown-app", ("This organization does not have this app."), status=404
        )
    if fields.get("to") not in {"on", "off"}:
        raise page_refusal("page-on-or-off", "Choose on or off.")
    return session, fields, client


def _check(session: Session, permission: str) -> None:
    if not session.org.admin.may(permission):
        raise page_refusal("page-permission", f"You need the permission {permission}.", status=403)
