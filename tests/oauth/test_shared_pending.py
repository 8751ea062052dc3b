"""All processes of a server share the attempts that wait: in files, in SQLite and in Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import redirect, registration
from support.places import ROOT
from support.recipes import recipes
from support.redis_server import redis_server

from ddoauth_kit import DATADOG_SITES, OAuthClient, Site
from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth import file_records
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, authorization_request
from ddoauth_kit.oauth.file_records import FileRecords
from ddoauth_kit.oauth.shared_pending import SharedPending, _read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.checklist("C4")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve Redis for the tests of this file."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["files", "sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Give each place in turn; two come from the page on servers."""
    if request.param == "files":
        yield FileRecords(str(tmp_path / "pending"))
    elif request.param == "sqlite":
        yield recipes()["SqlRecords"](tmp_path / "pending.sqlite")
    else:
        found = recipes()["RedisRecords"](request.getfixturevalue("redis_url"))
        yield found
        found.redis.close()


def _request(**choices: Any) -> AuthorizationRequest:
    return authorization_request(registration(), **choices)


def _refused(pending: SharedPending, state: str, *, session: str) -> None:
    with pytest.raises(AuthorizationError) as caught:
        pending.take(state, session=session)
    assert caught.value.code == "wrong_state"


def test_an_attempt_comes_back_whole_and_once(place: Any) -> None:
    """Another process finds every field of it, the second redirect finds nothing."""
    for request in (
        _request(),
        _request(domain="datadoghq.com", site_url="https://acme.datadoghq.com"),
    ):
        SharedPending(place).add(request, session="s")
        other = SharedPending(place)
        assert other.waits(request)
        assert other.take(request.state.reveal(), session="s") == request
        assert not other.waits(request)
        _refused(SharedPending(place), request.state.reveal(), session="s")


def test_another_session_ends_nothing(place: Any) -> None:
    """A foreign browser is refused, and the rightful one still gets through."""
    pending, request = SharedPending(place), _request()
    pending.add(request, session="alice")
    for session in ("mallory", "", "alice ", "\ud800"):
        _refused(pending, request.state.reveal(), session=session)
    for state in ("", "guess", "\ud800", request.state.reveal() + "x"):
        _refused(pending, state, session="alice")
    assert pending.take(request.state.reveal(), session="alice") == request


def test_an_attempt_ends_after_ten_minutes(place: Any) -> None:
    """The record says when it expires, even if the place still has it."""
    now = [time.time()]
    pending, first, second = SharedPending(place, clock=lambda: now[0]), _request(), _request()
    pending.add(first, session="s")
    pending.add(second, session="s")
    now[0] += 599
    assert pending.take(first.state.reveal(), session="s") == first
    now[0] += 1
    assert not pending.waits(second)
    _refused(pending, second.state.reveal(), session="s")


def test_one_of_many_threads_gets_the_attempt(place: Any) -> None:
    """A state that arrives eight times at once is accepted only once."""
    pending, request, won = SharedPending(place), _request(), []
    pending.add(request, session="s")
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        try:
            won.append(pending.take(request.state.reveal(), session="s"))
        except AuthorizationError:
            return

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [request]


def test_a_place_holds_neither_state_nor_session(place: Any) -> None:
    """The record has hashes in their place, and the key is also a hash."""
    kept: dict[str, str] = {}

    class Watched:
        def put(self, key: str, record: str, *, seconds: int) -> None:
            kept[key] = record
            place.put(key, record, seconds=seconds)

    request = _request()
    SharedPending(Watched()).add(request, session="cookie-of-alice")  # type: ignore[arg-type]
    text = json.dumps(kept)
    assert request.state.reveal() not in text
    assert "cookie-of-alice" not in text
    assert "client_secret" not in text
    assert next(iter(kept.values())) == place.get(next(iter(kept)))


@generated(
    st.text(max_size=40)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_a_foreign_record_counts_as_none(text: str) -> None:
    """A record that another program left behind is neither an attempt nor an error."""
    assert _read(text) is None


def test_records_of_a_missing_field_or_site_are_refused(place: Any) -> None:
    """A record of a site that this server does not know ends the attempt by name."""
    lab = Site(name="lab9", domain="lab9.example.com", app_host="app.lab9.example.com", location="")
    table = DATADOG_SITES.with_site(lab)
    client = registration(sites=("lab9",))
    request = authorization_request(client, sites=table, domain="lab9.example.com")
    SharedPending(place, sites=table).add(request, session="s")
    with pytest.raises(AuthorizationError, match="lab9"):
        SharedPending(place).take(request.state.reveal(), session="s")


def test_a_redirect_that_is_no_answer_leaves_the_attempt_waiting(place: Any) -> None:
    """The client works with a shared place as it does with its own."""
    client = OAuthClient(registration(), pending=SharedPending(place))
    request = client.begin(session="s")
    url = redirect(request)
    for text in ("", "hello", "state"):
        with pytest.raises(AuthorizationError):
            client.receive(text, session="s")
    assert client.receive(url.partition("callback")[2], session="s").code


def test_files_are_for_this_user_alone_and_go_when_they_are_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode 0600 in a folder of mode 0700; old ones are deleted, and the oldest of too many."""
    monkeypatch.setattr(file_records, "_SWEEP_SECONDS", 0.0)
    monkeypatch.setattr(file_records, "MOST", 3)
    folder = tmp_path / "pending"
    place = FileRecords(folder)
    place.put("0" * 64, "{}", seconds=600)
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    os.utime(file, (time.time() - 601,) * 2)
    for digit in "12345":
        place.put(digit * 64, "{}", seconds=600)
        (file,) = folder.glob(f"{digit}*")
        os.utime(file, (time.time() - 60 + int(digit),) * 2)
    assert sorted(path.name[0] for path in folder.iterdir()) == ["3", "4", "5"]
    with pytest.raises(InputError, match="is not the path of a folder"):
        FileRecords(None)  # type: ignore[arg-type]


PROCESS = """
import sys
from support.builders import registration
from ddoauth_kit import OAuthClient
from ddoauth_kit.oauth.file_records import FileRecords
from ddoauth_kit.oauth.shared_pending import SharedPending
client = OAuthClient(registration(), pending=SharedPending(FileRecords(sys.argv[1])))
print(client.receive(sys.stdin.read(), session="cookie").site.name)
"""


def test_another_process_takes_the_redirect(tmp_path: Path) -> None:
    """One process starts an attempt and ends; another one reads the redirect from a path."""
    pending = SharedPending(FileRecords(tmp_path / "pending"))
    request = OAuthClient(registration(), pending=pending).begin(session="cookie")
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, tmp_path / "pending"],
        input=redirect(request).removeprefix("https://acme.example.com"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "us1"
