"""Provide working and faulty keyrings in memory, and the environment of a live lab."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import keyring
from keyring.backend import KeyringBackend

from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.open_lab import sandbox_sites
from support.builders import CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from ddoauth_kit.workbook import Lab


class MemoryKeyring(KeyringBackend):
    """Keeps passwords in a dictionary, like a working keyring."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return the stored password."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store it."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete it; a real keyring fails if there is nothing to delete."""
        del self.kept[service, username]


class ForgetfulKeyring(MemoryKeyring):
    """Accepts every password without an error, but doesn't store any."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Discard it immediately."""


class ChattyKeyring(MemoryKeyring):
    """Fails with an error that quotes the password."""

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002
        """Fail as a locked keyring does."""
        raise RuntimeError(f"locked: {username} {self.kept}")

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002
        """Fail, and repeat everything in the error."""
        raise RuntimeError(f"cannot write {password}")


def live_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> MemoryKeyring:
    """Set up the environment of a live lab without this machine's settings; return its keyring."""
    for name in [name for name in os.environ if name.startswith("DDOAUTH_")]:
        monkeypatch.delenv(name)
    given = {
        "CLIENT_ID": "acme",
        "CLIENT_SECRET": CLIENT_SECRET,
        "REDIRECT_URIS": "https://acme.example.com/callback",
        "SCOPES": "events_read api_keys_write",
    }
    for name, value in {**given, **variables}.items():
        monkeypatch.setenv(f"DDOAUTH_{name}", value)
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    return backend


@contextmanager
def live_lab(
    monkeypatch: pytest.MonkeyPatch, *redirect_uris: str, scopes: str = "api_keys_write"
) -> Iterator[Lab]:
    """Open a live lab that treats a sandbox as Datadog; its client has these redirect URIs."""
    with Sandbox(real_time=True) as datadog:
        client = datadog.client
        for uri in redirect_uris:
            client = datadog.add_redirect_uri(uri)
        live_environment(
            monkeypatch,
            CLIENT_ID=client.client_id,
            CLIENT_SECRET=client.client_secret,
            REDIRECT_URIS=" ".join(redirect_uris),
            SCOPES=scopes,
        )
        with open_lab("us1", mode="live", sites=sandbox_sites(datadog)) as lab:
            yield lab
