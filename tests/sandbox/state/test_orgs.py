"""Organizations come and go while the sandbox runs, each with a user and permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.sandbox import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox


@pytest.mark.behaviour("orgs-come-and-go")
@pytest.mark.parametrize("site", ["us1", "eu1", "us2-fed"])
def test_an_org_is_made_and_ended(
    sandbox: Sandbox,
    make_partner: Callable[..., Partner],
    find_form: Callable[..., dict[str, Any]],
    site: str,
) -> None:
    """A browser chooses it, its grants and keys are its own, and they end with it."""
    partner = make_partner(sandbox, site)
    org = sandbox.make_org(site, name="Initech", vanity="initech")
    page = partner.page("integrations")
    partner.submit(page, find_form(page, "switch-org"), org=org.id)
    assert "Signed in to Initech as Uma User" in partner.page("integrations").text
    told = partner.callback()
    assert (told["dd_oid"], told["dd_org_name"]) == (org.id, "Initech")
    assert told["site"].startswith("https://initech.")
    tokens = partner.exchange(told["code"]).json()
    key = partner.make_key(tokens["access_token"]).json()["data"]["attributes"]["key"]
    assert partner.call("/api/v1/validate", key=key).status_code == 200
    sandbox.end_org(org)
    assert partner.call("/api/v2/current_user", token=tokens["access_token"]).status_code == 401
    assert partner.call("/api/v1/validate", key=key).status_code == 403
    assert partner.refresh(tokens["refresh_token"]).status_code == 400
    assert "Signed in to Acme" in partner.page("integrations").text


def test_the_first_org_of_a_site_stays(sandbox: Sandbox) -> None:
    """Browsers must be signed in somewhere."""
    with pytest.raises(SandboxError, match="can't be removed"):
        sandbox.end_org(sandbox.orgs["us1"][0])
    with pytest.raises(SandboxError, match="unknown site 'mars'"):
        sandbox.make_org("mars", name="Initech")


@pytest.mark.behaviour("user-permissions")
@pytest.mark.behaviour("tile-permissions")
def test_a_user_may_do_what_the_permissions_say(
    sandbox: Sandbox, partner: Partner, find_form: Callable[..., dict[str, Any]]
) -> None:
    """The tile refuses; elsewhere consent works, and a call without the permission gets 403."""
    org = sandbox.make_org("us1", name="Limited", permissions=["monitors_read"])
    page = partner.page("integrations")
    partner.submit(page, find_form(page, "switch-org"), org=org.id)
    page = partner.page("integrations")
    form = find_form(page, "integrations/connect", client_id=partner.client.client_id)
    refused = partner.submit(page, form)
    assert (refused.status_code, "metrics_read" in refused.text) == (403, True)
    token = partner.tokens(scope="monitors_read metrics_read")["access_token"]
    assert partner.call("/api/v1/monitor", token=token).status_code == 200
    answer = partner.call("/api/v2/metrics", token=token)
    assert answer.json() == {"errors": ["Forbidden", "Failed permission authorization checks"]}
