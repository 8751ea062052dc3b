"""Secrets in the environment are recognized by the names of their variables."""

from __future__ import annotations

import pytest

from ddoauth_kit.leaks.known_secrets import environment_secrets


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


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("HTTPS_PROXY", "http://user:canary-4711@proxy.example:3128", "canary-4711"),
        ("https_proxy", "http://user:canary%21x@proxy.example", "canary!x"),
        ("DATABASE_URL", "postgres://user:canaryword@db/x", "canaryword"),
        ("PIP_INDEX_URL", "https://abcdefghij0123456789@pypi.example/x", "abcdefghij0123456789"),
        ("REDIS", "rediss://:canary-4711@cache.example:6379/0", "canary-4711"),
        ("DDOAUTH_GRANT_US1", "canary-grant", "canary-grant"),
        ("DDOAUTH_GRANT_EU1__ACME", "canary-grant", "canary-grant"),
        ("DD_PAT", "canary-pat", "canary-pat"),
        ("MYSQL_PASSWORD", "lowercaseword", "lowercaseword"),
        ("PGPASSWORD", "hunter", "hunter"),
        ("DB_PASSWD", "AllLetters", "AllLetters"),
        ("SSH_PASSPHRASE", "correct horse battery", "correct horse battery"),
        ("NPM_TOKEN", "ABCdefGHIjkl", "ABCdefGHIjkl"),
        ("AWS_SECRET_ACCESS_KEY", "/abc+def0123", "/abc+def0123"),
    ],
)
def test_more_names_and_places(name: str, value: str, secret: str) -> None:
    """The kit's own variables, passwords without a digit, and the user part of an address."""
    assert secret in {found.reveal() for found in environment_secrets({name: value})}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOOGLE_APPLICATION_CREDENTIALS", "/path/with-1.json"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "C:\\keys\\with-1.json"),
        ("MY_TOKEN", "~/tokens/one1"),
        ("MY_SECRET", "./secret-1.txt"),
        ("AWS_SECRETS_MANAGER_ENDPOINT", "https://secrets.example:4711/x"),
        ("MY_SECRET", "https://vault.example/v1/secret"),
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("DATABASE_URL", "postgres://user:password@db/x"),
        ("DB_PASSWORD", "password"),
        ("DB_PASSWORD", "changeme"),
        ("API_TOKEN", "<your token here 1>"),
        ("DD_API_KEY", "0" * 32),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("PWD", "/home/somebody1"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-1/agent.1"),
        ("DDOAUTH_CLIENT_ID", "6be7e270-ffb2-4bad-934e-81e073af51d0"),
        ("PAGE_TOKEN", "abcdef123456"),
        ("MAX_TOKENS", "128000000000"),
    ],
)
def test_what_guards_nothing(name: str, value: str) -> None:
    """Paths, addresses, placeholders, counts and names of things are not secrets."""
    assert environment_secrets({name: value}) == ()
