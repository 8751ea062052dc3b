"""Create a client's API key in an organization, and check whether a key is valid.

Datadog's page on OAuth endpoints calls the request that creates a key `marketplace_create_api`. The
response to that request contains the key, which Datadog never shows again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.api.refusals import refusal, refuse_failure
from ddoauth_kit.errors import ApiKeyError, DdoauthError
from ddoauth_kit.exchange import Purpose
from ddoauth_kit.http.answers import read_object, unexpected
from ddoauth_kit.http.message import Request, Response
from ddoauth_kit.masking.redaction import redact
from ddoauth_kit.oauth.tokens import api_request
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import Host, Site
from ddoauth_kit.store import Slot, Store, refuse_unwritable

if TYPE_CHECKING:
    from ddoauth_kit.http.sender import Http
    from ddoauth_kit.oauth.tokens import TokenSet

MARKETPLACE_PATH: Final = "/api/v2/api_keys/marketplace"
VALIDATE_PATH: Final = "/api/v1/validate"
OWNER_PATH: Final = "/api/v2/validate"
_FORBIDDEN: Final = 403
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, the site it works on, and the id and name that the customer sees."""

    key: Secret
    key_id: str
    name: str
    site: Site


def create_api_key(http: Http, *, tokens: TokenSet) -> ApiKey:
    """Create the key; store the result before you do anything else, because you can't get it again.

    Raises:
        ApiKeyError: `api_key_scope_missing` (if the grant lacks the scope, nothing is sent),
            `api_key_exists`, or another refusal.
        AnswerError, NetworkError: no readable response arrived, but the key may exist.
    """
    if "api_keys_write" not in tokens.scopes:
        what = "The grant does not include `api_keys_write`; nothing was sent."
        raise ApiKeyError("api_key_scope_missing", what)
    answer = http.send(api_key_request(tokens))
    return read_api_key(answer, site=tokens.site, secrets=(tokens.access_token,))


def api_key_request(tokens: TokenSet) -> Request:
    """Build the request that creates a key, with a bearer token and no body."""
    return api_request(tokens, Purpose.KEY_CREATION, MARKETPLACE_PATH, method="POST")


def read_api_key(response: Response, *, site: Site, secrets: tuple[Secret, ...] = ()) -> ApiKey:
    """Read the only response that contains the key; errors mask any of `secrets` that it repeats.

    Raises:
        ApiKeyError: `api_key_exists` (409), `api_key_scope_missing` (403), or a code from
        `refuse_failure`.
        AnswerError: the response cannot be read.
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
    """Ask a key's site whether it accepts the key.

    Raises:
        ApiKeyError: `unauthorized`, `rate_limited` or another refusal that doesn't mean "not
            valid".
        AnswerError, NetworkError: no readable response arrived.
    """
    return read_validation(http.send(validation_request(key, site=site)))


def validation_request(key: Secret, *, site: Site) -> Request:
    """Build the request that asks whether a key is valid."""
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
    """Return whether the key is valid: a 403 means no, unless it is a proxy's web page.

    Raises:
        ApiKeyError: another refusal.
        AnswerError: the response cannot be read.
    """
    if response.status == _FORBIDDEN:
        read_object(response)
        return False
    refuse_failure(response, error=ApiKeyError)
    return read_object(response).get("valid") is True


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """A key's owner: the organization's public UUID, and the key's id."""

    org: str
    key_id: str


def key_owner_request(key: Secret, *, site: Site) -> Request:
    """Build the request that asks which organization a key belongs to."""
    question = validation_request(key, site=site)
    return replace(question, purpose="API key owner call", path=OWNER_PATH)


def read_key_owner(response: Response) -> KeyOwner | None:
    """Return the owner from the response, or None if the site does not accept the key.

    Raises:
        ApiKeyError: another refusal.
        AnswerError: the response cannot be read.
    """
    if response.status == _FORBIDDEN:
        read_object(response)  # a 403 page from a proxy says nothing about the key
        return None
    refuse_failure(response, error=ApiKeyError)
    data = read_object(response).get("data")
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(attributes, dict):
        raise unexpected(response, "has no `data.attributes`")
    if attributes.get("valid") is not True:
        return None
    return KeyOwner(org=str(data.get("id", "")), key_id=str(attributes.get("api_key_id", "")))


class ApiKeyNotKeptError(ApiKeyError):
    """A key was created but could not be stored; `api_key` is the only copy."""

    def __init__(self, api_key: ApiKey, *, cause: str) -> None:
        what = f"The key was created, but could not be stored ({cause})."
        super().__init__("api_key_not_kept", what)
        self.api_key = api_key
        self.cause = cause


def api_key_slot(tokens: TokenSet, *, client_kind: str = "") -> Slot:
    """Return the slot for a grant's key, one for each client and organization."""
    return Slot("api_key", tokens.site.name, tokens.client_id, client_kind, tokens.dd_oid)


def create_kept_api_key(
    http: Http, *, tokens: TokenSet, store: Store, slot: Slot | None = None
) -> ApiKey:
    """Create the key and store it in `slot`, by default that of its client and organization.

    A key that is already in the slot is moved to another slot, because it may belong to another
    organization.

    Raises:
        InputError: `not_stored` or `unsafe_store`; nothing was sent.
        ApiKeyNotKeptError: `api_key_not_kept`; the error contains the key, so save it from there.
        ApiKeyError, AnswerError, NetworkError: see `create_api_key`.
    """
    slot = slot or api_key_slot(tokens)
    refuse_unwritable(store, slot)
    spare = _spare(store, slot)
    try:
        api_key = create_api_key(http, tokens=tokens)
    except DdoauthError:
        if spare is not None:
            store.forget(spare)
        raise
    try:
        store.put(slot, api_key.key)
    except Exception as error:  # noqa: BLE001 - the key is in hand, and must not be lost now
        raise ApiKeyNotKeptError(api_key, cause=cause_of(error)) from None
    return api_key


def ensure_api_key(
    http: Http, *, tokens: TokenSet, store: Store, slot: Slot | None = None
) -> ApiKey:
    """Return the stored key for the grant's client and organization, or create and store one.

    If there is a stored key, this function first asks the site whether the key is still valid. A
    key that was revoked is deleted, and a key that belongs to another organization is moved to
    another slot; a new key is then created. Threads that call this function at the same time create
    only one key, and so do processes if the store is a folder or a keyring. A key that is read from
    the store has no name.

    Raises:
        InputError, ApiKeyNotKeptError, ApiKeyError, AnswerError, NetworkError: see
            `create_kept_api_key`. `api_key_exists` means that a key exists, but not
            in this store.
    """
    slot = slot or api_key_slot(tokens)
    with store.alone(slot):
        held = store.get(slot)
        if held is not None:
            owner = read_key_owner(http.send(key_owner_request(held, site=tokens.site)))
            if owner is not None and tokens.dd_oid in {"", owner.org}:
                return ApiKey(key=held, key_id=owner.key_id, name="", site=tokens.site)
            if owner is None:
                store.forget(slot)
        return create_kept_api_key(http, tokens=tokens, store=store, slot=slot)


def _spare(store: Store, slot: Slot) -> Slot | None:
    """Copy a slot's key to a new slot that is named after the key's hash, and return that slot."""
    held = store.get(slot) if slot in store.slots() else None
    if held is None:
        return None
    mark = hashlib.sha256(held.reveal().encode("utf-8", "surrogatepass")).hexdigest()[:12]
    spare = replace(slot, org=f"{slot.org}.replaced-{mark}".lstrip("."))
    store.put(spare, held)
    return spare


def cause_of(error: Exception) -> str:
    """Return the message of a store's error, or only the class name of any other exception."""
    return error.what.rstrip(".") if isinstance(error, DdoauthError) else type(error).__name__
