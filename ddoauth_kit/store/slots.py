"""Name where a secret is kept, and say what every store can do."""

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
    """Name where one secret is kept: what it is, and of which site, client and organization.

    `kind` is `refresh_token`, `api_key`, `client_secret` or `grant`. A token is worth nothing on
    another site, so the site is part of the name. `client_kind` is private, published or empty,
    and `org` the organization's id or empty, if there is only one of each.
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
        """Return the slot as one text, such as `api_key:us1:acme`, the same for every store."""
        return ":".join(quote(part, safe="") for part in astuple(self)).rstrip(":")

    @property
    def probe(self) -> Slot:
        """Return the slot beside this one in which a store is tried."""
        return Slot(_PROBE + self.kind, self.site, self.client_id, self.client_kind, self.org)

    @property
    def is_probe(self) -> bool:
        """Return whether this slot is only for such a trial; its content is not a secret."""
        return self.kind.startswith(_PROBE)


def slot_named(name: str) -> Slot | None:
    """Return the slot of a name, or None if the name has another form."""
    parts = [unquote(part) for part in name.split(":")]
    slot = Slot(*parts) if _FEWEST <= len(parts) <= _MOST else None
    return slot if slot is not None and slot.name == name else None


def wrapped(slot: Slot, value: str) -> Secret:
    """Return a value as the secret of its slot; an API key shows its last four, as Datadog does."""
    return Secret(value, label=slot.kind, show_last_four=slot.kind == "api_key")


class Store(Protocol):
    """Keep secrets by slot; `where` says in words how long they live and who may read them."""

    @property
    def where(self) -> str:
        """Return where things are kept, for people."""

    def get(self, slot: Slot) -> Secret | None:
        """Return what the slot holds, or None."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep a secret; when this returns, it is certain to be kept."""

    def forget(self, slot: Slot) -> None:
        """Drop what the slot holds, if anything."""

    def slots(self) -> tuple[Slot, ...]:
        """Return which slots hold something, and nothing of what they hold."""

    def alone(self, slot: Slot) -> AbstractContextManager[object]:
        """Keep everybody else who asks for the same slot waiting; reading needs no permission."""


def refuse_unwritable(store: Store, slot: Slot) -> None:
    """Check that a store keeps what it is given, before something is created that is shown once.

    Raises:
        InputError: `not_stored` or `unsafe_store`.
    """
    # As long as what will follow, so that a disk with room for a few bytes is found out.
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
    """Return the environment variables that may hold a slot's secret, the most exact one first.

    `DDOAUTH_API_KEY_EU1` is for whichever client is in use; `DDOAUTH_API_KEY_EU1__ACME` is of the
    client `acme` alone; characters other than letters and digits become `_`.
    """
    general = _shouted(f"DDOAUTH_{slot.kind}_{slot.site}")
    of_client = f"{general}__{_shouted(slot.client_id)}"
    of_org = (f"{of_client}__{_shouted(slot.org)}",) if slot.org else ()
    return (*of_org, of_client, general)


def from_environment(slot: Slot, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the variable that holds a slot's secret and its value; both empty where none does."""
    for variable in variables(slot):
        if value := value_of(variable, environ):
            return variable, value
    return "", ""


def _shouted(text: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in text).upper()
