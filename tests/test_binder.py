"""On Binder, no real credential is read, and nothing is stored."""

from __future__ import annotations

import pytest
from support.backends import live_environment
from support.builders import CLIENT_SECRET

from ddoauth_kit.binder import BINDER, NOTHING_KEPT, on_binder
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration import registration_from_environment
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import Slot, open_store
from ddoauth_kit.workbook import open_lab

# What the hub and BinderHub's launcher set in a visitor's server.
REAL = {
    "BINDER_SERVICE_HOST": "10.0.0.7",
    "BINDER_LAUNCH_HOST": "https://mybinder.org/",
    "BINDER_REPO_URL": "https://github.com/example/workbook",
    "JUPYTERHUB_USER": "example-workbook-abc",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/example-workbook-abc/",
}


@pytest.mark.parametrize("name", BINDER)
def test_any_of_the_variables_tells(name: str) -> None:
    """Hubs differ in what they set; one of Binder's own is enough, a hub's alone is not."""
    assert on_binder({name: REAL[name]})
    assert not on_binder({name: ""})
    assert not on_binder({"JUPYTERHUB_USER": "ada"})


def test_live_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment are not read, and the reason is given."""
    keyring = live_environment(monkeypatch)
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as caught:
        open_lab("us1", mode="live")
    assert caught.value.code == "no_live_on_binder"
    assert "public machine" in str(caught.value)
    assert CLIENT_SECRET not in str(caught.value)
    with pytest.raises(InputError):
        registration_from_environment()
    assert keyring.kept == {}


def test_the_sandbox_works_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor completes the whole flow with the sandbox's client."""
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    with open_lab() as lab:
        assert lab.exchange(lab.authorize()).access_token


def test_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is memory, whatever keyring there is, and says why; variables are not read."""
    keyring = live_environment(monkeypatch)
    chosen = open_store(environ={**REAL, "DDOAUTH_API_KEY_US1": "canary"})
    slot = Slot("api_key", "us1", "acme")
    assert chosen.reason == NOTHING_KEPT
    assert chosen.store.get(slot) is None
    chosen.store.put(slot, Secret("s", label="api_key"))
    assert keyring.kept == {}
