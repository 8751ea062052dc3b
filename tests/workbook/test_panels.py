"""Panels do what the cells beside them do, once, and hold nothing that was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from panels import field, held, until

from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook import widgets as panels
from ddoauth_kit.workbook.arrival import arrive_from_datadog
from ddoauth_kit.workbook.registering import check_registration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a lab with a sandbox of its own."""
    with open_sandbox_lab() as lab:
        yield lab


def test_tokens_count_down_are_renewed_and_revoked(lab: Lab) -> None:
    """The panel's buttons are the lab's methods, and after a revocation they are out of use."""
    tokens = lab.connect()
    panel = panels.TokenPanel(lab, tokens)
    _ = panel.panel
    before = panel._left.value
    assert "left" in before
    until(lambda: panel._left.value != before)
    panel.refresh()
    assert panel.finish(10)
    assert panel.tokens is not None
    assert panel.tokens.access_token != tokens.access_token
    panel.revoke()
    assert panel.finish(10)
    assert panel.tokens is None
    assert panel._refresh.disabled
    assert "revoked" in repr(panel)


def test_the_key_is_created_once(lab: Lab) -> None:
    """Two panels and a cell share one key, of which four characters are shown."""
    tokens = lab.connect()
    panel = panels.ApiKeyPanel(lab, tokens)
    panel.create()
    assert panel.finish(10)
    assert "kept in memory" in panel.status.value or "kept in" in panel.status.value
    assert lab.api_key(tokens).key == panel.api_key.key  # type: ignore[union-attr]
    assert panels.ApiKeyPanel(lab, tokens).api_key
    assert sum(e.method == "POST" and "api_keys" in e.url for e in lab.transcript) == 1
    assert panel.api_key.key.reveal() not in held()  # type: ignore[union-attr]


def test_probes_run_and_can_be_cancelled(lab: Lab) -> None:
    """Results appear in a table with filters; a cancelled run keeps what it found."""
    panel = panels.ProbePanel(lab)
    panel.run()
    assert panel.finish(60)
    assert panel.probes is not None
    assert len(panel.probes) == len(lab.registration.scopes)
    assert panel._bar.value == panel._bar.max
    panel._sites.value = lab.oauth.sites.names
    panel.run()
    until(lambda: panel._probing is not None or not panel.finish(0))
    panel.cancel()
    assert panel.finish(60)
    assert "Cancelled" in panel.status.value
    assert not panel._run.disabled


def test_ticks_survive_a_restart_but_not_binder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new panel has the ticks of the old one; on Binder nothing is written."""
    monkeypatch.setenv("DDOAUTH_CONFIG_FOLDER", str(tmp_path / "config"))
    panels.ChecklistPanel("app").panel.children[1].value = True
    assert panels.ChecklistPanel("app").done == (2,)
    assert panels.ChecklistPanel("listing").done == ()
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.7")
    panels.ChecklistPanel("eu").panel.children[1].value = True
    assert len(list((tmp_path / "config").iterdir())) == 1


def test_the_picker_shows_the_hosts_of_a_site() -> None:
    """What is picked is the value, in the view and in the text."""
    picker = panels.SitePicker("us1")
    field(picker, "Datadog site").value = "us3"
    assert "api.us3.datadoghq.com" in picker.status.value
    assert "api.us3.datadoghq.com" in repr(picker)


def test_the_transcript_grows_and_offers_code(lab: Lab) -> None:
    """Each exchange can be unfolded, masked, and taken away as a command."""
    panel = panels.TranscriptPanel(lab)
    tokens = lab.connect()
    panel.update()
    assert len(panel._list.children) == len(lab.transcript)
    _, buttons, code = panel._list.children[-1].children
    buttons.children[0].click()
    assert "curl" in code.value
    assert tokens.access_token.reveal() not in held()


def test_arrival_goes_through_the_listener(lab: Lab) -> None:
    """Tokens are of the lab's site, and no registration problem of the sandbox stops it."""
    tokens = arrive_from_datadog(lab)
    assert tokens.site.name == "us1"
    assert not [row for row in check_registration(lab.registration).frame.itertuples() if not row]


@pytest.mark.parametrize("name", ["ChecklistPanel", "SitePicker", "RegistrationForm"])
def test_every_panel_carries_its_text(name: str) -> None:
    """Beside the view there is text and HTML, and a second display is a second view."""
    panel = getattr(panels, name)()
    bundles = [panel._repr_mimebundle_() for _ in "ab"]
    assert bundles[0] == bundles[1]
    assert bundles[0]["text/plain"]
    assert bundles[0]["text/html"]
