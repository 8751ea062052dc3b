"""The customer's pages do what Datadog's do, by plain forms that a script can send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from ddoauth_kit.sandbox.facts.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Forms, Partner

    from ddoauth_kit.sandbox import Sandbox

FindForm = "Callable[..., dict[str, Any]]"
PAGES = (
    "integrations",
    "developer",
    "organization-settings/api-keys",
    "organization-settings/authorized-apps",
    "organization-settings/app-scopes",
)


def press(partner: Partner, page: httpx.Response, form: dict[str, Any], **extra: str) -> Any:
    """Send a form and follow its 303 to the next page."""
    answer = partner.submit(page, form, **extra)
    assert answer.status_code == 303, answer.text
    return partner.http.get(urljoin(str(answer.url), answer.headers["location"]))


def test_index_links_every_site(partner: Partner, read_forms: Callable[[str], Forms]) -> None:
    """The first page leads to the pages of all nine sites, by relative links."""
    page = partner.http.get(partner.sandbox.base_url)
    links = read_forms(page.text).links
    assert links == [f"{site}/app/integrations" for site in SITES]
    home = partner.page("")
    assert (home.status_code, home.headers["location"]) == (303, "integrations")
    assert partner.http.get(urljoin(str(page.url), links[3])).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_pages_work_behind_a_prefix(
    partner: Partner, read_forms: Callable[[str], Forms], path: str
) -> None:
    """No link or form starts at the root, and each one leads to an existing page."""
    page = partner.page(path)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert 'name="viewport"' in page.text
    found = read_forms(page.text)
    assert [form["method"] for form in found.forms] == ["post"] * len(found.forms)
    targets = found.links + [form["action"] for form in found.forms]
    assert not any(target.startswith(("/", "http")) for target in targets)
    assert {urljoin(str(page.url), link) for link in found.links} == {
        f"{partner.urls['app_url']}/{other}" for other in PAGES
    }


@pytest.mark.behaviour("connect-accounts")
@pytest.mark.parametrize("site", ["us1", "us3", "us1-fed"])
def test_connect_accounts(
    sandbox: Sandbox,
    make_partner: Callable[..., Partner],
    find_form: FindForm,
    read_redirect: Any,
    site: str,
) -> None:
    """The tile sends the browser to the onboarding URL with site and domain."""
    partner = make_partner(sandbox, site)
    page = partner.page("integrations")
    client_id = sandbox.client.client_id
    answer = partner.submit(page, find_form(page, "integrations/connect", client_id=client_id))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{sandbox.client.onboarding_url}?site=https")
    row = SITES[site]
    assert read_redirect(answer) == {"site": row.app_url, "domain": row.domain}


@pytest.mark.behaviour("test-authorization")
def test_test_authorization(
    partner: Partner, sandbox: Sandbox, find_form: FindForm, read_redirect: Any
) -> None:
    """The Developer Platform sends the browser like the tile does."""
    page = partner.page("developer")
    private = sandbox.private_client("us1")
    form = find_form(page, "developer/test-authorization", client_id=private.client_id)
    said = read_redirect(partner.submit(page, form))
    assert said == {"site": "https://app.datadoghq.com", "domain": "datadoghq.com"}


@pytest.mark.behaviour("publish")
def test_publishing_shows_credentials_once(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner], find_form: FindForm
) -> None:
    """The new secret appears on one page, only once, and the new client is valid everywhere."""
    page = partner.page("developer")
    shown = press(partner, page, find_form(page, "developer/publish"))
    [secret] = re.findall(r"sandbox-secret-\w+", shown.text)
    new = next(
        c
        for c in sandbox._twin.clients.known_to(sandbox.orgs["ap1"][1])
        if c.client_secret == secret
    )
    assert "sandbox-secret-" not in partner.page("developer").text
    assert new.client_id not in {
        c.client_id for c in (sandbox.client, *sandbox._twin.private.values())
    }
    assert make_partner(sandbox, "ap1", client=new).tokens()["token_type"] == "Bearer"
    private = sandbox.private_client("us1")
    assert make_partner(sandbox, client=private).tokens()["token_type"] == "Bearer"


@pytest.mark.behaviour("import-site")
@pytest.mark.behaviour("page-unknown-site")
def test_import_to_another_site(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner], find_form: FindForm
) -> None:
    """The imported client has its own credentials, good at that site alone."""
    page = partner.page("developer")
    form = find_form(page, "developer/import")
    assert form["options"] == [name for name in SITES if name != "us1"]
    for wrong in ("us1", "mars", ""):
        assert partner.submit(page, form, site=wrong).status_code == 400
    shown = press(partner, page, form, site="eu1")
    assert "Valid on: eu1." in shown.text
    [secret] = re.findall(r"sandbox-secret-\w+", shown.text)
    clients = sandbox._twin.clients.known_to(sandbox.orgs["eu1"][0])
    new = next(client for client in clients if client.client_secret == secret)
    assert make_partner(sandbox, "eu1", client=new).tokens()
    assert make_partner(sandbox, "us1", client=new).ask().status_code == 400


@pytest.mark.behaviour("page-unknown-app")
def test_forms_for_other_apps_do_nothing(
    partner: Partner, sandbox: Sandbox, find_form: FindForm
) -> None:
    """A foreign org's client, an unknown one, and publishing a published one get 404."""
    page = partner.page("developer")
    form = find_form(page, "developer/publish")
    foreign = sandbox.private_client("eu1").client_id
    for wrong in (foreign, "nobody", sandbox.client.client_id):
        assert partner.submit(page, form, client_id=wrong).status_code == 404


@pytest.mark.behaviour("api-keys-page")
def test_api_keys_page(partner: Partner, sandbox: Sandbox, find_form: FindForm) -> None:
    """The page shows a key's name and last four, and Revoke ends it."""
    path = "organization-settings/api-keys"
    assert "No API keys yet." in partner.page(path).text
    key = partner.make_key().json()["data"]
    page = partner.page(path)
    assert key["attributes"]["name"] in page.text
    assert f"...{key['attributes']['last4']}" in page.text
    assert key["attributes"]["key"] not in page.text
    form = find_form(page, "api-keys/revoke", key=key["id"])
    partner.submit(page, form, csrf="wrong")
    assert len(sandbox.api_keys("us1")) == 1
    assert "No API keys yet." in press(partner, page, form).text
    assert sandbox.api_keys("us1") == []
    assert partner.make_key().status_code == 201


@pytest.mark.behaviour("authorized-apps")
def test_authorized_apps_page(partner: Partner, find_form: FindForm) -> None:
    """A customer ends one grant, or all of an app at once."""
    path = "organization-settings/authorized-apps"
    assert "No apps yet." in partner.page(path).text
    first, second, third = (partner.tokens() for _ in range(3))
    page = partner.page(path)
    left = press(partner, page, find_form(page, "authorized-apps/revoke"))
    statuses = [
        partner.call("/api/v2/current_user", token=tokens["access_token"]).status_code
        for tokens in (first, second, third)
    ]
    assert statuses == [401, 200, 200]
    code = partner.callback()["code"]
    gone = press(partner, left, find_form(left, "authorized-apps/disable"))
    assert "No apps yet." in gone.text
    assert partner.refresh(third["refresh_token"]).status_code == 400
    assert partner.exchange(code).status_code == 400


@pytest.mark.behaviour("uninstall")
def test_uninstall_keeps_the_key(partner: Partner, find_form: FindForm) -> None:
    """The grants end, the API key lives on, so a new install meets 409."""
    tokens = partner.tokens()
    key = partner.make_key(tokens["access_token"]).json()["data"]["attributes"]["key"]
    page = partner.page("integrations")
    form = find_form(page, "integrations/uninstall", client_id=partner.client.client_id)
    press(partner, page, form)
    assert partner.refresh(tokens["refresh_token"]).status_code == 400
    assert partner.call("/api/v1/validate", key=key).status_code == 200
    assert partner.make_key().status_code == 409


@pytest.mark.behaviour("switch-org")
def test_switching_shows_the_other_org(
    partner: Partner, sandbox: Sandbox, find_form: FindForm
) -> None:
    """The other org has no private apps, and its own keys."""
    partner.make_key()
    page = partner.page("organization-settings/api-keys")
    second = sandbox.orgs["us1"][1]
    shown = press(partner, page, find_form(page, "../switch-org"), org=second.id)
    assert f"Signed in to {second.name}" in shown.text
    assert "Private" not in shown.text
    assert "No API keys yet." in partner.page("organization-settings/api-keys").text
    form = find_form(shown, "integrations/uninstall")
    assert partner.submit(shown, form, csrf="").status_code == 403


@pytest.mark.behaviour("org-apart")
def test_one_orgs_forms_do_nothing_in_the_other(
    partner: Partner, sandbox: Sandbox, find_form: FindForm
) -> None:
    """A browser that switches to another org can't end or publish the first org's objects."""
    tokens = partner.tokens()
    partner.make_key(tokens["access_token"])
    wanted = {
        "organization-settings/api-keys": "api-keys/revoke",
        "organization-settings/authorized-apps": "authorized-apps/revoke",
        "developer": "developer/publish",
    }
    pages = {action: partner.page(path) for path, action in wanted.items()}
    page = pages["developer/publish"]
    press(partner, page, find_form(page, "switch-org"), org=sandbox.orgs["us1"][1].id)
    statuses = [
        partner.submit(page, find_form(page, action)).status_code for action, page in pages.items()
    ]
    assert statuses == [303, 303, 404]
    assert len(sandbox.api_keys("us1")) == 1
    assert partner.refresh(tokens["refresh_token"]).status_code == 200
