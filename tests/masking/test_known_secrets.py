"""What the environment and the store hold as secrets is known by the names they have there."""

from __future__ import annotations

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.known_secrets import environment_secrets
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import MemoryStore, Slot
from ddoauth_kit.store.contents import stored_secrets


def test_names_of_variables_tell() -> None:
    """Datadog's, the kit's own and a CI's are secrets; paths, places and short values are none."""
    secret = {
        "DD_API_KEY": "value-api",
        "DD_APP_KEY": "value-app",
        "DATADOG_APPLICATION_KEY": "value-application",
        "DDOAUTH_CLIENT_SECRET_US1_FED": "value-secret",
        "DDOAUTH_REFRESH_TOKEN_EU1": "value-refresh",
        "DDOAUTH_API_KEY_EU1": "value-key-eu1",
        "GITHUB_TOKEN": "value-github-4711",
        "my_password": "value-password-4711",
    }
    plain = {
        "DDOAUTH_CLIENT_ID": "value-client-id",
        "DDOAUTH_SCOPES": "api_keys_write",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
        "KEYBOARD": "something",
        "API_TOKEN": "short-1",
        "TOKEN_KIND": "an-ordinary-word",
    }
    found = environment_secrets({**secret, **plain})
    assert {s.label: s.reveal() for s in found} == secret


def test_a_store_is_asked_for_each_slot() -> None:
    """Tokens and keys of the sites and clients are known; a store that fails holds nothing."""
    store = MemoryStore()
    token = Secret("value-refresh", label="refresh_token")
    store.put(Slot("refresh_token", "eu1", "acme"), token)
    assert stored_secrets(store, sites=("us1", "eu1"), client_ids=("acme",)) == (token,)

    class Locked(MemoryStore):
        def get(self, slot: Slot) -> Secret | None:
            raise InputError("not_stored", f"The {slot} cannot be read.")

    assert stored_secrets(Locked(), sites=("eu1",), client_ids=("acme",)) == ()
