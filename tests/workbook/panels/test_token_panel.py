"""The token panel counts truly, does what the lab does, and stays usable after a refusal."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pytest
from support.panels import field, held
from support.visitors import Person
from support.waiting import until

from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook.panels import TokenPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


def left(panel: TokenPanel) -> str:
    """Return the current text of the countdown."""
    panel.tick()
    return str(panel._left.value)


def test_tokens_count_down_are_renewed_and_revoked(lab: Lab) -> None:
    """The panel's buttons are the lab's methods, and after a revocation they are out of use."""
    tokens = lab.connect()
    panel = TokenPanel(lab, tokens)
    _ = panel.panel
    before = panel._left.value
    assert "expires in" in before
    until(lambda: panel._left.value != before)
    panel.refresh()
    assert panel.finish(60)
    assert panel.tokens is not None
    assert panel.tokens.access_token != tokens.access_token
    field(panel, "Revoke").click()
    assert "Are you sure?" in panel.status.value
    assert panel.tokens is not None
    field(panel, "Keep it").click()
    assert panel.tokens is not None
    field(panel, "Revoke").click()
    field(panel, "Yes, end the grant").click()
    assert panel.finish(60)
    assert panel.tokens is None
    assert panel._refresh.disabled
    assert "has ended" in repr(panel)
    assert "has ended" in left(panel)
    assert tokens.access_token.reveal() not in held()


def test_after_the_end_it_offers_to_authorize_again(lab: Lab) -> None:
    """The panel continues with the new grant, and its buttons work again."""
    panel = TokenPanel(lab, lab.connect())
    panel.revoke()
    assert panel.finish(60)
    begin = field(panel, "Authorize")
    begin.click()
    until(lambda: "href=" in str([w.value for w in held_html(panel)]))
    (link,) = re.findall(r'href="(http://127[^"]+)"', str([w.value for w in held_html(panel)]))
    Person().finish(unescape(link))
    until(lambda: "access_token" in panel.status.value)
    assert "expires in" in left(panel)
    assert not panel._refresh.disabled
    panel.refresh()
    assert panel.finish(60)
    assert "Refreshed" in panel.status.value


def held_html(panel: TokenPanel) -> list[Any]:
    """Return the HTML parts of the panel that authorizes again."""
    (again,) = panel._again.children
    return [each for each in again.children if isinstance(each, widgets.HTML)]


def test_time_that_passes_in_the_sandbox_alone_counts(lab: Lab) -> None:
    """If the sandbox's clock was moved, the countdown follows; a refresh restarts it."""
    panel = TokenPanel(lab, lab.connect())
    lab.backend.pause(HOUR - 90)
    assert re.search(r"expires in [01]:\d\d, ", left(panel))
    lab.backend.pause(HOUR)
    assert left(panel) == "access token: expired; Refresh gets a new one"
    panel.refresh()
    assert panel.finish(60)
    assert re.search(r"expires in (60:00|5\d:\d\d), ", left(panel))


def test_a_clock_that_stands_still_is_not_passed_over(lab: Lab) -> None:
    """After an hour without a request the token counts as expired, and the sandbox may differ."""
    panel = TokenPanel(lab, lab.connect())
    panel._end_of_life -= HOUR
    assert "expired; Refresh gets a new one" in left(panel)
    assert "may still accept the token" in left(panel)


def test_without_a_refresh_token_the_way_on_is_another(lab: Lab) -> None:
    """The advice never names a button that can't help."""
    panel = TokenPanel(lab, replace(lab.connect(), refresh_token=None))
    lab.backend.pause(2 * HOUR)
    assert left(panel) == "access token: expired; authorize again for a new one"


def test_a_refused_refresh_ends_the_panel(lab: Lab) -> None:
    """The customer has revoked the app: the card says what to do, and nothing counts down."""
    panel = TokenPanel(lab, lab.connect())
    lab.customer.revoke_authorization(lab.registration.client_id)
    panel.refresh()
    assert panel.finish(60)
    assert "invalid_refresh_token" in panel.status.value
    assert "authorize again" in panel.status.value
    assert panel._refresh.disabled
    assert "has ended" in left(panel)
    assert "has ended" in repr(panel)


def test_a_cell_that_refreshes_meanwhile_makes_nothing_false(lab: Lab) -> None:
    """The panel shows its own tokens, and its button uses them."""
    tokens = lab.connect()
    panel = TokenPanel(lab, tokens)
    lab.refresh(tokens)
    assert "or when it is revoked" in left(panel)
    panel.refresh()
    assert panel.finish(60)
    assert panel.tokens not in {None, tokens}


def test_a_closed_lab_gets_a_sentence(lab: Lab) -> None:
    """Buttons outlive the sandbox without a traceback, and the countdown ends with it."""
    panel = TokenPanel(lab, lab.connect())
    _ = panel.panel
    assert "expires in" in left(panel)
    assert panel._counting.is_alive()
    lab.close()
    panel._counting.join(60)
    assert not panel._counting.is_alive()
    assert "expires at" in panel._left.value
    assert "the lab is closed" in panel._left.value
    for act in (panel.refresh, panel.revoke):
        panel.say("")
        act()
        assert panel.finish(60)
        assert "no_network" in panel.status.value


def test_without_writes_nothing_is_revoked(lab: Lab) -> None:
    """The panel says that nothing was sent, and keeps the tokens."""
    careful = Lab(replace(lab.backend, writes=False, owned=False))
    panel = TokenPanel(careful, lab.connect())
    sent = len(lab.transcript)
    panel.revoke()
    assert panel.finish(60)
    assert "Nothing was sent" in panel.status.value
    assert panel.tokens is not None
    assert len(lab.transcript) == sent
