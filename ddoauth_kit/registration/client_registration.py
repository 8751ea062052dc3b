"""Represent a registration of an OAuth client: the values that the Developer Platform stores."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ddoauth_kit.binder import refuse_on_binder
from ddoauth_kit.edited_text import edited_text
from ddoauth_kit.environment_values import path_in, value_of, word_of, words_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.registration.redirect_uris import why_no_redirect_uri
from ddoauth_kit.scopes import known_scopes, unknown_scope
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store.files import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MAX_FILE_BYTES: Final = 1024 * 1024


class Kind(StrEnum):
    """The private client, for tests in its own organization, or the published one."""

    PRIVATE = "private"
    PUBLISHED = "published"


class TokenEndpoint(StrEnum):
    """Datadog's two token endpoints; each token request goes to only one of them.

    `v2` is the documented endpoint (`/api/v2/oauth2/token`), and `v1` is the older one
    (`/oauth2/v1/token`).
    """

    V2 = "v2"
    V1 = "v1"

    @property
    def path(self) -> str:
        """Return the endpoint's path on the API host."""
        return "/api/v2/oauth2/token" if self is TokenEndpoint.V2 else "/oauth2/v1/token"


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """One registration: an id with its secret, redirect URIs, scopes and sites.

    An integration has several registrations: a published one, and a private one for each site.
    `sites` names the sites that accept this id and secret. `kind` may be the string `private` or
    `published`; `token_endpoint`, where codes and refresh tokens are sent, may be `v1` or `v2`.

    Raises:
        InputError: `unknown_kind`, `unknown_token_endpoint`, `bad_redirect_uri`.
    """

    client_id: str
    client_secret: Secret | None = field(default=None)
    name: str = ""
    kind: Kind = Kind.PRIVATE
    sites: tuple[str, ...] = ("us1",)
    scopes: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    onboarding_url: str = ""
    token_endpoint: TokenEndpoint = TokenEndpoint.V2

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _kind(self.kind))
        object.__setattr__(self, "token_endpoint", _token_endpoint(self.token_endpoint))
        for uri in self.redirect_uris:
            if why := why_no_redirect_uri(uri):
                what = f"{uri[:120]!a} is not a valid redirect URI. {why}"
                raise InputError("bad_redirect_uri", what)

    @property
    def secret(self) -> Secret:
        """Return the client secret.

        Raises:
            InputError: `missing_client_secret`.
        """
        if self.client_secret is None:
            name = self.name or self.client_id
            what = f"The {self.kind} client {name!r} has no client secret."
            raise InputError("missing_client_secret", what)
        return self.client_secret

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return a sentence about each value that is allowed but unusual."""
        stars = [uri for uri in self.redirect_uris if "*" in uri]
        return (
            *(unknown_scope(scope) for scope in self.scopes if scope not in known_scopes()),
            *(
                f"Datadog compares {uri!a} character by character: `*` is not a wildcard."
                for uri in stars
            ),
        )


def registration_from_file(
    path: str | os.PathLike[str],
    *,
    kind: Kind = Kind.PUBLISHED,
    sites: Iterable[str] = DATADOG_SITES.names,
    client_secret: Secret | None = None,
) -> ClientRegistration:
    """Read an integration's `assets/oauth_clients.json`, which does not contain the secret.

    A file for the kit may also contain `token_endpoint`, which Datadog's files don't have.

    Raises:
        InputError: `bad_client_file`, with the line and column of broken JSON;
            `unknown_token_endpoint`; `not_a_path`.
    """
    path = path_of(path, of="client file")
    integration = _read_integration(path)
    return ClientRegistration(
        client_id=_string(integration, "id", path),
        client_secret=client_secret,
        name=_string(integration, "name", path),
        kind=kind,
        sites=tuple(sites),
        scopes=_strings(integration, "scopes", path),
        redirect_uris=_strings(integration, "redirect_uris", path),
        onboarding_url=_onboarding_url(integration, path),
        token_endpoint=_token_endpoint(integration.get("token_endpoint", TokenEndpoint.V2)),
    )


def with_environment(
    registration: ClientRegistration, environ: Mapping[str, str] = os.environ
) -> ClientRegistration:
    """Return the registration with the token endpoint that `DDOAUTH_TOKEN_ENDPOINT` names, if any.

    Raises:
        InputError: `unknown_token_endpoint`.
    """
    named = environ.get("DDOAUTH_TOKEN_ENDPOINT", "").strip()
    return replace(registration, token_endpoint=_token_endpoint(named)) if named else registration


def registration_from_environment(
    *,
    site: str = "us1",
    kind: Kind = Kind.PRIVATE,
    environ: Mapping[str, str] = os.environ,
    file: str | Path | None = None,
) -> ClientRegistration:
    """Read the registration for one site from `DDOAUTH_…` variables.

    A private client uses `DDOAUTH_CLIENT_ID` and `DDOAUTH_CLIENT_SECRET` for the site in
    `DDOAUTH_CLIENT_SITE` (us1 by default); variables with a suffix such as `_EU1` or `_US1_FED` are
    for that site only. A published client uses `DDOAUTH_PUBLISHED_CLIENT_ID` and
    `DDOAUTH_PUBLISHED_CLIENT_SECRET` on every site. `DDOAUTH_CLIENT_FILE` (or `file`) names an
    `oauth_clients.json` for the rest; `DDOAUTH_REDIRECT_URIS`, `DDOAUTH_SCOPES` (both
    space-separated), `DDOAUTH_ONBOARDING_URL`, `DDOAUTH_NAME` and `DDOAUTH_TOKEN_ENDPOINT` (`v2` or
    `v1`) take precedence over the file.

    Raises:
        InputError: `unknown_site`, `missing_client_id`, `no_credentials_for_site`,
            `bad_client_file`, `no_live_on_binder`, `unknown_kind`, `bad_variable`,
            `unknown_token_endpoint`.
    """
    refuse_on_binder(environ)
    site, kind = DATADOG_SITES.named(site).name, _kind(kind)
    path = file or path_in("DDOAUTH_CLIENT_FILE", environ)
    base = registration_from_file(path, kind=kind) if path else None
    client_id, secret, sites = _credentials(site, kind, environ)
    if not client_id and base and kind is Kind.PUBLISHED:
        client_id = base.client_id
    if not client_id:
        raise _no_credentials(site, kind, environ)
    onboarding_url = value_of("DDOAUTH_ONBOARDING_URL", environ)
    if onboarding_url and not _opens_in_a_browser(onboarding_url):
        raise InputError("bad_variable", "DDOAUTH_ONBOARDING_URL is not an http or https URL.")
    registration = ClientRegistration(
        client_id=client_id,
        client_secret=Secret(secret, label="client_secret") if secret else None,
        name=value_of("DDOAUTH_NAME", environ) or (base.name if base else ""),
        kind=kind,
        sites=sites,
        scopes=words_of("DDOAUTH_SCOPES", environ) or (base.scopes if base else ()),
        redirect_uris=words_of("DDOAUTH_REDIRECT_URIS", environ)
        or (base.redirect_uris if base else ()),
        onboarding_url=onboarding_url or (base.onboarding_url if base else ""),
        token_endpoint=base.token_endpoint if base else TokenEndpoint.V2,
    )
    return with_environment(registration, environ)


def _credentials(
    site: str, kind: Kind, environ: Mapping[str, str]
) -> tuple[str, str, tuple[str, ...]]:
    """Return the id, the secret and the sites; unset variables are empty strings."""
    if kind is Kind.PUBLISHED:
        prefix, suffix, sites = "DDOAUTH_PUBLISHED_CLIENT", "", DATADOG_SITES.names
    else:
        prefix, suffix, sites = "DDOAUTH_CLIENT", f"_{site.upper().replace('-', '_')}", (site,)
        if not value_of(f"{prefix}_ID{suffix}", environ) and site == _home(environ):
            suffix = ""
    client_id = word_of(f"{prefix}_ID{suffix}", environ)
    return client_id, word_of(f"{prefix}_SECRET{suffix}", environ), sites


def _home(environ: Mapping[str, str]) -> str:
    return DATADOG_SITES.named(value_of("DDOAUTH_CLIENT_SITE", environ) or "us1").name


def _no_credentials(site: str, kind: Kind, environ: Mapping[str, str]) -> InputError:
    if kind is Kind.PRIVATE and value_of("DDOAUTH_CLIENT_ID", environ):
        what = f"The private client in the environment belongs to {_home(environ)}, not to {site}."
        return InputError("no_credentials_for_site", what)
    what = f"The environment names no {kind} client for {site}."
    return InputError("missing_client_id", what)


def _kind(value: str) -> Kind:
    """Convert a string to a `Kind`, because code compares kinds by identity."""
    try:
        return Kind(value)
    except ValueError:
        what = f"{value!r:.60} is not a kind of client; the kinds are {' and '.join(Kind)} ones."
        raise InputError("unknown_kind", what) from None


def _token_endpoint(value: object) -> TokenEndpoint:
    try:
        return TokenEndpoint(str(value))
    except ValueError:
        what = (
            f"{value!r:.60} is not a token endpoint; the endpoints are "
            f"{' and '.join(TokenEndpoint)}."
        )
        raise InputError("unknown_token_endpoint", what) from None


def _read_integration(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _bad_file(path, f"is larger than {MAX_FILE_BYTES} bytes")
        content = json.loads(edited_text(path))
    except OSError as error:
        raise _bad_file(path, f"cannot be read: {error.strerror or error}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise _bad_file(path, f"is not JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError):
        raise _bad_file(path, "is not JSON in UTF-8") from None
    integration = content.get("integration") if isinstance(content, dict) else None
    if not isinstance(integration, dict):
        raise _bad_file(path, "has no object `integration`")
    return integration


def _string(integration: dict[str, Any], name: str, path: str | Path) -> str:
    value = integration.get(name)
    if not isinstance(value, str) or not value.strip() or not _is_text(value):
        raise _bad_file(path, f"has no string in `integration.{name}`")
    return value


def _is_text(value: str) -> bool:
    """Return whether a string can be encoded; JSON strings may contain lone surrogates."""
    return value.isprintable()


def _onboarding_url(integration: dict[str, Any], path: str | Path) -> str:
    """Return the URL that the tile opens; unlike a redirect URI, it may have a fragment."""
    url = _string(integration, "onboarding_url", path)
    if not _opens_in_a_browser(url):
        raise _bad_file(
            path, "has an `integration.onboarding_url` that is not an http or https URL"
        )
    return url


def _opens_in_a_browser(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
    return usable and url.isascii() and " " not in url


def _strings(integration: dict[str, Any], name: str, path: str | Path) -> tuple[str, ...]:
    value = integration.get(name)
    if not isinstance(value, list) or not all(isinstance(v, str) and _is_text(v) for v in value):
        raise _bad_file(path, f"has no list of strings in `integration.{name}`")
    return tuple(dict.fromkeys(value))


def _bad_file(path: str | Path, what: str) -> InputError:
    return InputError("bad_client_file", f"The client file {quoted_path(path)} {what}.")
