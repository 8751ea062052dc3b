"""The authorization request: `GET /oauth2/v1/authorize` (RFC 6749, 4.1.1; RFC 7636, 4.3)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.sites import EVERY_SITE
from ddoauth_kit.sandbox.http.html import Markup, document, el, form
from ddoauth_kit.sandbox.http.messages import duplicates, html_answer
from ddoauth_kit.sandbox.http.refusals import Target, page_refusal, redirect_refusal
from ddoauth_kit.sandbox.pages.page_frame import button, enter, org_switch, root
from ddoauth_kit.sandbox.sandbox_error import SandboxError
from ddoauth_kit.sandbox.state.clients import check_redirect_uri
from ddoauth_kit.sandbox.state.sessions import Pending, new_token

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.sessions import Session
    from ddoauth_kit.sandbox.state.state import Twin

_HEADINGS = {"read": "Read", "write": "Change", "run": "Run", "": "Not in the catalogue"}
_BLOCKED = "Blocked by your administrator"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
METHOD = "code_challenge_method"


def show_consent(twin: Twin, incoming: Incoming) -> Answer:
    """Check an authorization request and ask the customer, or refuse it."""
    visit = enter(twin, incoming)
    session = visit.session
    wanted = incoming.parameters.get("dd_oid")
    org = next((o for o in twin.orgs[incoming.site.name] if o.id == wanted), session.org)
    pending = read_request(twin, incoming, org=org)
    session.wait_for(pending)
    return html_answer(200, _consent_page(twin, incoming, session, pending=pending), *visit.cookie)


def read_request(twin: Twin, incoming: Incoming, *, org: Org) -> Pending:
    """Check all parameters, first those whose errors must not redirect (RFC 6749, 4.1.2.1)."""
    repeated = duplicates(incoming.query)
    if repeated:
        raise page_refusal(
            "authorize-duplicate-parameter",
            f"invalid_request - Duplicate parameter: {', '.join(repeated)}",
        )
    parameters = incoming.parameters
    client = _client(twin, parameters, org=org)
    redirect_uri = _redirect_uri(twin, client, parameters)
    target = Target(redirect_uri, parameters.get("state"), org.site.domain, org.site_url)
    if parameters.get("response_type") != "code":
        raise _response_type_refusal(parameters, target=target)
    challenge, method = _challenge(twin, parameters, target=target)
    return Pending(
        id=new_token(),
        client=client,
        org=org,
        redirect_uri=redirect_uri,
        challenge=challenge,
        scopes=_scopes(twin, client, parameters, target=target),
        target=target,
        query=incoming.query,
        method=method,
        attempt=twin.handling.attempt,
    )


def _client(twin: Twin, parameters: dict[str, str], *, org: Org) -> Client:
    text = "invalid_request - Invalid client_id parameter value"
    client = twin.clients.find(parameters.get("client_id", ""), site=org.site.name)
    if client is None:
        raise page_refusal("authorize-unknown-client", text)
    check_authorizable(twin, client, org=org)
    return client


def check_authorizable(twin: Twin, client: Client, *, org: Org) -> None:
    """Refuse a client that this org doesn't have or has disabled."""
    if not client.is_known_to(org):
        text = "invalid_request - Invalid client_id parameter value"
        raise page_refusal("authorize-private-client", text)
    if twin.apps.of(client, org=org).disabled:
        text = f"{client.name} is disabled in {org.name}. Ask an administrator to enable it."
        raise page_refusal("authorize-disabled-app", text, status=403)


def _redirect_uri(twin: Twin, client: Client, parameters: dict[str, str]) -> str:
    redirect_uri = parameters.get("redirect_uri", "")
    if redirect_uri in client.redirect_uris:
        return redirect_uri
    with suppress(SandboxError):
        check_redirect_uri(redirect_uri, where="the request")
        if twin.tolerates("any-redirect-uri"):
            return redirect_uri
    raise page_refusal("authorize-redirect-uri", "invalid_request - Mismatching redirect URI")


def _response_type_refusal(parameters: dict[str, str], *, target: Target) -> Exception:
    if not parameters.get("response_type"):
        return redirect_refusal(
            "authorize-response-type",
            "invalid_request",
            "Missing response_type parameter.",
            target=target,
        )
    return redirect_refusal(
        "authorize-response-type",
        "unsupported_response_type",
        "Only the response_type code is supported.",
        target=target,
    )


def _challenge(twin: Twin, parameters: dict[str, str], *, target: Target) -> tuple[str, str]:
    """Return the challenge and method; both are empty if PKCE is not required."""
    challenge, method = parameters.get("code_challenge", ""), parameters.get(METHOD)
    if not challenge and twin.tolerates("no-pkce"):
        return "", ""
    if not challenge:
        raise redirect_refusal(
            "authorize-pkce-required",
            "invalid_request",
            "Code challenge required.",
            target=target,
        )
    # RFC 7636 4.3 reads a missing method as plain, which Datadog does not offer.
    if method in {None, "plain"} and _PLAIN.fullmatch(challenge) and twin.tolerates("plain-pkce"):
        return challenge, "plain"
    if method != "S256":
        raise redirect_refusal(
            "authorize-s256-only",
            "invalid_request",
            "The code_challenge_method must be S256.",
            target=target,
        )
    if not _CHALLENGE.fullmatch(challenge):
        raise redirect_refusal(
            "authorize-challenge-shape",
            "invalid_request",
            "The code_challenge must be 43 characters of base64url.",
            target=target,
        )
    return challenge, method


def _scopes(
    twin: Twin, client: Client, parameters: dict[str, str], *, target: Target
) -> tuple[str, ...]:
    scope = parameters.get("scope", "")
    if "," in scope and twin.tolerates("comma-scopes"):
        scope = scope.replace(",", " ")
    asked = tuple(dict.fromkeys(scope.split()))
    unknown = [scope for scope in asked if scope not in client.scopes]
    if unknown:
        raise redirect_refusal(
            "authorize-unknown-scope",
            "invalid_scope",
            f"The following scopes are not recognized: {' '.join(unknown)}",
            target=target,
        )
    return asked or client.scopes


def _consent_page(twin: Twin, incoming: Incoming, session: Session, *, pending: Pending) -> str:
    consent = form(
        "authorize",
        button("Authorize", name="decision", value="approve", class_="first"),
        button("Deny", name="decision", value="deny"),
        _region_choice(incoming, pending.client),
        csrf=session.csrf,
        request=pending.id,
    )
    switch = org_switch(twin, session, action=f"{root(incoming)}switch-org", request=pending.id)
    return document(
        f"Authorize {pending.client.name}",
        el("p", el("strong", pending.client.name), " asks for access to ", pending.org.name, "."),
        *_scope_lists(twin, pending),
        el("div", consent, switch, class_="decision"),
    )


def _region_choice(incoming: Incoming, client: Client) -> Markup:
    """Let the customer continue in another region, as Datadog's login page does."""
    options = [
        el("option", site.domain, value=name, **_selected(name == incoming.site.name))
        for name, site in EVERY_SITE.items()
        if name in client.sites
    ]
    if len(options) == 1:
        return Markup("")
    return el("label", "Region ", el("select", *options, name="region"))


def _selected(here: bool) -> dict[str, str]:  # noqa: FBT001 - it turns a value into a mark
    return {"selected": ""} if here else {}


def _scope_lists(twin: Twin, pending: Pending) -> list[Markup]:
    """Group the scopes by what they allow, and count each group."""
    opened, blocked = twin.apps.split(pending.scopes, client=pending.client, org=pending.org)
    groups: dict[str, list[Markup]] = {heading: [] for heading in (*_HEADINGS.values(), _BLOCKED)}
    for scope in (*opened, *blocked):
        line = el("li", el("code", scope), " ", el("small", catalogue().describe(scope)))
        heading = _BLOCKED if scope in blocked else _HEADINGS[catalogue().kinds.get(scope, "")]
        groups[heading].append(line)
    return [
        el("section", el("h2", f"{heading} ({len(lines)})"), el("ul", *lines))
        for heading, lines in groups.items()
        if lines
    ]
