"""The key panel creates one key, says where it is, and allows another try if that helps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.backends import ForgetfulKeyring
from support.panels import held

from ddoauth_kit.api.api_keys import ApiKey
from ddoauth_kit.errors import InputError
from ddoauth_kit.store import ChosenStore, KeyringStore, MemoryStore
from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook.panels import ApiKeyPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Slot, Store


class FullStore(MemoryStore):
    """Pass every trial, and then fail for keys, as a disk that fills up."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep everything but keys."""
        if slot.kind == "api_key" and not slot.is_probe:
            raise OSError(28, "no space")
        super().put(slot, secret)


class LockedStore(MemoryStore):
    """Refuse to be read, as a keyring that waits for its password."""

    def get(self, slot: Slot) -> Secret | None:
        """Refuse."""
        raise InputError("not_stored", f"The keyring is locked: {slot.kind}.")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


def keeping_in(lab: Lab, store: Store) -> Lab:
    """Return the same lab with another store."""
    return Lab(replace(lab.backend, store=ChosenStore(store), owned=False))


def pressed(panel: ApiKeyPanel) -> str:
    """Press the button, and return the panel's text."""
    panel._create.click()
    assert panel.finish(60)
    return str(panel.status.value)


def creations(lab: Lab) -> int:
    """Count the requests that would create a key."""
    return sum(e.method == "POST" and "api_keys" in e.url for e in lab.transcript)


def test_name_and_id_are_those_of_the_key_that_a_cell_made(lab: Lab) -> None:
    """A panel next to the cell shows them; a later kernel has only the key, and says so."""
    tokens = lab.connect()
    made = lab.api_key(tokens)
    assert isinstance(made, ApiKey)
    text = " ".join(ApiKeyPanel(lab, tokens).text().split())
    assert made.name in text
    assert made.key_id in text
    later = ApiKeyPanel(Lab(replace(lab.backend, owned=False)), tokens).text()
    assert "stored by an earlier lesson" in later
    assert "not stored" in later


def test_the_key_is_created_once(lab: Lab) -> None:
    """Two panels and a cell share one key, of which four characters are shown."""
    tokens = lab.connect()
    panel = ApiKeyPanel(lab, tokens)
    said = pressed(panel)
    assert isinstance(panel.api_key, ApiKey)
    assert "Stored in memory" in said
    assert panel._create.disabled
    assert lab.api_key(tokens).key == panel.api_key.key  # type: ignore[union-attr]
    again = ApiKeyPanel(lab, tokens)
    assert isinstance(again.api_key, ApiKey)
    assert again._create.layout.display == "none", "a button that can do nothing is not shown"
    assert again.api_key.name in again.html()
    assert again.api_key.key_id in again.html()
    assert creations(lab) == 1
    assert f"…{panel.api_key.key.reveal()[-4:]}" in said
    assert panel.api_key.key.reveal() not in held()


def test_a_key_that_exists_elsewhere_can_be_deleted_and_made_anew(lab: Lab) -> None:
    """The refusal's card says so, and the next click works once the customer has done it."""
    tokens = lab.connect()
    other = keeping_in(lab, MemoryStore()).api_key(tokens)
    assert isinstance(other, ApiKey)
    panel = ApiKeyPanel(lab, tokens)
    assert "already exists" in pressed(panel)
    assert "api_key_exists" in repr(panel)
    assert not panel._create.disabled
    lab.customer.revoke_api_key(other.key_id)
    assert "Stored in" in pressed(panel)


def test_a_store_that_keeps_nothing_costs_no_key(lab: Lab) -> None:
    """Nothing is sent, the card says why, and the button works again."""
    panel = ApiKeyPanel(keeping_in(lab, KeyringStore(ForgetfulKeyring())), lab.connect())
    assert "not_stored" in pressed(panel)
    assert not panel._create.disabled
    assert creations(lab) == 0


def test_a_store_that_cannot_be_read_is_a_card_and_no_traceback(lab: Lab) -> None:
    """The cell that shows the panel does not fail."""
    panel = ApiKeyPanel(keeping_in(lab, LockedStore()), lab.connect())
    assert "The keyring is locked" in repr(panel)
    assert "not_stored" in pressed(panel)
    assert creations(lab) == 0


def test_a_key_that_was_made_and_not_kept_is_not_said_to_be_kept(lab: Lab) -> None:
    """The panel has the only copy, and says how to save it."""
    panel = ApiKeyPanel(keeping_in(lab, FullStore()), lab.connect())
    said = pressed(panel)
    assert isinstance(panel.api_key, ApiKey)
    assert "Stored in" not in said
    assert "panel.api_key.key.reveal()" in said
    assert panel.api_key.key.reveal() not in held()
    assert creations(lab) == 1


def test_without_writes_nothing_is_sent(lab: Lab) -> None:
    """The sentence names the parameter, and the button has nothing more to offer."""
    panel = ApiKeyPanel(Lab(replace(lab.backend, writes=False, owned=False)), lab.connect())
    assert "WRITES = True" in pressed(panel)
    assert panel._create.disabled
    assert creations(lab) == 0


def test_without_the_scope_nothing_is_sent(lab: Lab) -> None:
    """The sentence names the scope, and the button has nothing more to offer."""
    tokens = lab.connect()
    lab.oauth.registration = replace(lab.registration, scopes=("metrics_read",))
    panel = ApiKeyPanel(lab, tokens)
    assert "api_keys_write" in pressed(panel)
    assert panel._create.disabled
    assert creations(lab) == 0
