"""One grant never replaces another, whichever one is refreshed, revoked or fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.store import ChosenStore, MemoryStore
from ddoauth_kit.store.environment import EnvironmentFirst
from ddoauth_kit.workbook import Lab, open_sandbox_lab, provoke
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Slot, Store


class Clinging(MemoryStore):
    """Keep what it has, as a folder does that became read-only."""

    def forget(self, slot: Slot) -> None:
        """Refuse, but for trials."""
        if not slot.is_probe:
            raise InputError("not_stored", f"{slot.kind} cannot be deleted.")
        super().forget(slot)


class Full(MemoryStore):
    """Accept nothing."""

    def put(self, slot: Slot, secret: Secret) -> None:  # noqa: ARG002
        """Refuse."""
        raise InputError("not_stored", f"No room for {slot.kind}.")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


def with_store(lab: Lab, store: Store) -> Lab:
    """Return a lab with the same sandbox but a different store."""
    return Lab(replace(lab.backend, store=ChosenStore(store), owned=False))


def test_the_newest_authorization_is_kept(lab: Lab) -> None:
    """A person who authorizes again means the new grant."""
    older, newer = lab.exchange(lab.authorize()), lab.exchange(lab.authorize())
    assert lab.holds(newer)
    assert not lab.holds(older)


def test_a_refresh_of_an_older_grant_adopts_the_newer(lab: Lab) -> None:
    """A panel with older tokens gets the newer grant, and sends nothing for it."""
    older, newer = lab.exchange(lab.authorize()), lab.exchange(lab.authorize())
    before = len(lab.transcript)
    assert lab.refresh(older) == newer
    assert len(lab.transcript) == before
    assert lab.holds(lab.refresh(newer))


@pytest.mark.checklist("C21")
def test_two_labs_never_spend_the_same_refresh_token() -> None:
    """If refresh tokens rotate, two labs on one store refresh in turn, each with the newest one."""
    with open_sandbox_lab(rotate=True) as one:
        first = one.connect()
        two = with_store(one, one.store)
        second = two.connect()
        assert second.refresh_token != first.refresh_token
        assert one.refresh(first) == second, "the token of the other lab is adopted"
        third = one.refresh(second)
        assert two.current_user(third).status == 200
        assert two.connect().refresh_token != third.refresh_token
        assert {exchange.status for exchange in one.transcript} == {200}


def test_the_end_of_an_older_grant_leaves_the_newer(lab: Lab) -> None:
    """Only its own tokens are revoked, and the newer grant still works."""
    older, newer = lab.exchange(lab.authorize()), lab.exchange(lab.authorize())
    lab.revoke(older)
    assert lab.holds(newer)
    assert lab.current_user(newer).status == 200
    assert provoke(lab.current_user, older).code == "unauthorized"


@pytest.mark.checklist("L9")
def test_organizations_do_not_replace_one_another(lab: Lab) -> None:
    """A grant of another organization has its own place, and the last one is used."""
    grants = []
    for organization in lab.backend.organizations:
        request = lab.authorization_request()
        redirect = visit_consent(request, organization=organization)
        grants.append(lab.exchange(lab.oauth.receive(redirect, session=ONE_PERSON)))
        lab.backend.pause(60)
    assert len({grant.dd_oid for grant in grants}) == len(grants) > 1
    assert all(lab.holds(grant) for grant in grants)
    assert lab.connect().dd_oid == grants[-1].dd_oid
    lab.revoke(grants[-1])
    assert lab.connect().dd_oid == grants[-2].dd_oid


@pytest.mark.parametrize("switches", [{}, {"rotate": True}])
def test_a_refresh_token_of_the_environment_is_spent_once(switches: dict[str, Any]) -> None:
    """The next process has the same variable, and continues with the token that replaced it."""
    with open_sandbox_lab(**switches) as lab:
        token = lab.oauth.exchange(lab.authorize()).refresh_token
        assert token is not None
        environ = {"DDOAUTH_REFRESH_TOKEN_US1": token.reveal()}
        shared = MemoryStore()
        for _ in range(3):
            process = with_store(lab, EnvironmentFirst(shared, environ))
            tokens = process.connect()
            assert process.current_user(process.refresh(tokens)).status == 200
        assert [each.purpose for each in lab.transcript].count("token exchange") == 1
        [slot] = shared.slots()
        assert token.reveal() not in slot.name


def test_a_newer_variable_wins() -> None:
    """Another value of the variable is another grant; the one before is not mistaken for it."""
    with open_sandbox_lab() as lab:
        shared, found = MemoryStore(), []
        for _ in range(2):
            token = lab.oauth.exchange(lab.authorize()).refresh_token
            assert token is not None
            environ = {"DDOAUTH_REFRESH_TOKEN_US1": token.reveal()}
            found.append(with_store(lab, EnvironmentFirst(shared, environ)).connect())
            assert found[-1].refresh_token == token
        assert len(shared.slots()) == 2


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
    assert "could not be stored" in capsys.readouterr().out
    assert not full.holds(tokens)


def test_tokens_without_a_refresh_token_need_no_place(lab: Lab) -> None:
    """They don't replace any grant, and a refresh uses the stored grant."""
    kept = lab.connect()
    response = lab.authorize()
    lab.inject("no-refresh-token")
    bare = replace(kept, refresh_token=None)
    assert lab.refresh(bare).refresh_token == kept.refresh_token
    assert lab.exchange(response).refresh_token
