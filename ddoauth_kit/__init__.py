"""Datadog's OAuth flow, step by step: build a request, send it, read the answer."""

from ddoauth_kit import errors
from ddoauth_kit.api.api_keys import ApiKey, create_api_key, validate_api_key
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.explainer import explain
from ddoauth_kit.http import Http
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
from ddoauth_kit.oauth.client import OAuthClient
from ddoauth_kit.oauth.tokens import TokenSet
from ddoauth_kit.registration import (
    ClientRegistration,
    Kind,
    registration_from_environment,
    registration_from_file,
)
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Endpoints, Site, SiteTable

__all__ = [
    "DATADOG_SITES",
    "ApiKey",
    "AuthorizationRequest",
    "AuthorizationResponse",
    "ClientRegistration",
    "DdoauthError",
    "Endpoints",
    "Http",
    "Kind",
    "OAuthClient",
    "Secret",
    "Site",
    "SiteTable",
    "TokenSet",
    "create_api_key",
    "errors",
    "explain",
    "registration_from_environment",
    "registration_from_file",
    "validate_api_key",
]
