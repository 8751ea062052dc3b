"""Datadog's OAuth flow, step by step: build a request, send it, and read the response.

Each name is loaded only when it is first used, because pytest imports this package for its plugin
on every run.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddoauth_kit import errors
    from ddoauth_kit.api.api_keys import (
        ApiKey,
        create_api_key,
        create_kept_api_key,
        ensure_api_key,
        validate_api_key,
    )
    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.errors.explainer import explain
    from ddoauth_kit.http.sender import Http
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.grant import Grant
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.registration import (
        ClientRegistration,
        Kind,
        registration_from_environment,
        registration_from_file,
    )
    from ddoauth_kit.secret import Secret
    from ddoauth_kit.sites import DATADOG_SITES, Endpoints, Site, SiteTable
    from ddoauth_kit.store import FileStore

__all__ = [
    "DATADOG_SITES",
    "ApiKey",
    "AuthorizationRequest",
    "AuthorizationResponse",
    "ClientRegistration",
    "DdoauthError",
    "Endpoints",
    "FileStore",
    "Grant",
    "Http",
    "Kind",
    "OAuthClient",
    "Secret",
    "Site",
    "SiteTable",
    "TokenSet",
    "create_api_key",
    "create_kept_api_key",
    "ensure_api_key",
    "errors",
    "explain",
    "registration_from_environment",
    "registration_from_file",
    "validate_api_key",
]

_PLACES = {
    "DATADOG_SITES": "ddoauth_kit.sites",
    "ApiKey": "ddoauth_kit.api.api_keys",
    "AuthorizationRequest": "ddoauth_kit.oauth.authorization_request",
    "AuthorizationResponse": "ddoauth_kit.oauth.authorization_response",
    "ClientRegistration": "ddoauth_kit.registration",
    "DdoauthError": "ddoauth_kit.errors",
    "Endpoints": "ddoauth_kit.sites",
    "FileStore": "ddoauth_kit.store",
    "Grant": "ddoauth_kit.oauth.grant",
    "Http": "ddoauth_kit.http.sender",
    "Kind": "ddoauth_kit.registration",
    "OAuthClient": "ddoauth_kit.oauth.client",
    "Secret": "ddoauth_kit.secret",
    "Site": "ddoauth_kit.sites",
    "SiteTable": "ddoauth_kit.sites",
    "TokenSet": "ddoauth_kit.oauth.tokens",
    "create_api_key": "ddoauth_kit.api.api_keys",
    "create_kept_api_key": "ddoauth_kit.api.api_keys",
    "ensure_api_key": "ddoauth_kit.api.api_keys",
    "errors": "ddoauth_kit.errors",
    "explain": "ddoauth_kit.errors.explainer",
    "registration_from_environment": "ddoauth_kit.registration",
    "registration_from_file": "ddoauth_kit.registration",
    "validate_api_key": "ddoauth_kit.api.api_keys",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_PLACES[name])
    found: object = getattr(module, name, module)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
