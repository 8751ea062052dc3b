"""Names of variables show whether they contain a secret."""

from __future__ import annotations

import pytest

from ddoauth_kit.leaks.secret_names import is_secret_name


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((f"DDOAUTH_{kind}_US1", True) for kind in ("REFRESH_TOKEN", "API_KEY", "GRANT")),
        *((n, True) for n in ("DDOAUTH_CLIENT_SECRET", "DD_PAT", "GITHUB_TOKEN", "my_password")),
        *(
            (n, True)
            for n in ("accessToken", "CREDENTIALS", "REFRESH_TOKENS", "AWS_SECRET_ACCESS_KEY")
        ),
        *((n, False) for n in ("PAGE_TOKEN", "MAX_TOKENS", "TOKEN_URL", "KEYBOARD", "TOKEN_KIND")),
        *((n, False) for n in ("DDOAUTH_CLIENT_ID", "DDOAUTH_SCOPES", "TOKENIZERS_PARALLELISM")),
        *((n, False) for n in ("COMMIT", "SITE", "AWS_SECRETS_MANAGER_ENDPOINT", "PATH", "PWD")),
    ],
)
def test_names_of_variables(name: str, *, secret: bool) -> None:
    """Variables with a secret are distinguished from those that count or describe one."""
    assert is_secret_name(name) == secret
