"""The customer's decision: `POST /oauth2/v1/authorize`, and the redirect that follows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.sites import EVERY_SITE, Site, foreign_registrable_site, next_site
from ddoauth_kit.sandbox.http.messages import see_other
from ddoauth_kit.sandbox.http.refusals import Target, page_refusal, redirect_refusal
from ddoauth_kit.sandbox.oauth.authorization_endpoint import check_authorizable
from ddoauth_kit.sandbox.oauth.early_redirect import call_ahead
from ddoauth_kit.sandbox.pages.page_frame import submitted

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.faults import FaultPlan
    from ddoauth_kit.sandbox.state.sessions import Pending
    from ddoauth_kit.sandbox.state.state import Twin

FOREIGN_DOMAIN = "datadog.example"
SCRIPT = "<script>document.title = 'not escaped'</script>"


def decide(twin: Twin, incoming: Incoming) -> Answer:
    """Accept one decision on a pending request, and send the browser back."""
    session, fields = submitted(twin, incoming)
    pending = session.pending.pop(fields.get("request", ""), None)
    if pending is None:
        raise page_refusal(
            "consent-once", "This request has already been answered. Start again from the app."
        )
    decision = fields.get("decision")
    if decision not in {"approve", "deny"}:
        raise page_refusal("consent-decision", "Choose Authorize or Deny.")
    pending = _in_region(twin, pending, region=fields.get("region", incoming.site.name))
    check_authorizable(twin, pending.client, org=pending.org)
    target = spoiled(pending.target, site=pending.org.site, faults=twin.faults)
    if decision == "deny" or twin.faults.strikes("denied-consent"):
        raise redirect_refusal(
            "consent-denied", "access_denied", "The user denied the request.", target=target
        )
    if twin.faults.strikes("script-error"):
        raise redirect_refusal("consent-denied", "access_denied", SCRIPT, target=target)
    return _send_back(twin, pending, target=target)


def _in_region(twin: Twin, pending: Pending, *, region: str) -> Pending:
    """Return the request as if the first org in the chosen region had decided on it."""
    if region not in EVERY_SITE:
        raise page_refusal("consent-region", "This region does not exist.")
    if region == pending.org.site.name:
        return pending
    org = twin.org(EVERY_SITE[region])
    target = replace(pending.target, domain=org.site.domain, site=org.site_url)
    return replace(pending, org=org, target=target)


def _send_back(twin: Twin, pending: Pending, *, target: Target) -> Answer:
    scopes, blocked = twin.apps.split(pending.scopes, client=pending.client, org=pending.org)
    if blocked and not scopes:
        text = f"An administrator blocked the following scopes: {' '.join(blocked)}"
        raise redirect_refusal("consent-scopes-blocked", "invalid_scope", text, target=target)
    if len(scopes) > 1 and twin.faults.strikes("narrowed-scopes"):
        scopes = scopes[:-1]
    code = twin.grants.issue_code(pending, scopes=scopes)
    copies = 2 if twin.faults.strikes("duplicate-code") else 1
    location = target.location(
        *[("code", code.value)] * copies,
        last=(
            ("client_id", pending.client.client_id),
            ("dd_oid", pending.org.id),
            ("dd_org_name", pending.org.name),
        ),
    )
    if twin.faults.strikes("duplicate-callback"):
        call_ahead(location)
    return see_other(location)


def spoiled(target: Target, *, site: Site, faults: FaultPlan) -> Target:
    """Return the target after the injected faults have changed it."""
    if faults.strikes("wrong-state"):
        target = replace(target, state="sandbox-wrong-state")
    if faults.strikes("missing-state"):
        target = replace(target, state=None)
    if faults.strikes("foreign-domain"):
        target = replace(target, domain=FOREIGN_DOMAIN, site=f"https://app.{FOREIGN_DOMAIN}")
    if faults.strikes("wrong-domain"):
        other = next_site(site)
        target = replace(target, domain=other.domain, site=other.app_url)
    if faults.strikes("inconsistent-site"):
        target = replace(target, site=foreign_registrable_site(site).app_url)
    return target
