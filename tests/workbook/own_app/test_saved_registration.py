"""A registration is stored completely or not at all, wherever storing it is interrupted."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import CLIENT_SECRET, readable, registration

from ddoauth_kit import Kind, Secret
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration.live import kept_registration
from ddoauth_kit.store import MemoryStore, open_store
from ddoauth_kit.workbook.own_app.registration_check import check_registration
from ddoauth_kit.workbook.own_app.saved_registration import keep_registration

if TYPE_CHECKING:
    from ddoauth_kit import ClientRegistration

LOOPBACK = "http://127.0.0.1:8484/oauth/callback"
# Killed at a moment that its second argument names, with the secret on standard input.
KILLED = """
import os, pathlib, signal, sys
from ddoauth_kit import ClientRegistration, Secret
from ddoauth_kit.workbook.own_app import saved_registration
from ddoauth_kit.workbook.own_app.saved_registration import keep_registration
moments = {
    "before the file": (saved_registration, "write_setting"),
    "before the new file has its name": (pathlib.Path, "replace"),
}
place, name = moments[sys.argv[1]]
setattr(place, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
keep_registration(
    ClientRegistration(
        client_id="new",
        client_secret=Secret(sys.stdin.read(), label="client_secret"),
        name="New",
        scopes=("events_read",),
        redirect_uris=("http://127.0.0.1:8484/cb",),
        onboarding_url="https://acme.example.com/start",
    ),
    site="us1",
)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Simulate a machine that stores secrets in files, in folders that don't exist yet."""
    return {
        "DDOAUTH_CONFIG_FOLDER": str(tmp_path / "config"),
        "DDOAUTH_STORE": "file",
        "DDOAUTH_STORE_FOLDER": str(tmp_path / "store"),
    }


def own(**changes: Any) -> ClientRegistration:
    """Return a private client that can be stored."""
    return registration(**{"redirect_uris": (LOOPBACK,), **changes})


def found(environ: dict[str, str], *, kind: Kind = Kind.PRIVATE) -> ClientRegistration | None:
    """Return what a new kernel finds for us1."""
    store = open_store(environ=environ).store
    return kept_registration("us1", kind=kind, store=store, environ=environ)


def client_file(environ: dict[str, str]) -> Path:
    """Return the path of the private client's file for us1."""
    return Path(environ["DDOAUTH_CONFIG_FOLDER"]) / "client-private-us1.json"


def code_of(caught: pytest.ExceptionInfo[InputError]) -> str:
    """Return the code, after checking that the error reveals no secret."""
    assert not readable(CLIENT_SECRET, str(caught.value))
    assert caught.value.advice
    return caught.value.code


def test_the_secret_is_in_the_store_and_nowhere_else(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """A new kernel finds the stored values, and neither the file nor the value shows the secret."""
    kept = keep_registration(own(), site="us1", environ=environ)
    there = found(environ)
    assert there is not None
    assert (there.client_id, there.name, there.scopes) == (
        own().client_id,
        own().name,
        own().scopes,
    )
    assert there.secret.matches(CLIENT_SECRET)
    assert (there.kind, there.sites) == (Kind.PRIVATE, ("us1",))
    assert not readable(CLIENT_SECRET, repr(kept))
    for path in (tmp_path / "config").iterdir():
        assert not readable(CLIENT_SECRET, path.read_text("utf-8"))


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX systems")
def test_only_this_user_reads_the_file(environ: dict[str, str], tmp_path: Path) -> None:
    """The folder and file are readable only by one user, although neither contains a secret."""
    keep_registration(own(), site="us1", environ=environ)
    places = [tmp_path / "config", *(tmp_path / "config").iterdir()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in places] == [0o700, 0o600]


def test_each_kind_and_site_has_a_file(environ: dict[str, str]) -> None:
    """A published client does not replace the private one."""
    published = registration(kind=Kind.PUBLISHED, redirect_uris=("https://acme.com/cb",),
                             onboarding_url="https://acme.com/start", client_id="p")  # fmt: skip
    keep_registration(own(), site="us1", environ=environ)
    keep_registration(published, site="us1", environ=environ)
    names = [found(environ, kind=kind).client_id for kind in Kind]  # type: ignore[union-attr]
    assert names == [own().client_id, "p"]


def test_a_file_that_cannot_be_written_loses_nothing(environ: dict[str, str]) -> None:
    """The previous client still works, the new secret is stored, and the next attempt succeeds."""
    keep_registration(own(), site="us1", environ=environ)
    path = client_file(environ)
    aside = path.rename(f"{path}.aside")
    path.mkdir()  # a file does not replace a folder
    new = own(client_id="new", client_secret=Secret("canary-new", label="client_secret"))
    with pytest.raises(InputError, match="The secret is still stored in files") as caught:
        keep_registration(new, site="us1", environ=environ)
    assert code_of(caught) == "registration_not_kept"
    path.rmdir()
    aside.rename(path)
    before = found(environ)
    assert before is not None
    assert before.client_id == own().client_id
    assert before.secret.matches(CLIENT_SECRET)
    slots = {slot.client_id for slot in open_store(environ=environ).store.slots()}
    assert slots == {own().client_id, "new"}
    keep_registration(new, site="us1", environ=environ)
    after = found(environ)
    assert after is not None
    assert (after.client_id, after.secret.matches("canary-new")) == ("new", True)


@pytest.mark.parametrize("moment", ["before the file", "before the new file has its name"])
@pytest.mark.skipif(os.name != "posix", reason="processes are killed so on POSIX systems")
def test_a_crash_leaves_the_client_before(environ: dict[str, str], moment: str) -> None:
    """A process that is killed in between leaves file and secret of one and the same client."""
    keep_registration(own(), site="us1", environ=environ)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, moment],
        input=b"canary-new",
        env={**os.environ, **environ},
        check=False,
    )
    assert killed.returncode == -9
    before = found(environ)
    assert before is not None
    assert (before.client_id, before.secret.matches(CLIENT_SECRET)) == (own().client_id, True)
    keep_registration(own(client_id="new"), site="us1", environ=environ)
    assert found(environ).client_id == "new"  # type: ignore[union-attr]


def test_a_secret_that_cannot_be_kept_leaves_the_file(environ: dict[str, str]) -> None:
    """Without its secret no file names a client."""
    keep_registration(own(), site="us1", environ=environ)
    long = Secret("x" * 70_000, label="client_secret")
    with pytest.raises(InputError, match=r"too long|as it was written"):
        keep_registration(own(client_id="x", client_secret=long), site="us1", environ=environ)
    assert found(environ).client_id == own().client_id  # type: ignore[union-attr]


def test_what_would_be_forgotten_is_not_kept(environ: dict[str, str], tmp_path: Path) -> None:
    """A store in memory ends with the call; the error says so, and no file names the client."""
    forgetful = {**environ, "DDOAUTH_STORE": "memory"}
    with pytest.raises(InputError, match=r"go to memory.*DDOAUTH_STORE says memory") as caught:
        keep_registration(own(), site="us1", environ=forgetful)
    assert code_of(caught) == "registration_not_kept"
    assert not (tmp_path / "config").exists()
    keep_registration(own(), site="us1", environ=environ)
    assert found(environ)


def test_a_variable_that_wins_is_named(environ: dict[str, str]) -> None:
    """If the environment has another secret for the client, live mode would use that one."""
    shadowed = {**environ, "DDOAUTH_CLIENT_SECRET_US1": "canary-other"}
    with pytest.raises(InputError, match="DDOAUTH_CLIENT_SECRET_US1 in the environment") as caught:
        keep_registration(own(), site="us1", environ=shadowed)
    assert code_of(caught) == "registration_not_kept"
    assert "canary-other" not in str(caught.value)
    assert found(shadowed) is None


def test_without_a_home_nothing_is_kept(environ: dict[str, str], tmp_path: Path) -> None:
    """The reason is given before the secret goes anywhere."""
    del environ["DDOAUTH_CONFIG_FOLDER"]
    with pytest.raises(InputError, match="names no home") as caught:
        keep_registration(own(), site="us1", environ=environ)
    assert code_of(caught) == "registration_not_kept"
    assert not list(tmp_path.iterdir())


def test_a_file_without_its_secret_says_what_to_do(environ: dict[str, str]) -> None:
    """File, client, store and variable are named; either way out works."""
    keep_registration(own(), site="us1", environ=environ)
    store = open_store(environ=environ).store
    store.forget(store.slots()[0])
    with pytest.raises(InputError) as caught:
        found(environ)
    assert code_of(caught) == "kept_secret_missing"
    variable = "DDOAUTH_CLIENT_SECRET_US1"
    for word in (
        str(client_file(environ)),
        own().client_id,
        environ["DDOAUTH_STORE_FOLDER"],
        variable,
    ):
        assert word in caught.value.what
    assert "keep_registration" in caught.value.advice
    assert found({**environ, variable: "canary-set"}).secret.matches("canary-set")  # type: ignore[union-attr]
    keep_registration(own(), site="us1", environ=environ)
    assert found(environ).secret.matches(CLIENT_SECRET)  # type: ignore[union-attr]


def test_nothing_kept_is_none(environ: dict[str, str]) -> None:
    """If no registration was stored, the result is empty, without an error."""
    assert found(environ) is None
    assert found({"HOME": ""}) is None


def test_what_a_sandbox_issued_stays_in_memory(environ: dict[str, str], tmp_path: Path) -> None:
    """With a store of the sandbox's no file is written, and the store has the secret."""
    store = MemoryStore()
    kept = keep_registration(own(), site="eu1", store=store, environ=environ)
    (slot,) = store.slots()
    assert (slot.site, slot.client_kind) == ("eu1", "private")
    assert kept.file.startswith("none")
    assert not list(tmp_path.iterdir())


def test_binder_takes_no_registration(environ: dict[str, str], tmp_path: Path) -> None:
    """On Binder, nothing is stored and nothing is looked up."""
    binder = {**environ, "BINDER_SERVICE_HOST": "10.0.0.7"}
    with pytest.raises(InputError) as caught:
        keep_registration(own(), site="us1", environ=binder)
    assert code_of(caught) == "no_live_on_binder"
    with pytest.raises(InputError, match="Binder"):
        found(binder)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"client_id": " "}, "client id", "is empty"),
        ({"name": ""}, "name", "is empty"),
        ({"client_secret": None}, "client secret", "is empty"),
        ({"redirect_uris": ()}, "redirect URIs", "is empty"),
        ({"onboarding_url": ""}, "onboarding URL", "is empty"),
        ({"scopes": ()}, "scopes", "is empty"),
        ({"name": "Ac\nme"}, "name", "can't be shown"),
        ({"onboarding_url": "http://acme.com/"}, "onboarding URL", "neither https"),
        ({"onboarding_url": "https://"}, "onboarding URL", "neither https"),
        ({"onboarding_url": "https://[::1"}, "onboarding URL", "neither https"),
        ({"onboarding_url": "https://acme.com/a b"}, "onboarding URL", "neither https"),
        ({"kind": "published"}, "redirect URI", "own machine"),
    ],
)
def test_what_cannot_be_kept_is_named(
    environ: dict[str, str], tmp_path: Path, changes: dict[str, Any], field: str, problem: str
) -> None:
    """The check and the attempt to store it name the same field, and nothing is stored."""
    spoilt = own(**changes)
    table = check_registration(spoilt).frame
    rows = table[(table["field"] == field) & (table["stops"] == "yes")]
    assert rows["problem"].str.contains(problem).any()
    with pytest.raises(InputError, match=f"{field}: .*{problem}") as caught:
        keep_registration(spoilt, site="us1", environ=environ)
    assert code_of(caught) == "bad_registration"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [Kind.PUBLISHED, Kind.PRIVATE])
def test_an_address_that_looks_like_a_test_does_not_stop_a_client(
    environ: dict[str, str], kind: Kind
) -> None:
    """Datadog has published clients with such a host name, so it is only named."""
    uris = ("https://staging.acme.com/cb", "https://acme.example/cb")
    looks = own(kind=kind, redirect_uris=uris, onboarding_url="https://acme.com/on")
    table = check_registration(looks).frame
    named = table[table["problem"].str.contains("looks like a test address")]
    assert set(table["stops"]) == {"no"}
    assert len(named) == (len(uris) if kind is Kind.PUBLISHED else 0)
    keep_registration(looks, site="us1", environ=environ)


@given(name=st.text(), client_id=st.text(max_size=20), path=st.text())
def test_what_passes_the_check_can_be_read_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, client_id: str, path: str
) -> None:
    """No text that the form accepts leads to a file that live mode refuses."""
    folder = tmp_path_factory.mktemp("kept")
    environ = {"DDOAUTH_STORE": "file", "HOME": str(folder)}
    typed = own(name=name, client_id=client_id, onboarding_url=f"https://acme.com/{path}")
    if "yes" in set(check_registration(typed).frame.get("stops", ())):
        return
    keep_registration(typed, site="us1", environ=environ)
    there = found(environ)
    assert there is not None
    assert (there.name, there.client_id) == (typed.name, typed.client_id)
    assert there.onboarding_url == typed.onboarding_url


def test_the_file_is_of_the_form_that_partners_have(environ: dict[str, str]) -> None:
    """It can be named as a client file: one object `integration`, and no field for a secret."""
    keep_registration(own(), site="us1", environ=environ)
    (integration,) = json.loads(client_file(environ).read_text("utf-8")).values()
    assert set(integration) == {"id", "name", "onboarding_url", "redirect_uris", "scopes"}
