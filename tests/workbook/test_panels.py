"""Panels do what the cells beside them do, once, and hold nothing that was typed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest
from given import CLIENT_SECRET, readable
from visitors import Person

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook import widgets as panels
from ddoauth_kit.workbook.arrival import arrive_from_datadog
from ddoauth_kit.workbook.registering import check_registration, kept_registration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a lab with a sandbox of its own."""
    with open_sandbox_lab() as lab:
        yield lab


def until(condition: Any) -> None:
    """Wait until something is so, ten seconds at most."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def link_of(panel: panels.AuthorizePanel) -> str:
    """Return the link that the panel offers, once it does."""
    until(lambda: "href" in panel._link.value)
    return str(panel._link.value.split('"')[1])


def held() -> str:
    """Return what a notebook that is saved with widget state would hold."""
    return json.dumps(ipywidgets.Widget.get_manager_state(drop_defaults=False))


def field(panel: Any, label: str) -> Any:
    """Return the labelled field of a panel."""
    return next(w for w in panel.panel.children if getattr(w, "description", "") == label)


def test_authorize_waits_beside_the_cells_and_shows_masked_tokens(lab: Lab) -> None:
    """A click opens the listener, a second one nothing more; the redirect makes tokens."""
    panel = panels.AuthorizePanel(lab)
    assert "Nobody has authorized" in repr(panel)
    panel.begin()
    url = link_of(panel)
    panel.begin()
    page = Person().finish(url)
    assert "You may now close this tab." in page.text
    assert panel.finish(10)
    assert panel.tokens is not None
    assert panel.tokens.access_token.reveal() not in held()
    assert "<access_token>" in repr(panel)
    assert "href" not in panel._link.value


def test_a_denial_and_a_cancel_are_shown_and_the_next_attempt_works(lab: Lab) -> None:
    """Each end says what to do next, and leaves the button usable."""
    panel = panels.AuthorizePanel(lab)
    panel.begin()
    Person().finish(link_of(panel), "deny")
    assert panel.finish(10)
    assert "access_denied" in panel.status.value
    panel.begin()
    link_of(panel)
    panel.cancel()
    assert panel.finish(10)
    assert "wait_cancelled" in panel.status.value
    panel.begin()
    Person().finish(link_of(panel))
    assert panel.finish(10)
    assert panel.tokens is not None


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


def fill(form: panels.RegistrationForm, **changes: str) -> None:
    """Type a registration into the form."""
    typed = {
        "Client name": "Acme",
        "Client id": "acme-1",
        "Client secret": CLIENT_SECRET,
        "Redirect URIs": "http://127.0.0.1:8484/oauth/callback",
        "Onboarding URL": "https://acme.example.com/start",
        "Scopes": "api_keys_write metrics_read",
        **changes,
    }
    for label, value in typed.items():
        field(form, label).value = value


def test_the_form_keeps_the_secret_in_the_store_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No widget and no client file holds it, and live mode finds it again."""
    monkeypatch.setenv("DDOAUTH_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.setenv("DDOAUTH_STORE", "file")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "store"))
    form = panels.RegistrationForm("eu1")
    fill(form)
    assert field(form, "Client secret").value == ""
    assert not readable(CLIENT_SECRET, held())
    form.keep()
    assert form.kept is not None
    assert field(form, "Client id").value == ""
    files = [path for path in (tmp_path / "config").rglob("*") if path.is_file()]
    assert files
    assert not any(readable(CLIENT_SECRET, path.read_text("utf-8")) for path in files)
    from ddoauth_kit.workbook.lab import live_registration

    found = live_registration("eu1")
    assert found.secret.matches(CLIENT_SECRET)
    assert found.sites == ("eu1",)


def test_the_form_refuses_test_addresses_of_a_published_client(lab: Lab) -> None:
    """The sentence names the address, and nothing is kept."""
    form = panels.RegistrationForm("us1", store=lab.store)
    fill(form)
    field(form, "Kind").value = "published"
    form.keep()
    assert form.kept is None
    assert "bad_registration" in form.status.value
    form.check()
    assert "is for tests" in form.status.value
    assert not lab.store.slots()


def test_on_binder_the_form_takes_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The field is out of use, and what is there all the same is refused."""
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.7")
    form = panels.RegistrationForm()
    fill(form)
    form.keep()
    assert field(form, "Client secret").disabled
    assert "no_live_on_binder" in form.status.value
    with pytest.raises(InputError, match="Binder"):
        kept_registration("us1", kind="private", store=None)  # type: ignore[arg-type]


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
