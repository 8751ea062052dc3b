"""OAuth clients, published and private, and the file in which partners describe theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.sites import EVERY_SITE
from ddoauth_kit.sandbox.sandbox_error import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ddoauth_kit.sandbox.state.mint import Mint
    from ddoauth_kit.sandbox.state.orgs import Org


@dataclass(frozen=True)
class RegisteredIntegration:
    """A partner's registration, from which clients are created."""

    name: str
    description: str
    onboarding_url: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    id: str | None = None


@dataclass(frozen=True)
class Client:
    """One client with its own credentials; it is published if it has no `org_id`."""

    client_id: str
    client_secret: str = field(repr=False)
    integration: RegisteredIntegration
    sites: tuple[str, ...]
    org_id: str | None = None

    @property
    def name(self) -> str:
        """Return the app's name, as shown on the consent page and in the API key's name."""
        return self.integration.name

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Return the registered redirect URIs, which must match byte for byte."""
        return self.integration.redirect_uris

    @property
    def onboarding_url(self) -> str:
        """Return the target of the Connect Accounts button."""
        return self.integration.onboarding_url

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes that this client may ask for."""
        return self.integration.scopes

    @property
    def published(self) -> bool:
        """Return whether every org may authorize this client."""
        return self.org_id is None

    def is_known_to(self, org: Org) -> bool:
        """Return whether this client can be authorized in this org."""
        return org.site.name in self.sites and self.org_id in {None, org.id}

    def description(self) -> dict[str, object]:
        """Return the registration, including the secret, for the command's JSON line."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "redirect_uris": list(self.redirect_uris),
            "onboarding_url": self.onboarding_url,
            "scopes": list(self.scopes),
        }


class Clients:
    """All clients of one sandbox, by id."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._by_id: dict[str, Client] = {}

    def publish(self, integration: RegisteredIntegration) -> Client:
        """Create a published client for all nine sites and the rehearsal region."""
        client_id = integration.id
        if client_id is None or client_id in self._by_id:
            client_id = self._mint.next_uuid("client")
        return self._add(client_id, integration, sites=tuple(EVERY_SITE), org=None)

    def make_private(self, integration: RegisteredIntegration, *, org: Org) -> Client:
        """Create a client that only `org` can authorize, only on that org's site."""
        return self._add(
            self._mint.next_uuid("client"), integration, sites=(org.site.name,), org=org
        )

    def registered(self, client_id: str) -> Client:
        """Return a client with its current registration."""
        return self._by_id[client_id]

    def amend(self, client_id: str, **changes: Any) -> Client:  # noqa: ANN401 - of its integration
        """Change a client's registration; its credentials and grants stay valid."""
        client = self.registered(client_id)
        changed = replace(client, integration=replace(client.integration, **changes))
        self._by_id[client_id] = changed
        return changed

    def find(self, client_id: str, *, site: str) -> Client | None:
        """Return the client with this id, if it exists on this site."""
        client = self._by_id.get(client_id)
        return client if client is not None and site in client.sites else None

    def known_to(self, org: Org) -> list[Client]:
        """Return the clients that can be authorized in this org."""
        return [client for client in self._by_id.values() if client.is_known_to(org)]

    def _add(
        self,
        client_id: str,
        integration: RegisteredIntegration,
        *,
        sites: tuple[str, ...],
        org: Org | None,
    ) -> Client:
        client = Client(
            client_id=client_id,
            client_secret=self._mint.credential("secret"),
            integration=integration,
            sites=sites,
            org_id=None if org is None else org.id,
        )
        self._by_id[client_id] = client
        return client


def demo_integration(scopes: Sequence[str] | None = None) -> RegisteredIntegration:
    """Return the default integration for a sandbox without a client file.

    The integration requests every scope in the catalogue, or only the given ones.
    """
    return RegisteredIntegration(
        name="Sandbox Integration",
        description="A fictional integration to try the flow with.",
        onboarding_url="http://127.0.0.1:8484/onboard",
        redirect_uris=(
            "http://127.0.0.1:8484/oauth/callback",
            "http://localhost:8484/oauth/callback",
            "https://integration.example/oauth/callback",
        ),
        scopes=tuple(catalogue().descriptions if scopes is None else scopes),
    )


def check_redirect_uri(uri: str, *, where: str) -> None:
    """Refuse a redirect URI that is not an absolute URL, or has a fragment (RFC 6749, 3.1.2)."""
    check_uri(uri, where=where)
    if "#" in uri:
        raise SandboxError(f"{where}: the redirect URI {uri!r} has a fragment")


def read_integration(source: Path | Mapping[str, Any]) -> RegisteredIntegration:
    """Read a partner's `oauth_clients.json`; unknown scopes are allowed."""
    if isinstance(source, Mapping):
        return _integration(source, where="the client")
    where = f"client file {source}"
    try:
        document = json.loads(source.read_bytes())
    except json.JSONDecodeError as error:
        raise SandboxError(
            f"{where} is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except UnicodeDecodeError:
        raise SandboxError(f"{where} is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise SandboxError(f"{where} is JSON that is nested too deeply") from None
    except OSError as error:
        raise SandboxError(f"{where} cannot be read: {error.strerror}") from None
    return _integration(document, where=where)


def _integration(document: object, *, where: str) -> RegisteredIntegration:
    entry = document.get("integration") if isinstance(document, Mapping) else None
    if not isinstance(entry, Mapping):
        raise SandboxError(f"{where} has no object called integration")
    integration = RegisteredIntegration(
        id=_text(entry, "id", where=where) or None,
        name=_text(entry, "name", where=where, needed=True),
        description=_text(entry, "description", where=where),
        onboarding_url=_text(entry, "onboarding_url", where=where),
        redirect_uris=_texts(entry, "redirect_uris", where=where),
        scopes=_texts(entry, "scopes", where=where),
    )
    if not integration.redirect_uris:
        raise SandboxError(f"{where}: redirect_uris is empty; list at least one")
    for uri in integration.redirect_uris:
        check_redirect_uri(uri, where=where)
    if integration.onboarding_url:
        check_uri(integration.onboarding_url, where=where)
    return replace(integration, scopes=tuple(dict.fromkeys(integration.scopes)))


def _text(entry: Mapping[str, Any], key: str, *, where: str, needed: bool = False) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str) or (needed and not value) or not value.isprintable():
        raise SandboxError(f"{where}: {key} must be a string")
    return value


def _texts(entry: Mapping[str, Any], key: str, *, where: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(
        isinstance(v, str) and v and v.isprintable() for v in value
    ):
        raise SandboxError(f"{where}: {key} must be a list of strings")
    return tuple(value)


def check_uri(uri: str, *, where: str) -> None:
    """Require an absolute http or https URL; only an onboarding URL may have a fragment."""
    # The value goes into a Location header, where a line break would start another header.
    try:
        parts = urlsplit(uri)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or not uri.isascii() or any(c.isspace() or not c.isprintable() for c in uri):
        raise SandboxError(f"{where}: {uri!r} is not an absolute http or https URL")
