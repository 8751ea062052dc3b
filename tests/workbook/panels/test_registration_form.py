"""The form stores the secret, and nothing that was typed stays in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import CLIENT_SECRET, readable
from support.panels import held, typed

from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.panels import RegistrationForm

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


def press(form: RegistrationForm, action: str, **changes: str) -> dict[str, Any]:
    """Press a button with everything typed, but for changes; return what the page hears."""
    return typed(form.form, action, **{**TYPED, **changes})


def test_the_secret_goes_to_the_store_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No widget or client file contains the secret, and live mode finds it again."""
    monkeypatch.setenv("DDOAUTH_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.setenv("DDOAUTH_STORE", "file")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "store"))
    form = RegistrationForm("eu1")
    assert press(form, "Check")["held"] == ("client_secret",)
    assert form.kept is None
    assert press(form, "Keep", client_secret="")["clear"]
    assert form.kept is not None, "the secret of the check is still held"
    files = [path for path in (tmp_path / "config").rglob("*") if path.is_file()]
    assert files
    assert not any(readable(CLIENT_SECRET, path.read_text("utf-8")) for path in files)
    found = live_registration("eu1")
    assert found.secret.matches(CLIENT_SECRET)
    assert found.sites == ("eu1",)


@pytest.mark.parametrize("action", ["Check", "Keep"])
def test_nothing_that_is_typed_is_state(action: str) -> None:
    """No valid or invalid value is repeated, and neither is a secret in the wrong field."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        for changes in ({}, {"scopes": CLIENT_SECRET}, {"redirect_uris": "http://typed.example/x"}):
            press(form, action, **changes)
            state = str(form.form.get_state()) + form.status.value
            assert not readable(CLIENT_SECRET, state + held())
            typed_texts = {**TYPED, **changes, "kind": "private and typed"}.values()
            assert not [text for text in typed_texts if text in state]


def test_a_kept_registration_leaves_no_secret_behind_in_the_form() -> None:
    """Keeping once more asks for the secret again."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        press(form, "Keep")
        assert form.kept is not None
        assert "Nothing was stored" in press(form, "Keep", client_secret="")["html"]


@pytest.mark.parametrize("change", [{"client_id": "another"}, {"kind": "published"}])
def test_the_secret_that_is_held_is_for_one_client(change: dict[str, str]) -> None:
    """A secret typed for one client is not stored for another one."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        press(form, "Check")
        reply = press(form, "Keep", client_secret="", **change)
        assert "is empty." in reply["errors"]["client_secret"]
        assert reply["held"] == ()
        assert not lab.store.slots()


def test_test_addresses_of_a_published_client_are_refused() -> None:
    """The sentence names the address, and nothing is stored."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        reply = press(form, "Keep", kind="published")
        assert form.kept is None
        assert "Nothing was stored" in reply["html"]
        assert not reply["clear"]
        errors = press(form, "Check", kind="published")["errors"]
        assert "own machine" in errors["redirect_uris"]
        assert not lab.store.slots()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("redirect_uris", "http://far.example/cb", "http://far.example/cb: A redirect URI starts"),
        ("redirect_uris", "https://acme.example/cb#x", "A fragment (#...) is not allowed"),
        ("redirect_uris", "https://me@acme.example/cb", "A user name is not allowed"),
        ("redirect_uris", "https:///cb", "needs a host"),
        ("client_secret", "", "This field is empty."),
        ("scopes", "", "This field is empty."),
        ("onboarding_url", "", "This field is empty."),
        ("client_id", "", "This field is empty."),
        ("name", "", "This field is empty."),
    ],
)
def test_bad_input_is_named_beside_its_field(field: str, value: str, said: str) -> None:
    """The form keeps its input, which can be corrected."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        reply = press(form, "Keep", **{field: value})
        assert said in reply["errors"][field]
        assert len(reply["errors"][field].splitlines()) == 1
        assert not reply["clear"]
        assert form.kept is None


def test_every_problem_is_named_at_once() -> None:
    """All problems are shown at once, so a person need not find them one by one."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        wrong = {
            "redirect_uris": "http://far.example/a https://ok.example/b ftp://x",
            "onboarding_url": "ftp://y",
            "name": "",
        }
        errors = press(form, "Keep", **wrong)["errors"]
        assert set(errors) == {"redirect_uris", "onboarding_url", "name"}
        for named in ("http://far.example/a", "ftp://x"):
            assert named in errors["redirect_uris"]
        assert "https://ok.example/b" not in errors["redirect_uris"]


def test_a_clean_check_says_so_and_commas_separate() -> None:
    """Redirect URIs and scopes may be separated by commas, blanks and lines."""
    with open_sandbox_lab() as lab:
        form = RegistrationForm("us1", store=lab.store)
        uris = "http://127.0.0.1:8484/a, https://acme.example.com/b\nhttps://acme.example.com/c"
        reply = press(form, "Check", redirect_uris=uris, scopes="api_keys_write,metrics_read")
        assert reply["html"] == "You don't need to correct anything."
        assert reply["errors"] == {}
        press(form, "Keep", redirect_uris=uris, scopes="api_keys_write,metrics_read")
        assert form.kept is not None


def test_on_binder_only_a_sandbox_takes_a_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the real store the fields are out of use, and what is there all the same is refused."""
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.7")
    form = RegistrationForm()
    assert form.form.disabled
    assert "no_live_on_binder" in press(form, "Keep")["html"]
    with open_sandbox_lab() as lab:
        practice = RegistrationForm("us1", store=lab.store)
        assert not practice.form.disabled
        assert press(practice, "Keep")["clear"]
