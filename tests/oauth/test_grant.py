"""However many callers need a token, it is fetched once, stored first; a dead grant stays dead."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import ACCESS_TOKEN, NOW, REFRESH_TOKEN, shown, with_locals
from support.builders import registration as given_registration
from support.builders import tokens as given_tokens
from support.loopback import Answer, refused_site
from support.places import TESTS
from support.scene import Scene

from ddoauth_kit import DATADOG_SITES, OAuthClient, Secret
from ddoauth_kit.errors import AnswerError, InputError, NetworkError, TokenError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.oauth import grant as grants
from ddoauth_kit.oauth.grant import Grant, grant_slot, keep_grant, kept_grants
from ddoauth_kit.oauth.grant_record import _TEXTS, new_record, read, written
from ddoauth_kit.oauth.tokens import current_user_request, monitor_list_request
from ddoauth_kit.registration import TokenEndpoint
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.store import FileStore, MemoryStore, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.loopback import RecordingServer

    from ddoauth_kit import Http, TokenSet
    from ddoauth_kit.store import Store

    Serve = Callable[..., RecordingServer]

MANY = 20


@pytest.fixture(params=[False, True], ids=["kept", "rotated"])
def scene(request: pytest.FixtureRequest, http: Http) -> Iterator[Scene]:
    """Connect a client to a sandbox that keeps refresh tokens, and to one that rotates them."""
    with Sandbox(rotate=request.param, real_time=True) as sandbox:
        yield Scene(sandbox, http)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """Keep grants in files, as servers of several processes do."""
    return FileStore(tmp_path / "kept")


def _expired(scene: Scene, store: Store) -> tuple[Grant, TokenSet]:
    """Return a stored grant whose access token already counts as expired."""
    tokens = scene.tokens()
    grant = Grant(scene.oauth, store=store, slot=grant_slot(tokens))
    grant.keep(replace(tokens, expires_at=scene.sandbox.clock.now()))
    return grant, tokens


def _refreshes(scene: Scene) -> int:
    return sum("refresh_token" in entry.fields for entry in scene.sandbox.journal)


def _again(scene: Scene, store: Store, tokens: TokenSet) -> Grant:
    """Return another grant object on the same slot, as another client or server has it."""
    return Grant(scene.oauth, store=store, slot=grant_slot(tokens))


@pytest.mark.checklist("C12")
def test_threads_and_clients_share_one_refresh(scene: Scene, store: FileStore) -> None:
    """Twenty threads on five grant objects need a token at once: one token request."""
    grant, tokens = _expired(scene, store)
    grants = [grant, *(_again(scene, store, tokens) for _ in range(4))]
    with ThreadPoolExecutor(MANY) as pool:
        found = list(pool.map(lambda n: grants[n % 5].tokens(), range(MANY)))
    assert len({each.access_token.reveal() for each in found}) == 1
    assert _refreshes(scene) == 1
    scene.whoami(found[0])


@pytest.mark.checklist("C12")
@pytest.mark.parametrize("scene", [True], indirect=True, ids=["rotated"])
def test_coroutines_share_one_refresh(scene: Scene, store: FileStore) -> None:
    """A hundred coroutines make their own calls: one token request, and all calls succeed."""
    grant, _ = _expired(scene, store)

    async def call_all() -> list[int]:
        async with AsyncHttp() as http:
            calls = (grant.asend(http, current_user_request) for _ in range(100))
            return [answer.status for answer in await asyncio.gather(*calls)]

    assert asyncio.run(call_all()) == [200] * 100
    assert _refreshes(scene) == 1


# The imports are the same in each process, so one imports, and the six come from it.
PROCESSES = """
import json, os, sys
from pathlib import Path
from sandbox_process import oauth_client
from ddoauth_kit.http import sender
from ddoauth_kit.oauth.grant import Grant
from ddoauth_kit.store import FileStore, Slot
description = json.loads(sys.stdin.readline())
for _ in range(6):
    if not os.fork():
        break
else:
    sys.exit(any(os.wait()[1] for _ in range(6)))
grant = Grant(
    oauth_client(description), store=FileStore(Path(sys.argv[1])), slot=Slot(*sys.argv[2:])
)
os.write(1, b"ready\\n")
os.read(0, 1)
os.write(1, f"{os.getpid()} {hash(grant.tokens().access_token.reveal())}\\n".encode())
"""


@pytest.mark.checklist("C12")
@pytest.mark.parametrize("scene", [True], indirect=True, ids=["rotated"])
def test_processes_share_one_refresh(scene: Scene, store: FileStore, tmp_path: Path) -> None:
    """Six processes that share a folder need a token at the same moment: one token request."""
    _, tokens = _expired(scene, store)
    slot = grant_slot(tokens)
    folder = str(TESTS / "benchmarks")
    command = [sys.executable, "-c", PROCESSES, str(tmp_path / "kept")]
    command += [slot.kind, slot.site, slot.client_id, slot.client_kind, slot.org]
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    environ["PYTHONPATH"] = f"{folder}:{environ.get('PYTHONPATH', '')}"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ, **pipes) as first:
        print(json.dumps(scene.sandbox.description()), file=first.stdin, flush=True)
        assert [first.stdout.readline() for _ in range(6)] == ["ready\n"] * 6
        found = [line.split() for line in first.communicate("." * 6, timeout=60)[0].splitlines()]
    assert first.returncode == 0
    assert len({process for process, _ in found}) == 6
    assert len({token for _, token in found}) == 1
    assert _refreshes(scene) == 1


@pytest.mark.checklist("C11")
def test_a_new_refresh_token_is_kept_before_it_is_used(scene: Scene, store: FileStore) -> None:
    """When `tokens` returns, the new tokens are stored, and a new process can continue."""
    grant, tokens = _expired(scene, store)
    renewed = grant.tokens()
    kept = store.get(grant_slot(tokens))
    assert kept is not None
    assert read(kept, sites=scene.oauth.sites).tokens == renewed
    assert _again(scene, store, tokens).tokens() == renewed
    assert _refreshes(scene) == 1


@pytest.mark.checklist("C11")
def test_a_dead_grant_is_refused_once(scene: Scene, store: FileStore) -> None:
    """After one refused refresh, nothing is stored or sent, no matter who asks or how often."""
    grant, tokens = _expired(scene, store)
    scene.oauth.revoke(tokens)
    with pytest.raises(TokenError) as caught:
        grant.tokens()
    assert caught.value.code == "invalid_refresh_token"
    assert "authorize again" in caught.value.advice
    assert store.slots() == ()
    sent = len(scene.sandbox.journal)
    for again in (grant, _again(scene, store, tokens)):
        with pytest.raises(TokenError) as caught:
            again.tokens()
        assert caught.value.code == "grant_ended"
    assert len(scene.sandbox.journal) == sent


@pytest.mark.checklist("C11")
@pytest.mark.checklist("C12")
def test_many_learn_of_a_dead_grant_by_one_request(scene: Scene, store: FileStore) -> None:
    """Twenty threads ask at once for an ended grant: one token request in all."""
    grant, tokens = _expired(scene, store)
    scene.oauth.revoke(tokens)

    def code(_: int) -> str:
        with pytest.raises(TokenError) as caught:
            grant.tokens()
        return caught.value.code

    with ThreadPoolExecutor(MANY) as pool:
        codes = sorted(pool.map(code, range(MANY)))
    assert codes == ["grant_ended"] * (MANY - 1) + ["invalid_refresh_token"]
    assert _refreshes(scene) == 1


def test_a_new_authorization_revives_the_slot(scene: Scene, store: FileStore) -> None:
    """A grant that another process stores after the end is found without a restart."""
    grant, tokens = _expired(scene, store)
    grant.end()
    with pytest.raises(TokenError, match="grant_ended"):
        grant.tokens()
    _again(scene, store, tokens).keep(scene.tokens())
    scene.whoami(grant.tokens())


@pytest.mark.checklist("C16")
def test_end_forgets_even_if_nobody_answers(scene: Scene, store: FileStore) -> None:
    """The grant is deleted from the store even if the revocation fails; the failure is reported."""
    grant, _ = _expired(scene, store)
    scene.sandbox.inject("server-error")
    with pytest.raises(AnswerError):
        grant.end()
    assert store.slots() == ()


@pytest.mark.checklist("C13")
def test_401_refreshes_once(scene: Scene, store: FileStore) -> None:
    """A token that ended early is renewed by the first 401, for all calls that met it."""
    tokens = scene.tokens()
    grant = Grant(scene.oauth, store=store, slot=grant_slot(tokens))
    grant.keep(tokens)
    scene.sandbox.clock.advance(4000)
    grant._current = replace(grant._current, renew_at=scene.sandbox.clock.now() + timedelta(1))
    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(lambda _: grant.send(current_user_request), range(MANY)))
    assert [answer.status for answer in answers] == [200] * MANY
    assert _refreshes(scene) == 1


@pytest.mark.checklist("C13")
def test_403_refreshes_never(scene: Scene, store: FileStore) -> None:
    """A missing scope is not the token's fault: one call, no refresh, an unchanged response."""
    tokens = scene.tokens(scopes=["events_read"])
    grant = Grant(scene.oauth, store=store, slot=grant_slot(tokens))
    grant.keep(tokens)
    assert grant.send(monitor_list_request).status == 403
    assert _refreshes(scene) == 0


@pytest.mark.checklist("C13")
def test_a_401_of_a_closed_endpoint_refreshes_never(http: Http, store: FileStore) -> None:
    """If the token is valid, a 401 is about the endpoint; many such calls share one check."""
    with Sandbox(profile="no-oauth", real_time=True) as sandbox:
        scene = Scene(sandbox, http)
        tokens = scene.tokens()
        grant = Grant(scene.oauth, store=store, slot=grant_slot(tokens))
        grant.keep(tokens)
        assert grant.send(monitor_list_request).status == 401
        assert _refreshes(scene) == 0


def _served(serve: Serve, http: Http, store: Store, *answers: Answer) -> tuple[Grant, Any]:
    server = serve(*answers)
    sites = DATADOG_SITES.with_site(server.site)
    client = OAuthClient(given_registration(), sites=sites, http=http, clock=lambda: NOW)
    tokens = given_tokens(site=server.site)
    grant = Grant(client, store=store, slot=grant_slot(tokens))
    grant.keep(tokens)
    return grant, server


GOOD = Answer(
    json.dumps({"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": 60})
)
REFUSED = Answer('{"errors": ["invalid_grant - Invalid or expired refresh token"]}', 400)


def test_a_lost_answer_is_not_the_end(http: Http, serve: Serve, store: FileStore) -> None:
    """If a response is cut off, the old token stays; the next call tries it and continues."""
    grant, server = _served(serve, http, store, Answer("{"), GOOD)
    with pytest.raises(AnswerError):
        grant.tokens()
    assert grant.tokens().access_token == Secret("new-access", label="access_token")
    assert [each.form["refresh_token"] for each in server.arrived] == [REFRESH_TOKEN] * 2


def test_a_lost_answer_that_was_the_end_says_so(http: Http, serve: Serve, store: FileStore) -> None:
    """If the lost response contained a rotated token, the refusal names that as a cause."""
    grant, _ = _served(serve, http, store, Answer(""), REFUSED)
    with pytest.raises(AnswerError):
        grant.tokens()
    with pytest.raises(TokenError, match="The response to an earlier refresh was lost") as caught:
        grant.tokens()
    assert caught.value.code == "invalid_refresh_token"


def test_a_clock_that_stands_still_repeats_no_failure(
    http: Http, serve: Serve, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next call also asks again if the system's clock moves in steps of milliseconds."""
    grant, server = _served(serve, http, store, Answer("{"), GOOD)
    monkeypatch.setattr(grants, "time", SimpleNamespace(monotonic=lambda: 7.0))
    with pytest.raises(AnswerError):
        grant.tokens()
    assert grant.tokens().access_token == Secret("new-access", label="access_token")
    assert len(server.arrived) == 2


@pytest.mark.checklist("C12")
def test_those_who_waited_share_a_failure(
    http: Http, serve: Serve, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the token endpoint is down, twenty simultaneous callers make one request."""
    all_wait, callers, alone = threading.Event(), itertools.count(1), store.alone
    grant, server = _served(serve, http, store, Answer("{}", 503, until=all_wait))

    def counted(slot: Slot) -> Any:
        if next(callers) == MANY:
            all_wait.set()
        return alone(slot)

    monkeypatch.setattr(store, "alone", counted)

    def fail(_: int) -> str:
        with pytest.raises(AnswerError) as caught:
            grant.tokens()
        return caught.value.code

    with ThreadPoolExecutor(MANY) as pool:
        assert set(pool.map(fail, range(MANY))) == {"server_error"}
    assert len(server.arrived) == 1


def test_no_connection_keeps_the_grant(http: Http, store: FileStore) -> None:
    """If nobody responds, the grant stays in the store for later."""
    site = refused_site()
    client = OAuthClient(
        given_registration(), sites=DATADOG_SITES.with_site(site), http=http, clock=lambda: NOW
    )
    grant = Grant(client, store=store, slot=grant_slot(given_tokens(site=site)))
    grant.keep(given_tokens(site=site))
    with pytest.raises(NetworkError):
        grant.tokens()
    assert len(store.slots()) == 1


class FullStore(MemoryStore):
    """Pass every trial, then be full from some moment on."""

    full = False

    def put(self, slot: Slot, secret: Secret) -> None:
        """Fail with the secret in the words, as a careless backend does."""
        if self.full and not slot.is_probe:
            raise OSError(28, f"no space for {secret.reveal()}")
        super().put(slot, secret)


@pytest.mark.checklist("C9")
def test_a_store_that_fills_up(http: Http, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A refresh that can't be stored stays in memory, is reported, and is stored later."""
    store = FullStore()
    grant, server = _served(serve, http, store, GOOD)
    store.full = True
    with caplog.at_level(logging.WARNING, logger="ddoauth_kit.grant"):
        tokens = grant.tokens()
    assert "only in memory: OSError" in caplog.text
    assert "new-" not in caplog.text
    assert grant.tokens() == tokens
    store.full = False
    assert grant.tokens() == tokens
    kept = store.get(store.slots()[0])
    assert kept is not None
    assert read(kept, sites=grant._client.sites).tokens == tokens
    assert len(server.arrived) == 1


@pytest.mark.checklist("C11")
def test_no_refresh_without_a_store(http: Http, serve: Serve, tmp_path: Path) -> None:
    """If a new token could not be stored, the old one is not used up."""
    store = FileStore(tmp_path / "kept")
    grant, server = _served(serve, http, store, GOOD)
    (tmp_path / "kept").chmod(0o755)
    with pytest.raises(InputError) as caught:
        grant.tokens()
    assert caught.value.code == "unsafe_store"
    assert server.arrived == []


def test_a_short_life_is_no_loop(http: Http, serve: Serve, store: FileStore) -> None:
    """A token that lives for thirty seconds is used for most of them, not refreshed each time."""
    short = Answer(json.dumps({"access_token": "a", "refresh_token": "r", "expires_in": 30}))
    grant, server = _served(serve, http, store, short)
    for _ in range(5):
        grant.tokens()
    assert len(server.arrived) == 1


@pytest.mark.parametrize("ahead", [-86_400, 86_400])
def test_a_clock_that_jumps(scene: Scene, store: FileStore, ahead: int) -> None:
    """A client's clock that is a day off costs one refresh at most, and no call."""
    tokens = scene.tokens()
    grant = Grant(scene.oauth, store=store, slot=grant_slot(tokens))
    grant.keep(tokens)
    right = scene.oauth.clock
    scene.oauth.clock = lambda: right() + timedelta(seconds=ahead)
    for _ in range(3):
        assert grant.send(current_user_request).status == 200
    assert _refreshes(scene) == (1 if ahead > 0 else 0)


def test_a_record_is_read_back() -> None:
    """Tokens, scopes, times and site survive; a tenth of a short life is the margin."""
    tokens = given_tokens(expires_at=NOW + timedelta(seconds=100), dd_oid="o", dd_org_name="n")
    record = new_record(tokens, now=NOW)
    assert read(written(record), sites=DATADOG_SITES) == record
    assert record.renew_at == NOW + timedelta(seconds=90)
    without = new_record(replace(tokens, refresh_token=None), now=NOW)
    assert read(written(without), sites=DATADOG_SITES) == without
    assert ACCESS_TOKEN not in shown([record, written(record)])


@generated(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(json.dumps),
        st.fixed_dictionaries(
            dict.fromkeys(
                (*_TEXTS, "expires_at", "renew_at", "requested", "granted"),
                st.text() | st.lists(st.text()) | st.none(),
            )
        ).map(json.dumps),
    )
)
def test_a_record_from_elsewhere_is_refused_by_name(text: str) -> None:
    """Whatever the slot contains, the error is the kit's, and does not repeat the contents."""
    with pytest.raises(InputError) as caught:
        read(Secret(text, label="grant"), sites=DATADOG_SITES)
    assert caught.value.code in {"not_stored", "unknown_site"}
    assert len(text) < 20 or text not in with_locals(caught.value)


def test_customers_are_found_again_after_a_restart(scene: Scene, tmp_path: Path) -> None:
    """A new process finds each customer's grant by organization, and no other client's."""
    store = FileStore(tmp_path / "kept")
    tokens = scene.tokens()
    assert keep_grant(scene.oauth, tokens, store=store).latest == tokens
    foreign = replace(tokens, client_id="another")
    store.put(grant_slot(foreign), written(new_record(foreign, now=NOW)))
    store.put(Slot("api_key", "us1", tokens.client_id, "", tokens.dd_oid), Secret("k", label="k"))

    restarted = FileStore(tmp_path / "kept")
    (found,) = kept_grants(scene.oauth, store=restarted)
    assert found.slot == grant_slot(tokens)
    assert found.tokens().access_token == tokens.access_token
    assert len(kept_grants(scene.oauth, store=restarted, org=tokens.dd_oid)) == 1
    assert len(kept_grants(scene.oauth, store=restarted, site="us1")) == 1
    assert kept_grants(scene.oauth, store=restarted, org="other") == ()
    assert kept_grants(scene.oauth, store=restarted, site="eu1") == ()


@pytest.mark.checklist("C11")
def test_a_lost_refresh_is_tried_once_more(scene: Scene, store: FileStore) -> None:
    """After a lost response there is one more attempt; if tokens rotate, the grant then ends."""
    grant, _ = _expired(scene, store)
    rotates = scene.sandbox._twin.switches.rotates
    scene.sandbox.inject("lost-answer:1")
    with pytest.raises(NetworkError):
        grant.tokens()
    if not rotates:
        scene.whoami(grant.tokens())
        assert _refreshes(scene) == 2
        return
    with pytest.raises(TokenError, match="The response to an earlier refresh was lost") as caught:
        grant.tokens()
    assert caught.value.code == "invalid_refresh_token"
    for _ in range(5):
        with pytest.raises(TokenError) as ended:
            grant.tokens()
        assert ended.value.code == "grant_ended"
    assert _refreshes(scene) == 2


def test_a_grant_of_the_other_endpoint_is_not_forgotten(
    http: Http, serve: Serve, store: FileStore
) -> None:
    """It is unknown whether v2 accepts a v1 token: a refusal there ends nothing, and says so."""
    grant, server = _served(serve, http, store, REFUSED, GOOD)
    grant.keep(replace(given_tokens(site=server.site), token_endpoint=TokenEndpoint.V1))
    with pytest.raises(TokenError, match="refused a refresh token that v1 issued") as caught:
        grant.tokens()
    assert caught.value.code == "other_token_endpoint"
    client = grant._client
    client.registration = replace(client.registration, token_endpoint="v1")
    assert grant.tokens().token_endpoint is TokenEndpoint.V1
    assert [each.target for each in server.arrived] == ["/api/v2/oauth2/token", "/oauth2/v1/token"]


def test_a_missing_token_endpoint_ends_no_grant(http: Http, serve: Serve, store: FileStore) -> None:
    """404 names the setting, the other endpoint is not asked, and the grant stays."""
    grant, server = _served(serve, http, store, Answer("gone", 404), GOOD)
    with pytest.raises(TokenError, match="DDOAUTH_TOKEN_ENDPOINT") as caught:
        grant.tokens()
    assert caught.value.code == "token_endpoint_missing"
    assert len(server.arrived) == 1
    assert grant.tokens().access_token == Secret("new-access", label="access_token")


def test_a_record_names_its_token_endpoint() -> None:
    """It is read back; a record of a version that knew one endpoint alone is of v1."""
    tokens = replace(given_tokens(), token_endpoint=TokenEndpoint.V2)
    secret = written(new_record(tokens, now=NOW))
    assert read(secret, sites=DATADOG_SITES).tokens.token_endpoint is TokenEndpoint.V2
    content = json.loads(secret.reveal())
    del content["token_endpoint"]
    older = Secret(json.dumps(content), label="grant")
    assert read(older, sites=DATADOG_SITES).tokens.token_endpoint is TokenEndpoint.V1


KILLED = """
import json, os, signal, sys
from pathlib import Path
from sandbox_process import oauth_client
from ddoauth_kit.oauth.grant import Grant
from ddoauth_kit.store import FileStore, Slot
class Dying(FileStore):
    def put(self, slot, secret):
        if slot.kind == "grant" and "sent_at\\": \\"\\"" in secret.reveal():
            os.kill(os.getpid(), signal.SIGKILL)
        super().put(slot, secret)
client = oauth_client(json.loads(sys.stdin.readline()))
Grant(client, store=Dying(Path(sys.argv[1])), slot=Slot(*sys.argv[2:])).tokens()
"""


@pytest.mark.checklist("C11")
@pytest.mark.skipif(os.name != "posix", reason="processes are killed so on POSIX systems")
def test_a_kill_between_answer_and_disk(scene: Scene, store: FileStore, tmp_path: Path) -> None:
    """The error names the loss; the older token is tried only once more, by one caller."""
    grant, tokens = _expired(scene, store)
    slot = grant_slot(tokens)
    folder = str(TESTS / "benchmarks")
    environ = {**os.environ, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "kept")]
    command += [slot.kind, slot.site, slot.client_id, slot.client_kind, slot.org]
    given = json.dumps(scene.sandbox.description())
    done = subprocess.run(command, env=environ, input=given, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert _refreshes(scene) == 1
    if not scene.sandbox._twin.switches.rotates:
        scene.whoami(_again(scene, store, tokens).tokens())
        kept = store.get(slot)
        assert kept is not None
        assert read(kept, sites=scene.oauth.sites).sent_at is None
        return
    with pytest.raises(TokenError, match=r"lost: it was sent at 20.+ the process ended") as caught:
        grant.tokens()
    assert caught.value.code == "invalid_refresh_token"
    assert "authorize again" in str(caught.value)
    for _ in range(3):
        with pytest.raises(TokenError, match="grant_ended"):
            _again(scene, store, tokens).tokens()
    assert _refreshes(scene) == 2
    assert slot not in store.slots()
