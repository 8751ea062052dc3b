"""Clients come from partners' files, with generated secrets that no repr shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.places import PARTNERS

from ddoauth_kit.sandbox import Sandbox, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Partner

GOOD = {"name": "a", "redirect_uris": ["https://a.example/cb"], "scopes": ["made_up"]}


def test_partner_files_load(sandbox: Sandbox, make_partner: Callable[..., Partner]) -> None:
    """Every real file gives a client that completes the flow with all its scopes."""
    assert len(PARTNERS) == 24
    for file in PARTNERS:
        client = sandbox.register(file)
        assert client.published
        partner = make_partner(sandbox, "eu1", client=client)
        assert partner.tokens()["scope"].split() == list(client.scopes)


def test_client_file_names_the_sandboxs_client(tmp_path: Path) -> None:
    """The file's integration is the published client and the private ones."""
    file = tmp_path / "oauth_clients.json"
    file.write_text(json.dumps({"integration": {**GOOD, "id": "the-id"}}))
    sandbox = Sandbox(client_file=file)
    assert sandbox.client.client_id == "the-id"
    assert sandbox.client.scopes == ("made_up",)
    private = sandbox.private_client("us5")
    assert private.name == "a"
    assert private.sites == ("us5",)
    assert not private.published
    assert private.client_secret != sandbox.client.client_secret


def test_secret_stays_out_of_repr(sandbox: Sandbox) -> None:
    """A client's repr names everything but its secret."""
    assert sandbox.client.client_secret not in repr(sandbox.client)
    assert sandbox.client.client_id in repr(sandbox.client)


def test_registering_twice_makes_two(sandbox: Sandbox) -> None:
    """A second client from one file has its own id and secret."""
    first, second = (sandbox.register({"integration": {**GOOD, "id": "x"}}) for _ in range(2))
    assert first.client_id == "x"
    assert second.client_id != "x"
    assert first.client_secret != second.client_secret


@pytest.mark.behaviour("publish")
@pytest.mark.behaviour("import-site")
def test_publish_and_import_from_python(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """The methods do what the pages do."""
    published = sandbox.publish(sandbox.private_client("us1"))
    assert published.published
    assert make_partner(sandbox, "uk1", client=published).tokens()
    imported = sandbox.import_client(published, site="ap2")
    assert imported.sites == ("ap2",)
    assert make_partner(sandbox, "ap2", client=imported).tokens()
    assert make_partner(sandbox, "us1", client=imported).ask().status_code == 400


@pytest.mark.behaviour("uninstall")
def test_uninstall_from_python(partner: Partner, sandbox: Sandbox) -> None:
    """One org's uninstall leaves the other org's grant."""
    second = sandbox.orgs["us1"][1]
    tokens = partner.tokens(), partner.tokens(dd_oid=second.id)
    sandbox.uninstall(sandbox.client, site="us1")
    statuses = [partner.refresh(t["refresh_token"]).status_code for t in tokens]
    assert statuses == [400, 200]
    sandbox.uninstall(sandbox.client, site="us1", org_id=second.id)
    assert partner.refresh(tokens[1]["refresh_token"]).status_code == 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{\n  nothing}",
            "not JSON: Expecting property name enclosed in double quotes at line 2 column 3",
        ),
        ("[]", "has no object called integration"),
        ('{"integration": 1}', "has no object called integration"),
        ('{"integration": {"name": ""}}', "name must be a string"),
        ('{"integration": {"name": 1}}', "name must be a string"),
        ('{"integration": {"name": "a", "id": 1}}', "id must be a string"),
        ('{"integration": {"name": "a"}}', "redirect_uris is empty"),
        ('{"integration": {"name": "a", "redirect_uris": "x"}}', "must be a list of strings"),
        ('{"integration": {"name": "a", "redirect_uris": ["x"]}}', "'x' is not an absolute http"),
        ('{"integration": {"name": "a", "redirect_uris": ["https://a/#b"]}}', "has a fragment"),
        (
            '{"integration": {"name": "a", "redirect_uris": ["https://a/\\r\\nX: y"]}}',
            "list of strings",
        ),
        (
            '{"integration": {"name": "a", "redirect_uris": ["https://[a/"]}}',
            "not an absolute http",
        ),
        (
            '{"integration": {"name": "a", "redirect_uris": ["javascript:1"]}}',
            "not an absolute http",
        ),
    ],
)
def test_bad_files_are_explained(tmp_path: Path, text: str, said: str) -> None:
    """The error names the file and what is wrong, in one line."""
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(SandboxError) as caught:
        Sandbox(client_file=file)
    message = str(caught.value)
    assert str(file) in message
    assert said in message
    assert "\n" not in message


def test_missing_and_binary_files_are_explained(tmp_path: Path) -> None:
    """A path that leads nowhere and bytes that are not text are reported as such."""
    with pytest.raises(SandboxError, match="cannot be read: No such file"):
        Sandbox(client_file=tmp_path / "nothing.json")
    with pytest.raises(SandboxError, match="cannot be read: Is a directory"):
        Sandbox(client_file=tmp_path)
    file = tmp_path / "binary.json"
    file.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SandboxError, match="is not UTF-8 text"):
        Sandbox(client_file=file)


@pytest.mark.parametrize("call", ["private_client", "import_client", "uninstall", "api_keys"])
def test_unknown_sites_are_named(sandbox: Sandbox, call: str) -> None:
    """A site that is not one of the nine is reported with a list of the nine."""
    arguments: dict[str, Any] = {"site": "mars"}
    if call in {"import_client", "uninstall"}:
        arguments["client"] = sandbox.client
    with pytest.raises(SandboxError, match="'mars'; the sites are: us1, us3"):
        getattr(sandbox, call)(**arguments)


def test_addresses_are_added_while_it_runs(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A new redirect URI works at once, next to the others; credentials and grants stay valid."""
    partner = make_partner(sandbox, "us1")
    granted = partner.tokens()
    changed = sandbox.add_redirect_uri("http://127.0.0.1:9999/cb")
    sandbox.add_redirect_uri("http://127.0.0.1:9999/cb")
    sandbox.set_onboarding_url("http://127.0.0.1:9999/onboard")
    assert sandbox.client.redirect_uris == (
        *partner.client.redirect_uris,
        "http://127.0.0.1:9999/cb",
    )
    assert sandbox.client.onboarding_url == "http://127.0.0.1:9999/onboard"
    assert changed.client_secret == partner.client.client_secret
    again = make_partner(sandbox, "us1", client=sandbox.client)
    assert again.callback(redirect_uri="http://127.0.0.1:9999/cb")["code"]
    assert partner.refresh(granted["refresh_token"]).status_code == 200


def test_addresses_of_a_private_client(sandbox: Sandbox) -> None:
    """A private client can also be changed, and the published one is unaffected."""
    before = sandbox.client
    sandbox.add_redirect_uri("http://127.0.0.1:9999/cb", client=sandbox.private_client("eu1"))
    assert "http://127.0.0.1:9999/cb" in sandbox.private_client("eu1").redirect_uris
    assert sandbox.client == before


@pytest.mark.parametrize(
    "uri", ["/cb", "ftp://a.example/cb", "https://a.example/cb#f", "https://a b/"]
)
def test_bad_addresses_are_refused(sandbox: Sandbox, uri: str) -> None:
    """A redirect URI that a file may not register can't be added either."""
    with pytest.raises(SandboxError, match="the client"):
        sandbox.add_redirect_uri(uri)
