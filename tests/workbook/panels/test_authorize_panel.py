"""The authorize panel waits beside the cells, for the browser or for a paste."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from support.panels import held, typed
from support.visitors import Person
from support.waiting import until

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.panels import AuthorizePanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit import AuthorizationResponse, TokenSet
    from ddoauth_kit.workbook import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


def link_of(panel: AuthorizePanel) -> str:
    """Return the link that the panel offers, once it does."""
    until(lambda: "href" in panel._link.value)
    return str(panel._link.value.split('"')[1])


def test_it_waits_beside_the_cells_and_shows_masked_tokens(lab: Lab) -> None:
    """A click opens the listener, a second one nothing more; the redirect makes tokens."""
    panel = AuthorizePanel(lab)
    assert "Nobody has authorized" in repr(panel)
    panel.begin()
    url = link_of(panel)
    panel.begin()
    page = Person().finish(url)
    assert "You may now close this tab." in page.text
    assert panel.finish(60)
    assert panel.tokens is not None
    assert panel.tokens.access_token.reveal() not in held()
    assert "<access_token>" in repr(panel)
    assert "href" not in panel._link.value


def test_a_denial_and_a_cancel_are_shown_and_the_next_attempt_works(lab: Lab) -> None:
    """Each outcome says what to do next, and the button stays usable."""
    panel = AuthorizePanel(lab)
    panel.begin()
    Person().finish(link_of(panel), "deny")
    assert panel.finish(60)
    assert "access_denied" in panel.status.value
    panel.begin()
    link_of(panel)
    panel.cancel()
    assert panel.finish(60)
    assert "Cancelled" in panel.status.value
    panel.begin()
    Person().finish(link_of(panel))
    assert panel.finish(60)
    assert panel.tokens is not None


def test_nobody_comes(lab: Lab) -> None:
    """After the wait, the panel says so, and the button can be pressed again."""
    panel = AuthorizePanel(lab, wait=0.01)
    panel.begin()
    assert panel.finish(60)
    assert "no_redirect_in_time" in panel.status.value
    assert not panel._begin.disabled


def test_a_paste_is_taken_and_a_bad_one_can_be_corrected(lab: Lab) -> None:
    """The address goes to the pending attempt, and no widget ever contains it."""
    panel = AuthorizePanel(lab)
    panel.begin()
    redirect = Person().decide(link_of(panel))
    typed(panel.form, "Use this address", redirect=redirect.partition("?")[0])
    until(lambda: "not_a_redirect" in panel.status.value)
    assert not panel.finish(0), "it waits on"
    typed(panel.form, "Use this address", redirect=redirect)
    assert panel.finish(60)
    assert panel.tokens is not None
    code = redirect.partition("code=")[2].partition("&")[0]
    assert code not in held()


def test_a_paste_that_nothing_waits_for_is_answered(lab: Lab) -> None:
    """The sentence says which button comes first; an empty field does nothing."""
    panel = AuthorizePanel(lab)
    typed(panel.form, "Use this address", redirect="http://127.0.0.1/cb?code=c&state=s")
    assert "press Authorize first" in panel.status.value
    panel.begin()
    link_of(panel)
    before = panel.status.value
    typed(panel.form, "Use this address")
    assert panel.status.value == before
    panel.cancel()
    assert panel.finish(60)


def test_a_grant_that_could_not_be_kept_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel names the one place where the refresh token is."""

    def refuse(*_: object) -> None:
        raise InputError("not_stored", "No room.")

    monkeypatch.setattr(lab.store, "put", refuse)
    panel = AuthorizePanel(lab)
    panel.begin()
    Person().finish(link_of(panel))
    assert panel.finish(60)
    assert "panel.tokens.refresh_token.reveal()" in panel.status.value


def test_cancel_does_not_wait_for_an_exchange(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The click returns at once; a code that is being exchanged still counts."""
    entered, gate, exchange = threading.Event(), threading.Event(), lab.oauth.exchange
    opened: list[bool] = []

    def slow(response: AuthorizationResponse) -> TokenSet:
        entered.set()
        opened.append(gate.wait(60))
        return exchange(response)

    monkeypatch.setattr(lab.oauth, "exchange", slow)
    panel = AuthorizePanel(lab)
    panel.begin()
    browser = threading.Thread(target=Person().finish, args=(link_of(panel),))
    browser.start()
    assert entered.wait(60)
    panel.cancel()
    gate.set()
    browser.join(60)
    assert panel.finish(60)
    assert opened == [True], "the exchange was still waiting when the click returned"
    assert panel.tokens is not None


def test_a_lab_that_is_closed_is_an_error_in_the_panel(lab: Lab) -> None:
    """If the consent page is gone, nobody returns; the panel says so after its wait."""
    panel = AuthorizePanel(lab, wait=0.2)
    lab.close()
    panel.begin()
    assert panel.finish(60)
    assert "no_redirect_in_time" in panel.status.value
    assert not panel._begin.disabled


@pytest.mark.checklist("L9")
def test_the_organization_is_shown_before_anything_is_kept(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel names whose consent it is before the exchange, and beside the tokens in the end."""
    panel, shown = AuthorizePanel(lab), []
    exchange = lab.exchange

    def watched(response: AuthorizationResponse) -> TokenSet:
        shown.append(panel.status.value)
        return exchange(response)

    monkeypatch.setattr(lab, "exchange", watched)
    panel.begin()
    Person().finish(link_of(panel))
    assert panel.finish(60)
    assert panel.tokens is not None
    (before,) = shown
    assert panel.tokens.dd_org_name in before
    assert panel.tokens.dd_org_name in panel.status.value
