"""The probe panel runs what `lab.scopes.probe` runs, beside the cells, and can be stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from support.backends import live_lab
from support.panels import field

from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook.panels import ProbePanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.probing.probe_run import ProbeProgress


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


def test_probes_run_and_can_be_cancelled(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results appear in a table with filters; a cancelled run keeps its results."""
    panel = ProbePanel(lab)
    assert "No probes have run yet" in repr(panel)
    panel.run()
    assert panel.finish(60)
    assert panel.probes is not None
    assert len(panel.probes) == len(lab.registration.scopes)
    assert panel._bar.value == panel._bar.max
    field(panel, "Sites").value = list(lab.oauth.sites.names)
    begun, cancelled = threading.Event(), threading.Event()

    def hold(_progress: ProbeProgress) -> None:
        begun.set()
        cancelled.wait(60)

    monkeypatch.setattr(panel, "_watch", hold)
    panel.run()
    assert begun.wait(60)
    panel.cancel()
    cancelled.set()
    assert panel.finish(60)
    assert "Cancelled" in panel.status.value
    assert 0 < len(panel.probes) < len(lab.registration.scopes) * len(lab.oauth.sites.names)
    assert not panel._run.disabled


def test_it_begins_with_what_a_cell_found(lab: Lab) -> None:
    """The text is the matrix of those probes, and nothing is sent."""
    probes = lab.scopes.probe("metrics_read")
    sent = len(lab.transcript)
    panel = ProbePanel(lab, probes)
    assert repr(panel) == probes.matrix.text()
    assert field(panel, "Scopes").value == ["metrics_read"]
    assert len(lab.transcript) == sent


def test_only_names_that_are_offered_can_be_chosen(lab: Lab) -> None:
    """Other values from a page are dropped, and the order is that of the list."""
    scopes = field(ProbePanel(lab), "Scopes")
    first, second, *_ = lab.registration.scopes
    scopes.set_state({"value": [second, "made_up", first]})
    assert scopes.value == [first, second]


def test_nothing_chosen_is_said(lab: Lab) -> None:
    """Without a scope or a site there is nothing to run."""
    panel = ProbePanel(lab)
    field(panel, "Scopes").value = []
    panel.run()
    assert panel.finish(60)
    assert "Choose at least one" in panel.status.value


def test_live_probes_need_a_grant_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel can't ask for consent; it says what to do, and offers only its own site."""
    with live_lab(monkeypatch, "https://acme.example.com/callback") as lab:
        panel = ProbePanel(lab)
        assert field(panel, "Sites").options == ["us1"]
        panel.run()
        assert panel.finish(60)
        assert "authorize first" in panel.status.value
        assert not panel._run.disabled
