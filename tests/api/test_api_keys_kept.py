"""The key that is shown once is in the store before anybody sees it, or in the error's hands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.backends import ForgetfulKeyring
from support.builders import API_KEY, tokens, with_locals
from support.loopback import Answer

from ddoauth_kit.api.api_keys import ApiKeyNotKeptError, api_key_slot, create_kept_api_key
from ddoauth_kit.errors import ApiKeyError, InputError
from ddoauth_kit.errors.explainer import explain
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import KeyringStore, MemoryStore, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit import Http

    Serve = Callable[..., RecordingServer]

CREATED = Answer(json.dumps({"data": {"id": "k1", "attributes": {"key": API_KEY}}}), 201)
EXISTS = Answer('{"errors": ["An API key with this name already exists"]}', 409)


class FullStore(MemoryStore):
    """Pass every trial, and then fail with the secret in its words, as a disk that fills up."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep trials only."""
        if not slot.is_probe:
            raise OSError(28, f"no space for {secret.reveal()}")
        super().put(slot, secret)


def test_the_key_is_kept_first(http: Http, serve: Serve) -> None:
    """When the call returns, the key is in the slot of its site, client and organization."""
    store = MemoryStore()
    grant = tokens(site=serve(CREATED).site, dd_oid="org-1")
    api_key = create_kept_api_key(http, tokens=grant, store=store)
    assert store.slots() == (api_key_slot(grant),)
    assert str(api_key_slot(grant)) == f"api_key of {grant.client_id} on lab1 in org-1"
    assert store.get(api_key_slot(grant)) == api_key.key


def test_no_key_without_a_store(http: Http, serve: Serve) -> None:
    """A store that doesn't store anything is detected before anything is sent."""
    server = serve(CREATED)
    with pytest.raises(InputError) as caught:
        create_kept_api_key(
            http, tokens=tokens(site=server.site), store=KeyringStore(ForgetfulKeyring())
        )
    assert caught.value.code == "not_stored"
    assert server.arrived == []


@pytest.mark.checklist("C9")
def test_the_one_way_to_save_it(http: Http, serve: Serve) -> None:
    """If storing fails after all, the error carries the key and says how to save it, unseen."""
    with pytest.raises(ApiKeyNotKeptError) as caught:
        create_kept_api_key(http, tokens=tokens(site=serve(CREATED).site), store=FullStore())
    error = caught.value
    assert error.api_key.key.reveal() == API_KEY
    assert (error.code, error.cause) == ("api_key_not_kept", "OSError")
    assert "error.api_key.key.reveal()" in str(error)
    assert API_KEY not in str(error) + with_locals(error)
    assert "revoke the key" in explain(error).evidence


def test_an_older_key_is_moved_aside(http: Http, serve: Serve) -> None:
    """A key in the slot may be another organization's; it is kept along with the new one."""
    store, slot = MemoryStore(), Slot("api_key", "lab1", "acme")
    older = Secret("0" * 32, label="api_key")
    store.put(slot, older)
    site = serve(CREATED, CREATED).site
    create_kept_api_key(http, tokens=tokens(site=site), store=store, slot=slot)
    assert store.get(slot) == Secret(API_KEY, label="api_key")
    (beside,) = [each for each in store.slots() if each != slot]
    assert store.get(beside) == older
    create_kept_api_key(http, tokens=tokens(site=site), store=store, slot=slot)
    assert len(store.slots()) == 3


def test_a_refusal_leaves_the_store_alone(http: Http, serve: Serve) -> None:
    """A second creation is refused, and the stored key stays in its slot."""
    store, slot = MemoryStore(), Slot("api_key", "lab1", "acme")
    kept = Secret(API_KEY, label="api_key")
    store.put(slot, kept)
    grant = tokens(site=serve(EXISTS).site)
    with pytest.raises(ApiKeyError) as caught:
        create_kept_api_key(http, tokens=grant, store=store, slot=slot)
    assert caught.value.code == "api_key_exists"
    assert store.get(slot) == kept
    assert store.slots() == (slot,)
