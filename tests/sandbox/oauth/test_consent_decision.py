"""The customer's decision counts once, only from its own page, and goes to the partner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Forms, Partner

    from ddoauth_kit.sandbox import Sandbox

SITES = {
    "us1": ("datadoghq.com", "https://app.datadoghq.com", "https://globex-us1.datadoghq.com"),
    "us3": ("us3.datadoghq.com", "https://us3.datadoghq.com", "https://globex-us3.datadoghq.com"),
    "us5": ("us5.datadoghq.com", "https://us5.datadoghq.com", "https://globex-us5.datadoghq.com"),
    "eu1": ("datadoghq.eu", "https://app.datadoghq.eu", "https://globex-eu1.datadoghq.eu"),
    "ap1": ("ap1.datadoghq.com", "https://ap1.datadoghq.com", "https://globex-ap1.datadoghq.com"),
    "ap2": ("ap2.datadoghq.com", "https://ap2.datadoghq.com", "https://globex-ap2.datadoghq.com"),
    "uk1": ("uk1.datadoghq.com", "https://uk1.datadoghq.com", "https://globex-uk1.datadoghq.com"),
    "us1-fed": ("ddog-gov.com", "https://app.ddog-gov.com", "https://globex-us1-fed.ddog-gov.com"),
    "us2-fed": (
        "us2.ddog-gov.com",
        "https://us2.ddog-gov.com",
        "https://globex-us2-fed.ddog-gov.com",
    ),
}


@pytest.mark.behaviour("redirect-parameters")
@pytest.mark.behaviour("vanity-site")
@pytest.mark.behaviour("vanity-names-site")
@pytest.mark.behaviour("nine-sites")
@pytest.mark.parametrize("site", SITES)
def test_redirect_tells_site_and_domain(
    sandbox: Sandbox, make_partner: Callable[..., Partner], site: str
) -> None:
    """Every site sends its domain; a vanity subdomain appears only in `site`."""
    domain, app_url, vanity_url = SITES[site]
    partner = make_partner(sandbox, site)
    first, second = sandbox.orgs[site]
    said = partner.callback()
    assert said.pop("code").startswith("sandbox-code-")
    assert said == {
        "state": "the-state",
        "domain": domain,
        "site": app_url,
        "client_id": sandbox.client.client_id,
        "dd_oid": first.id,
        "dd_org_name": f"Acme ({site})",
    }
    said = partner.callback(dd_oid=second.id)
    assert (said["domain"], said["site"]) == (domain, vanity_url)


@pytest.mark.behaviour("redirect-see-other")
@pytest.mark.checklist("S6")
@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_answer_is_303(partner: Partner, decision: str) -> None:
    """A 303 drops the form's body, so no field of it reaches the partner."""
    assert partner.decide(partner.ask(), decision).status_code == 303


def test_redirect_keeps_the_registered_query(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A registered URI's own query stays in front."""
    uri = "https://a.example/cb?tenant=1"
    client = sandbox.register({"integration": {"name": "a", "redirect_uris": [uri]}})
    partner = make_partner(sandbox, client=client)
    location = partner.decide(partner.ask(state="a b&c")).headers["location"]
    assert location.startswith(f"{uri}&code=sandbox-code-")
    assert "&state=a+b%26c&" in location


@pytest.mark.behaviour("consent-denied")
def test_deny_tells_access_denied(partner: Partner) -> None:
    """A denied request comes back with the error, the state and the site."""
    assert partner.callback("deny") == {
        "error": "access_denied",
        "error_description": "The user denied the request.",
        "state": "the-state",
        "domain": "datadoghq.com",
        "site": "https://app.datadoghq.com",
    }


@pytest.mark.behaviour("consent-page")
def test_every_scope_can_be_asked_for_at_once(
    partner: Partner, read_redirect: Callable[..., dict[str, str]]
) -> None:
    """The page groups scopes by what they allow; the token response names all of them."""
    scopes = partner.client.scopes
    assert len(scopes) > 125
    page = partner.ask()
    headings = re.findall(r"<h2>(\w+) \((\d+)\)</h2>", page.text)
    assert [heading for heading, _ in headings] == ["Read", "Change", "Run"]
    assert sum(int(number) for _, number in headings) == len(scopes)
    assert all(f"<code>{scope}</code>" in page.text for scope in scopes)
    answer = partner.exchange(read_redirect(partner.decide(page))["code"]).json()
    assert set(answer["scope"].split()) == set(scopes)
    assert partner.sandbox.description()["client"]["scopes"] == list(scopes)  # type: ignore[index]


def test_a_scope_that_nobody_describes_is_shown_as_such(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """A registration may be newer than the catalogue."""
    partner = make_partner(make_sandbox(scopes=["made_up", "monitors_read"]))
    page = partner.ask()
    assert "<h2>Read (1)</h2>" in page.text
    assert "<h2>Not in the catalogue (1)</h2>" in page.text
    assert set(partner.tokens()["scope"].split()) == {"made_up", "monitors_read"}


@pytest.mark.behaviour("form-csrf")
@pytest.mark.checklist("S6")
def test_form_needs_this_sessions_token(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A form without the token, with another's, or from another browser does nothing."""
    page = partner.ask()
    assert partner.decide(make_partner(sandbox).ask()).status_code == 403
    url = str(page.url)
    assert partner.http.post(url, data={"decision": "approve"}).status_code == 403
    other = make_partner(sandbox)
    other.ask()
    assert other.decide(page).status_code == 403


@pytest.mark.behaviour("consent-once")
def test_request_is_answered_once(partner: Partner) -> None:
    """The back button does not make a second code."""
    page = partner.ask()
    assert partner.decide(page).status_code == 303
    again = partner.decide(page)
    assert again.status_code == 400
    assert "already been answered" in again.text


@pytest.mark.behaviour("consent-decision")
def test_decision_is_approve_or_deny(partner: Partner) -> None:
    """Any other word is not consent."""
    assert partner.decide(partner.ask(), "maybe").status_code == 400


@pytest.mark.behaviour("switch-org")
def test_switching_org_goes_on_with_the_request(
    partner: Partner,
    read_forms: Callable[[str], Forms],
    find_form: Callable[..., dict[str, Any]],
) -> None:
    """A customer who switches to another org on the consent page is asked again for that org."""
    second = partner.sandbox.orgs["us1"][1]
    page = partner.ask()
    switch = find_form(page, "../../switch-org")
    assert second.id in switch["options"]
    answer = partner.submit(page, switch, org=second.id)
    assert answer.status_code == 303
    page = partner.http.get(answer.next_request.url)  # type: ignore[union-attr]
    assert f"asks for access to {second.name}." in page.text
    assert read_forms(page.text).forms[0]["action"] == "authorize"
    assert partner.decide(page).status_code == 303
    assert partner.callback()["dd_oid"] == second.id


def test_an_open_request_is_kept_while_others_come(partner: Partner) -> None:
    """Two tabs ask at once, and both can be answered."""
    pages: list[httpx.Response] = [partner.ask(), partner.ask(state="second")]
    assert [partner.decide(page).status_code for page in pages] == [303, 303]
    pages = [partner.ask() for _ in range(21)]
    assert [partner.decide(page).status_code for page in pages] == [400] + [303] * 20


@pytest.mark.behaviour("consent-region")
@pytest.mark.parametrize("region", ["eu1", "us3", "us2-fed"])
def test_the_customer_changes_region(
    sandbox: Sandbox,
    make_partner: Callable[..., Partner],
    read_forms: Callable[[str], Forms],
    read_redirect: Any,
    region: str,
) -> None:
    """Code, domain and organization are of the chosen region, and of that one alone."""
    here, there = make_partner(sandbox), make_partner(sandbox, region)
    page = here.ask()
    answer = here.submit(page, read_forms(page.text).forms[0], decision="approve", region=region)
    told = read_redirect(answer)
    assert told["domain"] == sandbox.endpoints[region]["domain"]
    assert told["dd_oid"] == sandbox.orgs[region][0].id
    assert here.exchange(told["code"]).status_code == 400
    tokens = there.exchange(told["code"]).json()
    assert there.call("/api/v2/current_user", token=tokens["access_token"]).status_code == 200


@pytest.mark.behaviour("rehearsal-region")
def test_a_region_that_nobody_knows(
    sandbox: Sandbox, partner: Partner, read_forms: Callable[[str], Forms], read_redirect: Any
) -> None:
    """It has its own addresses, which are not among the nine."""
    page = partner.ask()
    answer = partner.submit(
        page, read_forms(page.text).forms[0], decision="approve", region="rehearsal1"
    )
    told = read_redirect(answer)
    assert told["domain"] == "rehearsal1.datadoghq.com"
    assert len(sandbox.endpoints) == 9
    partner.urls = sandbox.rehearsal
    assert partner.exchange(told["code"]).status_code == 200


def test_a_private_client_stays_in_its_region(
    sandbox: Sandbox, make_partner: Callable[..., Partner], read_forms: Callable[[str], Forms]
) -> None:
    """It is offered no other region, and gets an error page for one that a form names anyway."""
    partner = make_partner(sandbox, client=sandbox.private_client("us1"))
    page = partner.ask()
    form = read_forms(page.text).forms[0]
    assert not form["options"]
    refused = partner.submit(page, form, decision="approve", region="eu1")
    assert (refused.status_code, "Invalid client_id" in refused.text) == (400, True)
    page = partner.ask()
    form = read_forms(page.text).forms[0]
    nowhere = partner.submit(page, form, region="mars", decision="approve")
    assert nowhere.status_code == 400
