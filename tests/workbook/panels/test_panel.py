"""Every panel has a text form, does one thing at a time, and says what goes wrong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook import panels
from ddoauth_kit.workbook.panels.panel import Panel
from ddoauth_kit.workbook.show.cards import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ipywidgets


class Shelf(Panel):
    """A panel without its own parts."""

    value = Skipped("nothing here")

    def parts(self) -> Iterable[ipywidgets.Widget]:
        """Return none."""
        return ()


@pytest.mark.parametrize("name", ["ChecklistPanel", "SitePicker", "RegistrationForm"])
def test_every_panel_carries_its_text(name: str) -> None:
    """Beside the view there is text and HTML, and a second display is a second view."""
    panel = getattr(panels, name)()
    bundles = [panel._repr_mimebundle_() for _ in "ab"]
    assert bundles[0] == bundles[1]
    assert bundles[0]["text/plain"]
    assert bundles[0]["text/html"]


def test_one_piece_of_work_at_a_time() -> None:
    """A second start while the first runs does nothing; afterwards it runs."""
    panel, gate = Shelf(), threading.Event()
    assert panel.start(lambda: bool(gate.wait(60)))
    assert not panel.start(lambda: panel.say("twice"))
    assert not panel.finish(0)
    gate.set()
    assert panel.finish(60)
    assert panel.start(lambda: panel.say("once"))
    assert panel.finish(60)
    assert "once" in panel.status.value


def _fail(error: Exception) -> None:
    raise error


def test_what_goes_wrong_is_shown_without_its_variables() -> None:
    """The kit's errors show their card; others only their name, because they may reveal more."""
    panel = Shelf()
    panel.start(lambda: _fail(InputError("unknown_site", "There is no site <b>x</b>.")))
    assert panel.finish(60)
    assert "unknown_site" in panel.status.value
    assert "<b>" not in panel.status.value
    panel.start(lambda: _fail(ValueError("a secret")))
    assert panel.finish(60)
    assert "ValueError" in panel.status.value
    assert "a secret" not in panel.status.value
