"""Actions affect only their intended targets, and appear in the journal."""

from __future__ import annotations

import base64
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from ddoauth_kit.sandbox import SandboxError
from ddoauth_kit.sandbox.state import grants

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from conftest import Partner

    from ddoauth_kit.sandbox import JournalEntry, Sandbox

MakePartner = "Callable[..., Partner]"


def last(sandbox: Sandbox, path: str) -> JournalEntry:
    """Return the newest entry of a path."""
    return next(entry for entry in reversed(sandbox.journal) if entry.path == path)


def sign_in(partner: Partner, org: str) -> None:
    """Sign the partner's customer in by a link of the control interface."""
    path = partner.sandbox.actions.sign_in_path(org)
    answer = partner.http.get(f"{partner.urls['app_url']}{path}")
    assert answer.status_code == 303, answer.text


def test_a_fault_of_one_organization(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """Its token requests fail, those of others work, and ending the fault ends it there."""
    org = sandbox.make_org("us1", name="Initech").id
    ours, others = make_partner(sandbox), make_partner(sandbox)
    sign_in(ours, org)
    sandbox.actions.inject("server-error", org=org)
    assert ours.exchange(ours.callback()["code"]).status_code == 500
    entry = last(sandbox, "/oauth2/v1/token")
    assert (entry.org, entry.behaviour) == (org, "fault:server-error")
    assert entry.reason == "The fault server-error was requested."
    assert others.tokens()
    sandbox.actions.clear_faults(org=org)
    assert ours.tokens()


def test_a_fault_of_one_attempt(partner: Partner, sandbox: Sandbox) -> None:
    """The fault follows the attempt from its state to its tokens, and leaves others alone."""
    code = partner.callback(state="one")["code"]
    attempt = last(sandbox, "/oauth2/v1/authorize").attempt
    other = partner.callback(state="other")["code"]
    sandbox.actions.inject("error-with-200", attempt=attempt)
    assert "access_token" in partner.exchange(other).text
    assert "access_token" not in partner.exchange(code).text
    sandbox.clear_faults()
    tokens = partner.exchange(partner.callback(state="one")["code"]).json()
    sandbox.actions.inject("rate-limited", attempt=attempt)
    assert partner.call("/api/v2/current_user", token=tokens["access_token"]).status_code == 429
    entry = last(sandbox, "/api/v2/current_user")
    assert entry.attempt == attempt
    assert entry.grant == last(sandbox, "/oauth2/v1/token").grant


def test_switches_of_one_organization(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """One organization's refresh tokens rotate, the others' stay."""
    org = sandbox.make_org("us1", name="Initech").id
    ours, others = make_partner(sandbox), make_partner(sandbox)
    sign_in(ours, org)
    sandbox.actions.switch(rotate=True, org=org)
    for partner, rotates in ((ours, True), (others, False)):
        old = partner.tokens()["refresh_token"]
        new = partner.refresh(old).json()["refresh_token"]
        assert (old != new) is rotates


def test_lifetimes_are_real_and_told(
    partner: Partner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token expires by the machine's clock; expires_in matches, or has the claimed value."""
    ahead = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr(grants, "time", clock)
    sandbox.actions.set_lifetime(60, claims=400)
    tokens = partner.tokens()
    assert tokens["expires_in"] == 400
    assert partner.call("/api/v2/current_user", token=tokens["access_token"]).status_code == 200
    ahead[0] = 60
    assert partner.call("/api/v2/current_user", token=tokens["access_token"]).status_code == 401
    sandbox.actions.set_lifetime(5)
    assert partner.tokens()["expires_in"] == 5


def test_a_sandbox_with_a_lifetime(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """The option of the start sets the lifetime of all organizations."""
    assert make_partner(make_sandbox(token_lifetime=5)).tokens()["expires_in"] == 5
    with pytest.raises(SandboxError, match="a lifetime of 0 seconds is not valid"):
        make_sandbox(token_lifetime=0)


@pytest.mark.behaviour("sign-in-once")
def test_a_link_signs_in_one_browser_once(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """The first browser is signed in, the second sees an error, and so does another site's."""
    org = sandbox.make_org("us1", name="Initech").id
    path = sandbox.actions.sign_in_path(org)
    one, two, elsewhere = (make_partner(sandbox, site) for site in ("us1", "us1", "eu1"))
    assert elsewhere.http.get(f"{elsewhere.urls['app_url']}{path}").status_code == 403
    assert one.http.get(f"{one.urls['app_url']}{path}").status_code == 303
    assert "Signed in to Initech" in one.page("integrations").text
    assert two.http.get(f"{two.urls['app_url']}{path}").status_code == 403
    late = sandbox.actions.sign_in_path(org)
    sandbox.actions.end_org(org)
    assert two.http.get(f"{two.urls['app_url']}{late}").status_code == 403


def test_codes_end_with_the_grants(partner: Partner, sandbox: Sandbox) -> None:
    """After an uninstall, a disabled app or a blocked scope, a code from before is refused."""
    client, org = sandbox.client.client_id, sandbox.orgs["us1"][0].id
    actions = sandbox.actions

    def ends() -> None:
        assert partner.exchange(code).status_code == 400

    code = partner.callback()["code"]
    actions.uninstall(client, org=org)
    ends()
    code = partner.callback(scope="monitors_read")["code"]
    other = partner.callback(scope="events_read")["code"]
    actions.block_scope(client, org=org, scope="monitors_read")
    ends()
    assert partner.exchange(other).status_code == 200
    code = partner.callback(scope="events_read")["code"]
    actions.disable(client, org=org)
    ends()


def test_the_customer_acts(partner: Partner, sandbox: Sandbox) -> None:
    """A customer action through a call has the same effect as the button on Datadog's page."""
    client, org = sandbox.client.client_id, sandbox.orgs["us1"][0].id
    actions = sandbox.actions

    def refused() -> bool:
        return partner.call("/api/v2/current_user", token=token).status_code == 401

    token = partner.tokens()["access_token"]
    actions.uninstall(client, org=org)
    assert refused()
    token = partner.tokens()["access_token"]
    grant = last(sandbox, "/oauth2/v1/token").grant
    assert actions.revoke(client, org=org, grant=grant) == 1
    assert refused()
    token = partner.tokens()["access_token"]
    actions.disable(client, org=org)
    assert refused()
    assert partner.ask().status_code == 403
    actions.enable(client, org=org)
    token = partner.tokens(scope="monitors_read events_read")["access_token"]
    actions.block_scope(client, org=org, scope="monitors_read")
    assert refused()
    assert partner.tokens(scope="monitors_read events_read")["scope"] == "events_read"
    actions.allow_scope(client, org=org, scope="monitors_read")
    assert partner.tokens(scope="monitors_read")["scope"] == "monitors_read"
    key = partner.key()
    assert actions.revoke_keys(client, org=org) == 1
    assert partner.call("/api/v1/validate", key=key).status_code == 403


def test_consent_by_a_call(partner: Partner, sandbox: Sandbox) -> None:
    """The redirect is the browser's: region, scopes and denial are as the customer chose."""
    org = sandbox.orgs["us1"][0].id
    query = httpx.QueryParams(partner.parameters(scope="monitors_read events_read"))
    url = f"https://app.datadoghq.com/oauth2/v1/authorize?{query}"
    consent = sandbox.actions.consent
    answer = httpx.URL(consent(url, org=org, scopes=["events_read"])).params
    assert partner.exchange(answer["code"]).json()["scope"] == "events_read"
    moved = httpx.URL(consent(url, org=org, region="eu1")).params
    assert moved["domain"] == "datadoghq.eu"
    assert httpx.URL(consent(url, org=org, approve=False)).params["error"] == "access_denied"
    seen = [e for e in sandbox.journal if e.path == "/oauth2/v1/authorize"]
    assert [e.method for e in seen] == ["GET", "POST"] * 3
    assert {e.host for e in seen} == {"app.datadoghq.com"}
    assert seen[0].values["scope"] == "monitors_read events_read"
    assert seen[0].fingerprints["state"] == seen[1].attempt
    own = f"{partner.urls['app_url']}/oauth2/v1/authorize?{query}"
    assert "code=" in consent(own, org=org)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "https://app.datadoghq.eu/oauth2/v1/authorize",
            "belongs to eu1, but Acme .us1. belongs to us1",
        ),
        ("https://evil.example/oauth2/v1/authorize", "belongs to no site"),
        ("https://app.datadoghq.com/elsewhere", "must lead to /oauth2/v1/authorize"),
        ("https://[", "can't be read"),
        ("https://app.datadoghq.com/oauth2/v1/authorize", "error page. This site does not know"),
    ],
)
def test_consent_that_cannot_be(sandbox: Sandbox, url: str, words: str) -> None:
    """A wrong address and a request that Datadog refuses on a page are explained in words."""
    with pytest.raises(SandboxError, match=words):
        sandbox.actions.consent(url, org=sandbox.orgs["us1"][0].id)


@pytest.mark.parametrize(
    "wrap",
    [
        str,
        lambda secret: "".join(f"%{ord(letter):02x}" for letter in secret),
        lambda secret: quote(quote(f"a:{secret}", safe=""), safe=""),
        lambda secret: base64.b64encode(f"id:{secret}".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"id=>{secret}??".encode()).decode().rstrip("="),
    ],
)
def test_leaks_are_named(partner: Partner, sandbox: Sandbox, wrap: Any) -> None:
    """Each kind of secret is found in clear and encoded; a made-up one of its form is not."""
    tokens = partner.tokens()
    secrets = {
        "access_token": tokens["access_token"],
        "api_key": partner.key(),
        "client_secret": sandbox.client.client_secret,
        "code": partner.callback()["code"],
        "refresh_token": tokens["refresh_token"],
    }
    for kind, secret in secrets.items():
        assert sandbox.actions.leaks(f"log: {wrap(secret)} end") == (kind,)
    assert sandbox.actions.leaks(f"sandbox-code-{'0' * 44} and no more") == ()


def test_reset_keeps_the_credentials(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """Grants, keys, organizations, switches and entries are gone; the client works as before."""
    sandbox = make_sandbox(faults=["slow:3"])
    partner = make_partner(sandbox)
    sandbox.clear_faults()
    tokens, key = partner.tokens(), partner.key()
    sandbox.make_org("us1", name="Initech")
    sandbox.actions.switch(v1_token=False)
    count = sandbox.journal[-1].number
    sandbox.actions.reset()
    assert sandbox.journal == []
    assert [org.name for org in sandbox.orgs["us1"]] == ["Acme (us1)", "Globex (us1)"]
    sandbox.clear_faults()
    assert partner.call("/api/v2/current_user", token=tokens["access_token"]).status_code == 401
    assert partner.call("/api/v1/validate", key=key).status_code == 403
    assert sandbox.journal[0].number == count + 1
    assert partner.tokens()["access_token"] != tokens["access_token"]
    sandbox.actions.reset()
    assert sandbox._twin.faults.strikes("slow"), "the faults of the start are back"
