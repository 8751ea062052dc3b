"""An administrator decides on apps and their scopes, and authorizations follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

PAGE = "organization-settings/app-scopes"
CURRENT_USER = "/api/v2/current_user"
SCOPES = ("metrics_read", "events_read")


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Give a sandbox whose app asks for two scopes."""
    return make_sandbox(scopes=SCOPES)


@pytest.fixture
def press(partner: Partner, find_form: Callable[..., dict[str, Any]]) -> Callable[..., int]:
    """Press a button on the page, found by its form's fields."""

    def press(action: str, **fields: str) -> int:
        page = partner.page(PAGE)
        fields = {"client_id": partner.client.client_id, **fields}
        form = find_form(page, f"app-scopes/{action}", **fields)
        return partner.submit(page, form).status_code

    return press


def lives(partner: Partner, token: str) -> bool:
    """Tell whether an access token is good."""
    return partner.call(CURRENT_USER, token=token).status_code == 200


@pytest.mark.behaviour("scope-blocked")
@pytest.mark.behaviour("scopes-narrowed")
def test_a_scope_is_taken_away(partner: Partner, press: Callable[..., int]) -> None:
    """Grants with the scope end, others remain; authorizing again gives the remaining scopes."""
    both, other = partner.tokens(), partner.tokens(scope="events_read")
    code = partner.callback()["code"]
    assert press("scope", scope="metrics_read", to="off") == 303
    assert not lives(partner, both["access_token"])
    assert partner.refresh(both["refresh_token"]).status_code == 400
    assert partner.exchange(code).status_code == 400
    assert lives(partner, other["access_token"])
    assert "Blocked by your administrator (1)" in partner.ask().text
    assert partner.tokens()["scope"] == "events_read"
    assert press("scope", scope="metrics_read", to="on") == 303
    assert partner.tokens()["scope"].split() == list(SCOPES)


@pytest.mark.behaviour("consent-scopes-blocked")
def test_nothing_remains(partner: Partner, press: Callable[..., int]) -> None:
    """If every requested scope is blocked, the redirect says `invalid_scope` and names them."""
    press("scope", scope="metrics_read", to="off")
    said = partner.callback(scope="metrics_read")
    assert said["error"] == "invalid_scope"
    assert "metrics_read" in said["error_description"]


@pytest.mark.behaviour("scopes-new")
def test_new_scopes_wait_or_come_in(
    sandbox: Sandbox, partner: Partner, press: Callable[..., int]
) -> None:
    """With the switch off a scope that the app asks for later is blocked until it is allowed."""
    press("new", to="off")
    sandbox._twin.amend(partner.client.client_id, scopes=(*SCOPES, "monitors_read"))
    assert partner.tokens()["scope"].split() == list(SCOPES)
    press("scope", scope="monitors_read", to="on")
    assert "monitors_read" in partner.tokens()["scope"]
    press("new", to="on")
    sandbox._twin.amend(partner.client.client_id, scopes=(*SCOPES, "logs_read_data"))
    assert "logs_read_data" in partner.tokens()["scope"]


@pytest.mark.behaviour("authorize-disabled-app")
def test_a_disabled_app_cannot_be_authorized(partner: Partner, press: Callable[..., int]) -> None:
    """Its grants end, an attempt gets an error page, and enabling it revives no grant."""
    tokens, waiting = partner.tokens(), partner.ask()
    press("app", to="off")
    assert not lives(partner, tokens["access_token"])
    for page in (partner.ask(), partner.decide(waiting)):
        assert page.status_code == 403
        assert "is disabled" in page.text
    press("app", to="on")
    assert not lives(partner, tokens["access_token"])
    assert lives(partner, partner.tokens()["access_token"])


@pytest.mark.behaviour("page-permission")
@pytest.mark.behaviour("page-unknown-scope")
@pytest.mark.behaviour("page-on-or-off")
def test_the_page_has_rules(
    sandbox: Sandbox, partner: Partner, find_form: Callable[..., dict[str, Any]]
) -> None:
    """The page requires permissions, and accepts only scopes, values and apps that it offers."""
    page = partner.page(PAGE)
    form = find_form(page, "app-scopes/scope", scope="metrics_read")
    for wrong, status in ({"scope": "x"}, 400), ({"to": "x"}, 400), ({"client_id": "x"}, 404):
        changed = {**form, "fields": {**form["fields"], **wrong}}
        assert partner.submit(page, changed).status_code == status
    reader = sandbox.make_org("us1", name="Readers", permissions=["org_authorized_apps_read"])
    partner.submit(page, find_form(page, "../switch-org"), org=reader.id)
    page = partner.page(PAGE)
    assert page.status_code == 200
    form = find_form(page, "app-scopes/scope", scope="metrics_read")
    refused = partner.submit(page, form)
    assert (refused.status_code, "org_authorized_apps_write" in refused.text) == (403, True)
    nobody = sandbox.make_org("us1", name="Nobodies", permissions=[])
    partner.submit(page, find_form(page, "../switch-org"), org=nobody.id)
    assert partner.page(PAGE).status_code == 403
