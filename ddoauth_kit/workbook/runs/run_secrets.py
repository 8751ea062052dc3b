"""Know the secrets that a notebook's run can meet: the environment's, and the store's when live."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.known_secrets import environment_secrets
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store import MemoryStore, open_store
from ddoauth_kit.store.contents import stored_secrets
from ddoauth_kit.workbook.lab.backend import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.secret import Secret


def known_secrets(parameters: Mapping[str, Any]) -> Callable[[], tuple[Secret, ...]]:
    """Return what tells all secrets that are known now for a notebook with these parameters.

    A live lesson puts new tokens and keys into the keyring while it runs, so the store is asked
    again each time. All that has been seen stays known: a token that was replaced is still one.
    """
    seen: dict[Secret, None] = dict.fromkeys(environment_secrets())
    client_id, site = _live_client(parameters)
    store = open_store(environ={}).store if client_id else MemoryStore()

    def now() -> tuple[Secret, ...]:
        if client_id:
            found = stored_secrets(store, sites=(site,), client_ids=(client_id,))
            seen.update(dict.fromkeys(found))
        return tuple(seen)

    return now


def _live_client(parameters: Mapping[str, Any]) -> tuple[str, str]:
    """Return client id and site of a live lesson; empty texts where nothing can be stored."""
    if parameters.get("MODE") != Mode.LIVE:
        return "", ""
    site = str(parameters.get("SITE") or "us1")
    file = str(parameters.get("CLIENT") or os.environ.get("DDOAUTH_CLIENT_FILE") or "")
    try:
        registration = live_registration(site, client=file)
    except InputError:
        return "", ""
    return registration.client_id, DATADOG_SITES.named(site).name
