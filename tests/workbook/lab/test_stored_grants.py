"""One grant's refresh token is never lost for another's, whoever refreshes, revokes or fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.store import ChosenStore, MemoryStore
from ddoauth_kit.workbook import Lab, open_sandbox_lab, provoke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Slot


class Clinging(MemoryStore):
    """Keep what it has, as a folder does that became read-only."""

    def forget(self, slot: Slot) -> None:
        """Refuse."""
        raise InputError("not_stored", f"{slot.kind} cannot be deleted.")


class Full(MemoryStore):
    """Take nothing."""

    def put(self, slot: Slot, secret: Secret) -> None:  # noqa: ARG002
        """Refuse."""
        raise InputError("not_stored", f"No room for {slot.kind}.")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a lab with a sandbox of its own."""
    with open_sandbox_lab() as lab:
        yield lab


def with_store(lab: Lab, store: MemoryStore) -> Lab:
    """Return a lab of the same sandbox that keeps elsewhere."""
    return Lab(replace(lab.backend, store=ChosenStore(store), close=lambda: None))


def test_the_newest_authorization_is_kept(lab: Lab) -> None:
    """A person who authorizes again means the new grant."""
    older, newer = lab.exchange(lab.authorize()), lab.exchange(lab.authorize())
    assert lab.grants.holds(newer)
    assert not lab.grants.holds(older)


def test_a_refresh_of_an_older_grant_does_not_take_the_place_of_the_newer(lab: Lab) -> None:
    """A panel with older tokens renews its own, and the store goes on holding the newer."""
    older, newer = lab.exchange(lab.authorize()), lab.exchange(lab.authorize())
    lab.refresh(older)
    assert lab.grants.holds(newer)
    assert lab.grants.holds(lab.refresh(newer))


@pytest.mark.parametrize("end", ["revoke", "refuse"])
def test_the_end_of_an_older_grant_leaves_the_newer(lab: Lab, end: str) -> None:
    """Revoked or refused, only its own token is forgotten, and the newer one still works."""
    older = lab.exchange(lab.authorize())
    lab.oauth.revoke(older)
    newer = lab.exchange(lab.authorize())
    if end == "revoke":
        lab.revoke(older)
    else:
        assert provoke(lab.refresh, older).code == "invalid_refresh_token"
    assert lab.grants.holds(newer)


def test_a_grant_that_ends_is_forgotten(lab: Lab) -> None:
    """Revoked, and refused, its own token is in the store no more."""
    first = lab.connect()
    lab.revoke(first)
    assert not lab.store.slots()
    second = lab.exchange(lab.authorize())
    lab.oauth.revoke(second)
    provoke(lab.refresh, second)
    assert not lab.store.slots()


def test_a_store_that_cannot_forget_leads_to_no_loop(lab: Lab) -> None:
    """The dead token is tried once, then the customer is asked again."""
    clinging = with_store(lab, Clinging())
    lab.oauth.revoke(clinging.connect())
    before = len(lab.transcript)
    assert clinging.connect().access_token
    purposes = [each.purpose for each in lab.transcript][before:]
    assert purposes == ["token refresh", "token exchange"]


def test_what_cannot_be_kept_is_told_and_not_held(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tokens are returned all the same."""
    full = with_store(lab, Full())
    tokens = full.exchange(full.authorize())
    assert "could not be kept" in capsys.readouterr().out
    assert not full.grants.holds(tokens)


def test_tokens_without_a_refresh_token_need_no_place(lab: Lab) -> None:
    """There is nothing to keep, and nothing of another grant to forget."""
    kept = lab.connect()
    bare = replace(kept, refresh_token=None)
    assert lab.grants.keep(bare) is bare
    lab.grants.forget(bare)
    assert lab.grants.holds(kept)
