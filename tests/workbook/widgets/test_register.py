"""The form keeps the secret in the store, and nothing that was typed in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from given import CLIENT_SECRET, readable
from panels import held, typed

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.live import live_registration
from ddoauth_kit.workbook.registering import kept_registration
from ddoauth_kit.workbook.widgets import RegistrationForm

if TYPE_CHECKING:
    from pathlib import Path

TYPED = {
    "kind": "private",
    "name": "Acme",
    "client_id": "acme-1",
    "client_secret": CLIENT_SECRET,
    "redirect_uris": "http://127.0.0.1:8484/oauth/callback",
    "onboarding_url": "https://acme.example.com/start",
    "scopes": "api_keys_write metrics_read",
}


def press(form: RegistrationForm, action: str, **changes: str) -> None:
    """Press a button with everything typed, but for changes."""
    typed(form.form, action, **{**TYPED, **changes})


def test_the_secret_goes_to_the_store_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No widget and no client file holds it, and live mode finds it again."""
    monkeypatch.setenv("DDOAUTH_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.setenv("DDOAUTH_STORE", "file")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "store"))
    form = RegistrationForm("eu1")
    press(form, "Check")
    assert form.kept is None
    press(form, "Keep", client_secret="")
    assert form.kept is not None, "the secret of the check is still held"
    assert not readable(CLIENT_SECRET, held())
    state = str(form.form.get_state())
    assert not [name for name, text in TYPED.items() if name != "kind" and text in state]
    files = [path for path in (tmp_path / "config").rglob("*") if path.is_file()]
    assert files
    assert not any(readable(CLIENT_SECRET, path.read_text("utf-8")) for path in files)
    found = live_registration("eu1")
    assert found.secret.matches(CLIENT_SECRET)
    assert found.sites == ("eu1",)


def test_a_kept_registration_leaves_no_secret_behind_in_the_form() -> None:
    """Keeping once more asks for the secret again."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        press(form, "Keep")
        assert form.kept is not None
        press(form, "Keep", client_secret="")
        assert "bad_registration" in form.status.value


def test_test_addresses_of_a_published_client_are_refused() -> None:
    """The sentence names the address, and nothing is kept."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        press(form, "Keep", kind="published")
        assert form.kept is None
        assert "bad_registration" in form.status.value
        press(form, "Check", kind="published")
        assert "is for tests" in form.status.value
        assert not lab.store.slots()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"redirect_uris": "not a url"}, "redirect"),
        ({"client_secret": ""}, "client secret"),
        ({"scopes": ""}, "scopes"),
    ],
)
def test_bad_input_is_named(changes: dict[str, str], said: str) -> None:
    """The form stays as it is, and can be corrected."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        press(form, "Keep", **changes)
        assert said in form.status.value
        assert form.kept is None


def test_on_binder_the_form_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields are out of use, and what is there all the same is refused."""
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.7")
    form = RegistrationForm()
    press(form, "Keep")
    assert form.form.disabled
    assert "no_live_on_binder" in form.status.value
    with pytest.raises(InputError, match="Binder"):
        kept_registration("us1", kind="private", store=None)  # type: ignore[arg-type]
