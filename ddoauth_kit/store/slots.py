"""Name the places for secrets, and define the methods of every store."""

from __future__ import annotations

import os
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, unquote

from ddoauth_kit.environment_values import value_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

_PROBE: Final = "probe_"
_FEWEST: Final = 3
_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """The place for one secret: its kind, site, client and organization.

    `kind` is `refresh_token`, `api_key`, `client_secret` or `grant`. A token does not work on
    another site, so the site is part of the name. `client_kind` is `private`, `published` or empty,
    and `org` is the organization's id or empty.
    """

    kind: str
    site: str
    client_id: str
    client_kind: str = ""
    org: str = ""

    def __str__(self) -> str:
        client = f"{self.client_kind} {self.client_id}".strip()
        org = f" in {self.org}" if self.org else ""
        return f"{self.kind} of {client} on {self.site}{org}"

    @property
    def name(self) -> str:
        """Return the slot's name, such as `api_key:us1:acme`, which is the same in every store."""
        return ":".join(quote(part, safe="") for part in astuple(self)).rstrip(":")

    @property
    def probe(self) -> Slot:
        """Return a slot next to this one, for testing a store."""
        return Slot(_PROBE + self.kind, self.site, self.client_id, self.client_kind, self.org)

    @property
    def is_probe(self) -> bool:
        """Return whether this slot is only for such a test, so its content is not a secret."""
        return self.kind.startswith(_PROBE)


def slot_named(name: str) -> Slot | None:
    """Return the slot with this name, or None if the name has another format."""
    parts = [unquote(part) for part in name.split(":")]
    slot = Slot(*parts) if _FEWEST <= len(parts) <= _MOST else None
    return slot if slot is not None and slot.name == name else None


def wrapped(slot: Slot, value: str) -> Secret:
    """Wrap a value as the slot's secret; an API key shows its last four characters."""
    return Secret(value, label=slot.kind, show_last_four=slot.kind == "api_key")


class Store(Protocol):
    """Store secrets by slot; `where` says how long they live and who can read them."""

    @property
    def where(self) -> str:
        """Say where secrets are stored."""

    def get(self, slot: Slot) -> Secret | None:
        """Return the secret in the slot, or None."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Store a secret; when this method returns, the secret is safely stored."""

    def forget(self, slot: Slot) -> None:
        """Delete the secret in the slot, if there is one."""

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots in use, but not their secrets."""

    def alone(self, slot: Slot) -> AbstractContextManager[object]:
        """Block everyone else who needs the same slot, except readers."""


def refuse_unwritable(store: Store, slot: Slot) -> None:
    """Check that a store works before a secret that is shown only once is created.

    Raises:
        InputError: `not_stored` or `unsafe_store`.
    """
    # The test value is as long as the real one, to detect a disk with room for only a few bytes.
    written = Secret(os.urandom(128).hex(), label="probe")
    try:
        try:
            store.put(slot.probe, written)
            kept = store.get(slot.probe)
        finally:
            store.forget(slot.probe)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - each keyring has exceptions of its own
        what = f"Nothing can be stored in {store.where}: {type(error).__name__}."
        raise InputError("not_stored", what) from None
    if kept != written:
        raise InputError("not_stored", f"Values written to {store.where} do not stay there.")


def variables(slot: Slot) -> tuple[str, ...]:
    """Return the environment variables that may contain a slot's secret, most specific first.

    `DDOAUTH_API_KEY_EU1` is for any client, and `DDOAUTH_API_KEY_EU1__ACME` only for the client
    `acme`. Characters other than letters and digits become `_`.
    """
    general = _shouted(f"DDOAUTH_{slot.kind}_{slot.site}")
    of_client = f"{general}__{_shouted(slot.client_id)}"
    of_org = (f"{of_client}__{_shouted(slot.org)}",) if slot.org else ()
    return (*of_org, of_client, general)


def from_environment(slot: Slot, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the variable that contains a slot's secret, and its value, or two empty strings."""
    for variable in variables(slot):
        if value := value_of(variable, environ):
            return variable, value
    return "", ""


def _shouted(text: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in text).upper()
