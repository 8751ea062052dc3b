"""What the environment holds as secrets is known by the names of its variables."""

from __future__ import annotations

from ddoauth_kit.masking.known_secrets import environment_secrets


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
