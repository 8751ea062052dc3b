"""Create the API key so that it cannot get lost: prove the store, create, keep, and only then tell.

Datadog shows the key once, and a second request is refused while the first key lives. Between the
arrival of the answer and the end of `put` the process must not die; the time is measured by
`tests/soak/test_killed_at_any_instant.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.api.api_keys import ApiKey, create_api_key
from ddoauth_kit.errors import ApiKeyError, DdoauthError
from ddoauth_kit.store import Slot, Store, refuse_unwritable

if TYPE_CHECKING:
    from ddoauth_kit.http import Http
    from ddoauth_kit.oauth.tokens import TokenSet


class ApiKeyNotKeptError(ApiKeyError):
    """Carry the only copy of a key that was created and could not be kept: `api_key`."""

    def __init__(self, api_key: ApiKey, *, cause: str) -> None:
        what = f"The key was created, but could not be kept ({cause})."
        super().__init__("api_key_not_kept", what)
        self.api_key = api_key
        self.cause = cause


def api_key_slot(tokens: TokenSet, *, client_kind: str = "") -> Slot:
    """Return where the key of a grant belongs: there is one for each client and organization."""
    return Slot("api_key", tokens.site.name, tokens.client_id, client_kind, tokens.dd_oid)


def create_kept_api_key(
    http: Http, *, tokens: TokenSet, store: Store, slot: Slot | None = None
) -> ApiKey:
    """Create the key and keep it, in the slot of its client and organization or in the one given.

    A key that is in the slot already is moved beside it, for it may be another organization's.

    Raises:
        InputError: `not_stored` or `unsafe_store`; nothing was sent.
        ApiKeyNotKeptError: `api_key_not_kept`; the error holds the key, save it from there.
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


def _spare(store: Store, slot: Slot) -> Slot | None:
    """Keep the key that a slot holds in one of its own, named by a hash of it, and return that."""
    held = store.get(slot) if slot in store.slots() else None
    if held is None:
        return None
    mark = hashlib.sha256(held.reveal().encode()).hexdigest()[:12]
    spare = replace(slot, org=f"{slot.org}.replaced-{mark}".lstrip("."))
    store.put(spare, held)
    return spare


def cause_of(error: Exception) -> str:
    """Return what a store says; of an exception that is not the kit's, its name alone."""
    return error.what.rstrip(".") if isinstance(error, DdoauthError) else type(error).__name__
