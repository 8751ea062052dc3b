"""A live notebook's run knows what the keyring holds, also what the notebook puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.backends import live_environment

from ddoauth_kit.workbook.runs.run_secrets import known_secrets

if TYPE_CHECKING:
    import pytest

SERVICE = "ddoauth-kit"


def test_tokens_of_the_keyring_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is replaced while the notebook runs is known, and so is the one before."""
    keyring = live_environment(monkeypatch)
    keyring.set_password(SERVICE, "refresh_token:us1:acme", "canary-first")
    known = known_secrets({"MODE": "live", "SITE": "us1"})
    before = {secret.reveal() for secret in known()}
    keyring.set_password(SERVICE, "refresh_token:us1:acme", "canary-second")
    keyring.set_password(SERVICE, "api_key:us1:acme", "canary-key")
    after = {secret.reveal() for secret in known()}
    assert "canary-first" in before
    assert after >= before | {"canary-second", "canary-key"}


def test_the_sandbox_asks_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that cannot have stored anything leaves the keyring alone."""
    keyring = live_environment(monkeypatch)
    keyring.set_password(SERVICE, "refresh_token:us1:acme", "canary-first")
    for parameters in ({"MODE": "sandbox"}, {}, {"MODE": "live", "SITE": "mars"}):
        assert "canary-first" not in {s.reveal() for s in known_secrets(parameters)()}
