"""Cells that are run again, or out of order, end in a sentence, and the next attempt works."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit import AuthorizationRequest, AuthorizationResponse, TokenSet


class Older(NamedTuple):
    """The variables of cells that ran before the set-up cell was run again."""

    request: AuthorizationRequest
    redirect: str
    response: AuthorizationResponse
    tokens: TokenSet


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open a lab, as the set-up cell does."""
    with open_sandbox_lab() as lab:
        yield lab


@pytest.fixture
def older() -> Older:
    """Have gone through a lesson with a sandbox that has ended since."""
    with open_sandbox_lab() as lab:
        tokens = lab.connect()
        request = lab.authorization_request()
        return Older(request, visit_consent(request), lab.authorize(), tokens)


def refused(step: Callable[[], object]) -> str:
    """Return the code of an error that says what to do."""
    with pytest.raises(DdoauthError) as caught:
        step()
    assert f"Next: {caught.value.advice}" in str(caught.value)
    return caught.value.code


def test_the_exchange_twice(lab: Lab) -> None:
    """A code is good once; the tokens that it gave end with it, and connecting gets new ones."""
    response = lab.authorize()
    first = lab.exchange(response)
    assert refused(lambda: lab.exchange(response)) == "invalid_grant"
    again = lab.connect()
    assert again.access_token != first.access_token
    assert lab.current_user(again).status == 200


def test_a_redirect_twice(lab: Lab) -> None:
    """An attempt is completed once, and a new one does not interfere."""
    redirect = visit_consent(lab.authorization_request())
    assert lab.oauth.receive(redirect, session=ONE_PERSON).code
    assert refused(lambda: lab.oauth.receive(redirect, session=ONE_PERSON)) == "wrong_state"
    assert lab.authorize().code


def test_requests_in_another_order(lab: Lab) -> None:
    """Each redirect finds its own attempt, whichever request was made last."""
    first, second = lab.authorization_request(), lab.authorization_request()
    assert lab.authorize(second).request == second
    assert lab.authorize(first).request == first


def test_refreshing_what_was_revoked(lab: Lab) -> None:
    """A grant that a later cell ended is also ended for earlier cells."""
    tokens = lab.connect()
    lab.revoke(tokens)
    assert refused(lambda: lab.refresh(tokens)) == "invalid_refresh_token"
    assert refused(lambda: lab.current_user(tokens))
    assert lab.current_user(lab.connect()).status == 200


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (lambda lab, older: lab.authorize(older.request), "no_network"),
        (lambda lab, older: lab.oauth.receive(older.redirect, session=ONE_PERSON), "wrong_state"),
        (lambda lab, older: lab.exchange(older.response), "no_network"),
        (lambda lab, older: lab.refresh(older.tokens), "no_network"),
        (lambda lab, older: lab.current_user(older.tokens), "no_network"),
        (lambda lab, older: lab.create_api_key(older.tokens), "no_network"),
        (lambda lab, older: lab.revoke(older.tokens), "no_network"),
    ],
    ids=["authorize", "receive", "exchange", "refresh", "current user", "key", "revoke"],
)
def test_values_of_an_earlier_set_up(
    lab: Lab, older: Older, step: Callable[[Lab, Older], object], code: str
) -> None:
    """Values from an ended sandbox are refused with advice, and the new sandbox is unaffected."""
    assert refused(lambda: step(lab, older)) == code
    tokens = lab.connect()
    assert lab.current_user(tokens).status == 200
    assert lab.create_api_key(tokens)
