"""Create the one API key of a client in an organization, and ask whether a key is valid.

Datadog's page on OAuth endpoints calls the creating request `marketplace_create_api`. The key is
shown once, in its answer, and never again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.answers import read_object, unexpected
from ddoauth_kit.api.refusals import refusal, refuse_failure
from ddoauth_kit.errors import ApiKeyError
from ddoauth_kit.message import Request, Response
from ddoauth_kit.redaction import redact
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import Host, Site

if TYPE_CHECKING:
    from ddoauth_kit.http import Http
    from ddoauth_kit.oauth.tokens import TokenSet

MARKETPLACE_PATH: Final = "/api/v2/api_keys/marketplace"
VALIDATE_PATH: Final = "/api/v1/validate"
_FORBIDDEN: Final = 403
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Hold an API key, its id and name as the customer sees them, and the site it works on."""

    key: Secret
    key_id: str
    name: str
    site: Site


def create_api_key(http: Http, *, tokens: TokenSet) -> ApiKey:
    """Create the key; store the result before anything else, it cannot be had again.

    Raises:
        ApiKeyError: `api_key_scope_missing` (without sending, if the grant says so),
            `api_key_exists`, or another refusal.
        AnswerError, NetworkError: no readable answer arrived; the key may exist all the same.
    """
    if "api_keys_write" not in tokens.scopes:
        what = "The grant does not hold `api_keys_write`; nothing was sent."
        raise ApiKeyError("api_key_scope_missing", what)
    answer = http.send(api_key_request(tokens))
    return read_api_key(answer, site=tokens.site, secrets=(tokens.access_token,))


def api_key_request(tokens: TokenSet) -> Request:
    """Build the creating request: a bearer token and no body."""
    return Request(
        purpose="API key creation",
        method="POST",
        site=tokens.site,
        host=Host.API,
        path=MARKETPLACE_PATH,
        headers=(("authorization", tokens.access_token),),
    )


def read_api_key(response: Response, *, site: Site, secrets: tuple[Secret, ...] = ()) -> ApiKey:
    """Read the one answer that holds the key; `secrets` are masked where its texts repeat them.

    Raises:
        ApiKeyError: `api_key_exists` (409), `api_key_scope_missing` (403), or as other APIs.
        AnswerError: the answer cannot be read.
    """
    if response.status == _CONFLICT:
        raise refusal(response, "api_key_exists", error=ApiKeyError)
    if response.status == _FORBIDDEN:
        raise refusal(response, "api_key_scope_missing", error=ApiKeyError)
    refuse_failure(response, error=ApiKeyError)
    data = read_object(response).get("data")
    attributes = data.get("attributes") if isinstance(data, dict) else None
    key = attributes.get("key") if isinstance(attributes, dict) else None
    if not isinstance(data, dict) or not isinstance(attributes, dict):
        raise unexpected(response, "has no `data.attributes`")
    if not isinstance(key, str) or not key:
        raise unexpected(response, "has no `data.attributes.key`")
    secret = Secret(key, label="api_key", show_last_four=True)
    known = (secret, *secrets)
    return ApiKey(
        key=secret,
        key_id=redact(str(data.get("id", "")), secrets=known),
        name=redact(str(attributes.get("name", "")), secrets=known),
        site=site,
    )


def validate_api_key(http: Http, *, key: Secret, site: Site) -> bool:
    """Ask the site whether it accepts a key.

    Raises:
        ApiKeyError: `unauthorized`, `rate_limited` or another refusal that is no plain no.
        AnswerError, NetworkError: no readable answer arrived.
    """
    return read_validation(http.send(validation_request(key, site=site)))


def validation_request(key: Secret, *, site: Site) -> Request:
    """Build the question whether a key is valid."""
    return Request(
        purpose="API key validation",
        method="GET",
        site=site,
        host=Host.API,
        path=VALIDATE_PATH,
        headers=(("dd-api-key", key),),
        repeatable=True,
    )


def read_validation(response: Response) -> bool:
    """Read the answer: 403 is a plain no.

    Raises:
        ApiKeyError: another refusal.
        AnswerError: the answer cannot be read.
    """
    if response.status == _FORBIDDEN:
        return False
    refuse_failure(response, error=ApiKeyError)
    return read_object(response).get("valid") is True
