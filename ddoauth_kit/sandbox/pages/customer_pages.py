"""The pages for customers and partners, as plain HTML forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.sites import SITES
from ddoauth_kit.sandbox.http.html import document, el, form
from ddoauth_kit.sandbox.http.messages import html_answer, see_other, with_query
from ddoauth_kit.sandbox.http.refusals import page_refusal
from ddoauth_kit.sandbox.pages.page_frame import (
    button,
    enter,
    entered,
    facts,
    frame,
    root,
    section,
    submitted,
)

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.sessions import Session
    from ddoauth_kit.sandbox.state.state import Twin

APPS = "organization-settings/authorized-apps"
KEYS = "organization-settings/api-keys"


def index_page() -> Answer:
    """Link to the pages of all sites."""
    rows = [
        el("li", el("strong", name), " ", el("a", site.domain, href=f"{name}/app/integrations"))
        for name, site in SITES.items()
    ]
    return html_answer(200, document("Nine sites", el("ul", *rows)))


def go_home(_twin: Twin, _incoming: Incoming) -> Answer:
    """Redirect from the application's root to its tiles."""
    return see_other("integrations")


def sign_in(twin: Twin, incoming: Incoming) -> Answer:
    """Sign a browser in to a ticket's organization; a ticket works only once."""
    session = twin.sessions.redeem(incoming.parameters.get("ticket", ""), site=incoming.site.name)
    if session is None:
        text = "This link has already been used, or its organization was removed."
        raise page_refusal("sign-in-once", text, status=403)
    return see_other("integrations", *entered(twin, session).cookie)


def show_integrations(twin: Twin, incoming: Incoming) -> Answer:
    """Show a tile for each client that the org can install."""
    visit = enter(twin, incoming)
    session = visit.session
    tiles = [
        section(
            client.name,
            el("p", _kind(client), " ", client.integration.description),
            _act(session, client, "integrations/connect", "Connect Accounts"),
            _act(session, client, "integrations/uninstall", "Uninstall"),
        )
        for client in twin.clients.known_to(session.org)
    ]
    return frame(twin, incoming, visit, "Integrations", *tiles)


def _kind(client: Client) -> str:
    return "Published." if client.published else "Private: only for this organization."


def _act(session: Session, client: Client, action: str, label: str) -> str:
    return form(action, button(label), csrf=session.csrf, client_id=client.client_id)


def connect_accounts(twin: Twin, incoming: Incoming) -> Answer:
    """Send the customer to the partner, with the parameters that name the customer's site."""
    session, fields = submitted(twin, incoming)
    client = _chosen(twin, session, fields)
    lacking = [scope for scope in client.scopes if not session.org.admin.may(scope)]
    if lacking:
        text = f"You lack permissions that this app asks for: {', '.join(lacking)}."
        raise page_refusal("tile-permissions", text, status=403)
    pairs = (("site", session.org.site_url), ("domain", session.org.site.domain))
    return see_other(with_query(client.onboarding_url, pairs))


def _chosen(twin: Twin, session: Session, fields: dict[str, str]) -> Client:
    client = twin.clients.find(fields.get("client_id", ""), site=session.site)
    if client is None or not client.is_known_to(session.org):
        raise page_refusal(
            "page-unknown-app", ("This organization does not have this app."), status=404
        )
    return client


def uninstall(twin: Twin, incoming: Incoming) -> Answer:
    """End the grants of a client; its API key stays until someone revokes it."""
    session, fields = submitted(twin, incoming)
    client = _chosen(twin, session, fields)
    twin.uninstall(client.client_id, org=session.org)
    return see_other(f"{root(incoming)}integrations")


def show_developer(twin: Twin, incoming: Incoming) -> Answer:
    """Show the Developer Platform: the org's private apps and, only once, new credentials."""
    visit = enter(twin, incoming)
    session = visit.session
    fresh = session.take_unseen()
    parts = [] if fresh is None else [_credentials(fresh)]
    own = [client for client in twin.clients.known_to(session.org) if not client.published]
    parts += [_app(session, client) for client in own]
    return frame(twin, incoming, visit, "Developer Platform", *parts)


def _credentials(client: Client) -> str:
    return section(
        "New credentials, shown once",
        el("p", f"Valid on: {', '.join(client.sites)}."),
        facts(client_id=client.client_id, client_secret=client.client_secret),
    )


def _app(session: Session, client: Client) -> str:
    others = [el("option", name, value=name) for name in SITES if name != session.site]
    return section(
        client.name,
        facts(
            client_id=client.client_id,
            onboarding_URL=client.onboarding_url,
            redirect_URIs=" ".join(client.redirect_uris),
            scopes=" ".join(client.scopes),
        ),
        _act(session, client, "developer/test-authorization", "Test Authorization"),
        _act(session, client, "developer/publish", "Publish"),
        form(
            "developer/import",
            el("select", *others, name="site", aria_label="Site"),
            button("Import to another site"),
            csrf=session.csrf,
            client_id=client.client_id,
        ),
    )


def publish(twin: Twin, incoming: Incoming) -> Answer:
    """Create a published client; the developer page shows its secret only once."""
    session, fields = submitted(twin, incoming)
    session.unseen = twin.publish(_own(twin, session, fields))
    return see_other(f"{root(incoming)}developer")


def import_to_site(twin: Twin, incoming: Incoming) -> Answer:
    """Create a private client for the app on another site, with its own credentials."""
    session, fields = submitted(twin, incoming)
    client = _own(twin, session, fields)
    site = fields.get("site", "")
    if site not in SITES or site == session.site:
        raise page_refusal("page-unknown-site", "Choose another site.")
    session.unseen = twin.import_client(client, site=site)
    return see_other(f"{root(incoming)}developer")


def _own(twin: Twin, session: Session, fields: dict[str, str]) -> Client:
    client = _chosen(twin, session, fields)
    if client.published:
        raise page_refusal("page-unknown-app", "This app is already published.", status=404)
    return client


def show_api_keys(twin: Twin, incoming: Incoming) -> Answer:
    """List the org's API keys by name and last four characters."""
    visit = enter(twin, incoming)
    session = visit.session
    rows = [
        section(
            key.name,
            facts(key=f"...{key.last4}", created=key.created.isoformat(timespec="seconds")),
            form("api-keys/revoke", button("Revoke"), csrf=session.csrf, key=key.id),
        )
        for key in twin.keys.of_org(session.org)
    ]
    return frame(twin, incoming, visit, "API Keys", *(rows or [el("p", "No API keys yet.")]))


def revoke_api_key(twin: Twin, incoming: Incoming) -> Answer:
    """Revoke one of the org's API keys, so that its client may create another."""
    session, fields = submitted(twin, incoming)
    twin.keys.revoke(fields.get("key", ""), org=session.org)
    return see_other(f"{root(incoming)}{KEYS}")


def show_authorized_apps(twin: Twin, incoming: Incoming) -> Answer:
    """List the authorizations by app and grant."""
    visit = enter(twin, incoming)
    session = visit.session
    apps: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for grant in twin.grants.of_org(session.org):
        names[grant.client.client_id] = grant.client.name
        names_it = {"grant": grant.id, "client_id": grant.client.client_id}
        revoke = form("authorized-apps/revoke", button("Revoke"), csrf=session.csrf, **names_it)
        line = el("p", session.org.admin.name, ": ", " ".join(grant.scopes), " ", revoke)
        apps.setdefault(grant.client.client_id, []).append(line)
    parts = [
        section(names[client_id], *lines, _disable(session, client_id))
        for client_id, lines in apps.items()
    ]
    return frame(twin, incoming, visit, "Authorized Apps", *(parts or [el("p", "No apps yet.")]))


def _disable(session: Session, client_id: str) -> str:
    label = button("Disable for all users")
    return form("authorized-apps/disable", label, csrf=session.csrf, client_id=client_id)


def revoke_grant(twin: Twin, incoming: Incoming) -> Answer:
    """End one of the org's grants."""
    session, fields = submitted(twin, incoming)
    for grant in twin.grants.of_org(session.org):
        if grant.id == fields.get("grant"):
            twin.grants.revoke(grant)
    return see_other(f"{root(incoming)}{APPS}")


def disable_app(twin: Twin, incoming: Incoming) -> Answer:
    """End all grants of an app in the org."""
    session, fields = submitted(twin, incoming)
    twin.disable_app(_chosen(twin, session, fields), org=session.org)
    return see_other(f"{root(incoming)}{APPS}")


def switch_org(twin: Twin, incoming: Incoming) -> Answer:
    """Sign in to another org of the site, and continue a pending consent."""
    session, fields = submitted(twin, incoming)
    session.org = twin.org(incoming.site, org_id=fields.get("org"))
    pending = session.pending.pop(fields.get("request", ""), None)
    if pending is None:
        return see_other("integrations")
    query = [(name, value) for name, value in pending.query if name != "dd_oid"]
    return see_other(with_query("oauth2/v1/authorize", query))
