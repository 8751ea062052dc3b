"""The lab's steps keep what they get, prove the store first, and change nothing unasked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support import builders as given
from support.backends import ForgetfulKeyring, live_environment

from ddoauth_kit.errors import InputError, NetworkError, TokenError
from ddoauth_kit.oauth.grant import grant_slot
from ddoauth_kit.oauth.grant_record import read
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Endpoints
from ddoauth_kit.store import ChosenStore, KeyringStore, MemoryStore, Slot
from ddoauth_kit.workbook import open_lab, open_sandbox_lab, provoke
from ddoauth_kit.workbook.lab.lab import NOT_ASKED, Lab
from ddoauth_kit.workbook.show.cards import Skipped, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.loopback import RecordingServer

    from ddoauth_kit import AuthorizationRequest, TokenSet
    from ddoauth_kit.store import Store

PURPOSES = ("token exchange", "token refresh", "API key creation", "metric submission")


class PickyStore(MemoryStore):
    """Keep all kinds of secrets but some, for which it fails with the secret in its words."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self._refused = refused

    def put(self, slot: Slot, secret: Secret) -> None:
        """Keep the secret, or fail with it."""
        if slot.kind in self._refused:
            raise OSError(28, f"No space left for {secret.reveal()}")
        super().put(slot, secret)


@pytest.fixture(params=[False, True], ids=["sockets", "in process"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Open a sandbox lab, over sockets and in process."""
    with open_sandbox_lab(in_process=request.param) as opened:
        yield opened


def _slot(lab: Lab, kind: str = "refresh_token") -> Slot:
    return Slot(kind, lab.site.name, lab.registration.client_id)


def _kept(lab: Lab) -> Secret | None:
    """Return the refresh token of the only grant in the lab's store."""
    grants = [lab.store.get(slot) for slot in lab.store.slots() if slot.kind == "grant"]
    assert len(grants) < 2
    found = [read(grant, sites=lab.oauth.sites).tokens for grant in grants if grant]
    return found[0].refresh_token if found else None


def _with(lab: Lab, *, store: Store) -> Lab:
    """Return a lab on the same sandbox with another store."""
    return Lab(replace(lab.backend, store=ChosenStore(store, "a test wants it"), owned=False))


def _purposes(lab: Lab) -> list[str]:
    return [exchange.purpose for exchange in lab.transcript]


def _never(request: AuthorizationRequest) -> str:
    raise AssertionError(f"Nobody is to be asked for {request.shown_url}.")


@contextmanager
def _live(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Open a live lab whose Datadog is a server that records what arrives."""
    live_environment(monkeypatch)
    sites = DATADOG_SITES.at({"us1": Endpoints(*[server.url] * 4)})
    with open_lab("us1", mode="live", sites=sites, person=_never) as lab:
        yield lab


def _live_tokens(lab: Lab) -> TokenSet:
    return given.tokens(site=lab.site, client_id=lab.registration.client_id)


def test_connect_authorizes_once(lab: Lab) -> None:
    """The first `connect` asks for consent, and the second one refreshes the stored grant."""
    first = lab.connect()
    second = Lab(replace(lab.backend, person=_never, owned=False)).connect()
    assert _purposes(lab) == ["token exchange", "token refresh"]
    assert second.access_token != first.access_token
    assert second.scopes.granted == first.scopes.granted
    assert lab.current_user(second).status == 200


def test_connect_forgets_a_refused_token(lab: Lab) -> None:
    """A refresh token that the site refuses makes way for a new authorization."""
    lab.store.put(_slot(lab), Secret("of-yesterday", label="refresh_token"))
    tokens = lab.connect()
    assert _purposes(lab) == ["token refresh", "token exchange"]
    assert _kept(lab) == tokens.refresh_token
    assert lab.store.get(_slot(lab)) is None


def test_connect_stops_where_consent_would_not_help(lab: Lab) -> None:
    """A wrong client secret is reported at once; the stored token is kept for a later attempt."""
    kept = lab.connect().refresh_token
    wrong = Secret("not-the-secret", label="client_secret")
    lab.oauth.registration = replace(lab.registration, client_secret=wrong)
    other = Lab(replace(lab.backend, person=_never, owned=False))
    assert provoke(other.connect).code == "invalid_client"
    assert _kept(lab) == kept


def test_connect_forgets_before_it_asks(lab: Lab) -> None:
    """A denied consent after a refused refresh leaves no dead token behind."""
    lab.store.put(_slot(lab), Secret("of-yesterday", label="refresh_token"))
    other = Lab(replace(lab.backend, person=_never, owned=False))
    with pytest.raises(AssertionError, match="Nobody is to be asked"):
        other.connect()
    assert lab.store.get(_slot(lab)) is None


def test_tokens_are_kept_before_they_are_returned(lab: Lab) -> None:
    """Exchange and refresh leave the refresh token from their response in the store."""
    tokens = lab.exchange(lab.authorize())
    assert _kept(lab) == tokens.refresh_token
    renewed = lab.refresh(tokens)
    assert _kept(lab) == renewed.refresh_token


@pytest.mark.parametrize("faults", [(), ("no-refresh-token",)])
def test_a_refresh_keeps_the_new_token_or_the_old(faults: tuple[str, ...]) -> None:
    """A new refresh token replaces the stored one; without a new one, it stays valid."""
    with open_sandbox_lab(faults=faults) as lab:
        tokens = lab.connect()
        lab.store.forget(grant_slot(tokens))
        renewed = lab.refresh(tokens)
        assert renewed.refresh_token is not None
        assert _kept(lab) == renewed.refresh_token
        lab.connect()
    assert _purposes(lab) == ["token exchange", "token refresh", "token refresh"]


@pytest.mark.parametrize(
    ("store", "cause"),
    [
        (PickyStore("grant"), "OSError"),
        (KeyringStore(ForgetfulKeyring()), "The keyring did not store the grant of "),
    ],
)
def test_tokens_survive_a_store_that_fails(
    lab: Lab, store: Store, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A used code returns tokens even if they can't be stored, with one masked sentence."""
    tokens = _with(lab, store=store).connect()
    assert lab.current_user(tokens).status == 200
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert f"could not be stored ({cause}" in printed
    assert tokens.refresh_token is not None
    assert tokens.refresh_token.reveal() not in printed


def test_revoke_forgets_and_ends(lab: Lab) -> None:
    """After `revoke` neither the store nor the site knows the grant."""
    tokens = lab.connect()
    last = lab.revoke(tokens)
    assert last
    assert last.status == 200
    assert _kept(lab) is None
    assert provoke(lab.refresh, tokens).code == "invalid_refresh_token"


def test_revoke_forgets_also_when_it_fails(lab: Lab) -> None:
    """A revocation that cannot be sent leaves nothing behind here."""
    tokens = lab.connect()
    lab.close()
    assert isinstance(provoke(lab.revoke, tokens), NetworkError)
    assert _kept(lab) is None


def test_a_refused_refresh_is_forgotten(lab: Lab) -> None:
    """The customer ends the grant; the next refresh clears the slot and raises."""
    tokens = lab.connect()
    lab.customer.revoke_authorization(tokens.client_id)
    error = provoke(lab.refresh, tokens)
    assert isinstance(error, TokenError)
    assert _kept(lab) is None


def test_the_key_is_kept_before_it_is_returned(lab: Lab) -> None:
    """The store contains the key that `create_api_key` returns."""
    api_key = lab.create_api_key(lab.connect())
    assert api_key
    assert lab.store.get(_slot(lab, "api_key")) == api_key.key


def test_the_one_key_is_found_again(lab: Lab) -> None:
    """The site is asked about a stored key, and a revoked key is created again."""
    tokens = lab.connect()
    made = lab.api_key(tokens)
    again = lab.api_key(tokens)
    assert made
    assert again
    assert (again.key, again.key_id) == (made.key, made.key_id)
    assert again.name == "stored by an earlier lesson"
    lab.customer.revoke_api_key(made.key_id)
    newer = lab.api_key(tokens)
    assert newer
    assert newer.key != made.key
    assert lab.store.get(_slot(lab, "api_key")) == newer.key
    assert lab.validate_api_key(newer) is True


def test_a_lesson_that_may_not_write_makes_no_key(lab: Lab) -> None:
    """In live mode without `WRITES`, a stored key is used, and none is created or deleted."""
    tokens = lab.connect()
    careful = Lab(replace(lab.backend, writes=False, owned=False))
    skipped = careful.api_key(tokens)
    assert isinstance(skipped, Skipped)
    made = lab.api_key(tokens)
    found = careful.api_key(tokens)
    assert made
    assert found
    assert found.key == made.key
    lab.customer.revoke_api_key(made.key_id)
    assert isinstance(careful.api_key(tokens), Skipped)
    assert careful.store.get(_slot(lab, "api_key")) == made.key


def test_no_key_for_an_unwritable_store(lab: Lab) -> None:
    """A store that doesn't store is detected before the key, which is shown once, is created."""
    tokens = lab.connect()
    poor = _with(lab, store=PickyStore("probe_api_key"))
    before = len(lab.transcript)
    error = provoke(poor.create_api_key, tokens)
    assert isinstance(error, InputError)
    assert error.code == "not_stored"
    assert len(lab.transcript) == before
    assert lab.create_api_key(tokens), "the sandbox made no key before"


def test_a_key_survives_a_store_that_fails(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that could not be stored after all is returned, with a sentence without secrets."""
    api_key = _with(lab, store=PickyStore("api_key")).create_api_key(lab.connect())
    assert api_key
    assert lab.validate_api_key(api_key) is True
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "could not be stored (OSError)" in printed
    assert "api_key.key.reveal()" in printed
    assert api_key.key.reveal() not in printed


@pytest.mark.parametrize("step", [Lab.create_api_key, Lab.revoke])
def test_live_changes_nothing_unasked(
    step: Callable[[Lab, TokenSet], object],
    serve: Callable[..., RecordingServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Live without `writes`, steps that change something are skipped, and nothing is sent."""
    server = serve()
    with _live(server, monkeypatch) as lab:
        tokens = _live_tokens(lab)
        lab.store.put(_slot(lab), Secret("kept", label="refresh_token"))
        skipped = step(lab, tokens)
        assert isinstance(skipped, Skipped)
        assert skipped.reason == NOT_ASKED
        assert lab.store.get(_slot(lab)), "what was not revoked is not forgotten"
    assert server.arrived == []


def test_a_skipped_key_skips_what_needs_it(
    serve: Callable[..., RecordingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key, no data is sent and no key is validated; the reason is passed along."""
    server = serve()
    with _live(server, monkeypatch) as lab:
        skipped = lab.create_api_key(_live_tokens(lab))
        assert lab.send_data(skipped) == lab.validate_api_key(skipped) == skipped
        assert "no, as long as WRITES = False" in as_text(lab)
    assert server.arrived == []


def test_live_asks_once_for_data_it_did_not_send(
    serve: Callable[..., RecordingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If nothing was sent, reading does not wait: it asks once for each granted scope."""
    server = serve()
    with _live(server, monkeypatch) as lab:
        table = lab.read_data(_live_tokens(lab))
    assert [arrived.target.partition("?")[0] for arrived in server.arrived] == ["/api/v1/events"]
    assert list(table.frame["found"]).count("scope not granted") == 2


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_was_never_sent_cannot_be_shown(lab: Lab, purpose: str) -> None:
    """A purpose without an exchange gives a reason, as wire text, command and code."""
    for shown in (lab.sent(purpose), lab.curl(purpose), lab.httpx(purpose)):
        assert shown == Skipped(f"No {purpose} was sent.")


def test_the_newest_exchange_is_shown(lab: Lab) -> None:
    """Of several exchanges of one purpose the last one is shown."""
    tokens = lab.refresh(lab.refresh(lab.connect()))
    lab.revoke(tokens)
    assert provoke(lab.refresh, tokens).exchange == lab.sent("token refresh")


def test_drills_make_one_row_each(lab: Lab) -> None:
    """The table of drills has status, words and code, even if nothing was sent or stopped."""
    table = lab.drills("second-key", "wrong-state", "key-after-uninstall")
    assert list(table.frame.columns) == ["drill", "status", "the server said", "code"]
    second, state, key = table.frame.to_dict(orient="records")
    assert (second["status"], second["code"]) == ("409", "api_key_exists")
    assert second["the server said"]
    assert state["status"] == "nothing sent"
    assert (key["status"], key["code"]) == ("", "no error")


def test_a_cell_that_runs_twice_says_which_cell_to_run_again(lab: Lab) -> None:
    """A second exchange of a response names the cell before it; another refusal does not."""
    response = lab.authorize()
    lab.exchange(response)
    again = provoke(lab.exchange, response)
    assert again.code == "invalid_grant"
    assert "run the cell with `lab.authorize()` again" in str(again)
    lab.inject("expired-code:1")
    assert "lab.authorize()" not in str(provoke(lab.exchange, lab.authorize()))
