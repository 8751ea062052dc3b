"""The kernels of one Jupyter server share the sandbox of its launcher's tile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from support.loopback import Answer
from support.places import KIT
from support.visitors import get
from support.waiting import until

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.shared_sandbox import (
    SharedSandbox,
    announced,
    find_shared_sandbox,
)
from ddoauth_kit.workbook.show.cards import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.loopback import RecordingServer

DATA = KIT.parent / "tests" / "data"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the Jupyter server, and the kernel that it started, with a private runtime folder."""
    _be_a_server(monkeypatch, tmp_path)
    return tmp_path / "runtime"


def _be_a_server(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
    patch.setenv("JPY_PARENT_PID", str(os.getpid()))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start what the tile starts, and name its server's folder."""
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "ddoauth_kit.commands.tile", "--base-url", "/user/abc/"]
    with pytest.MonkeyPatch.context() as patch:
        _be_a_server(patch, folder)
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
    with process:
        path = _file(folder)
        until(path.exists)
        yield folder
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert not path.exists()


@pytest.fixture
def tile(running: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a kernel of the tile's server, and return the file that the tile wrote down."""
    _be_a_server(monkeypatch, running)
    return _file(running)


def _file(folder: Path) -> Path:
    return folder / "runtime" / f"ddoauth-sandbox-{os.getpid()}.json"


def test_two_kernels_share_it_with_clients_of_their_own(tile: Path) -> None:
    """Both find it; ids, keys and grants are their own; what one sends, the pages show."""
    with open_lab() as one, open_lab("eu1") as two:
        assert "launcher's tile" in as_text(one)
        assert one.registration.client_id != two.registration.client_id
        keys = [lab.create_api_key(lab.exchange(lab.authorize())) for lab in (one, two)]
        assert keys[0].key != keys[1].key
        assert one.validate_api_key(keys[0])
        page = get(f"{one.site.app_url}/organization-settings/authorized-apps")
        assert one.registration.name in page.text
        assert two.registration.name not in page.text
        third = open_lab()
        assert third.create_api_key(third.connect()), "a fresh client has its one key to make"
        third.close()


def test_a_lab_that_closes_leaves_it_running(tile: Path) -> None:
    """A kernel that ends closes its own connections, and nothing else."""
    open_lab().close()
    assert find_shared_sandbox() is not None


def test_a_client_file_joins(tile: Path) -> None:
    """A partner's file makes the client of this kernel."""
    with open_lab(client=str(DATA / "reader_client.json")) as lab:
        assert lab.registration.scopes
        assert lab.authorize().code
    with pytest.raises(InputError) as caught:
        open_lab(client="nowhere.json")
    assert caught.value.code == "bad_client_file"


def test_the_tiles_pages_have_a_cookie_for_its_path(tile: Path) -> None:
    """Behind the proxy the browser sees a prefix, which the cookie's path has."""
    shared = find_shared_sandbox()
    assert shared is not None
    heard = get(f"{shared.sites['us1']['app_url']}/integrations")
    assert "Path=/user/abc/sandbox/us1" in heard.headers["set-cookie"]


def test_the_file_is_this_users_alone(tile: Path) -> None:
    """It is 0600, and one that others could have written or read is not believed."""
    assert tile.stat().st_mode & 0o777 == 0o600
    assert find_shared_sandbox() is not None
    tile.chmod(0o640)
    assert find_shared_sandbox() is None
    tile.chmod(0o600)
    copy = tile.with_name("copy.json")
    tile.rename(copy)
    tile.symlink_to(copy)
    assert find_shared_sandbox() is None
    tile.unlink()
    copy.rename(tile)


@pytest.mark.parametrize("parent", ["", "1", "not a number"])
def test_kernels_of_others_do_not_join(
    tile: Path, monkeypatch: pytest.MonkeyPatch, parent: str
) -> None:
    """A kernel of another server, or of none (papermill, tests), has its own sandbox."""
    monkeypatch.setenv("JPY_PARENT_PID", parent)
    assert find_shared_sandbox() is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"port": "x", "key": "k", "sites": {}}'])
def test_a_broken_or_stale_file_is_passed_over(runtime: Path, content: str) -> None:
    """If the descriptor is unreadable or leads nowhere, the kernel has its own sandbox."""
    runtime.mkdir()
    path = runtime / f"ddoauth-sandbox-{os.getpid()}.json"
    path.write_text(content or json.dumps({"port": 9, "key": "k", "sites": {}}))
    path.chmod(0o600)
    with open_lab() as lab:
        assert "the sandbox in this kernel" in as_text(lab)


PROOF = b'{"proof": "%s"}'
SQUATTERS: list[tuple[int, bytes]] = [
    (200, b""),
    (200, b"{}"),
    (200, b"[]"),
    (200, b"null"),
    (200, b'{"proof": null}'),
    (200, b'{"proof": ""}'),
    (200, b'{"proof": 0}'),
    (200, b'{"proof": true}'),
    (200, b'{"proof": ["a"]}'),
    (200, PROOF % (b"0" * 64)),
    (200, PROOF % (b"f" * 64)),
    (200, PROOF % b"\xc3\xa9"),
    (200, b"[" * 100_000),
    (200, b"\xff"),
    (200, b'{"client": {"client_id": "a", "client_secret": "b"}}'),
    (400, b'{"errors": ["The control request cannot be read."]}'),
    (401, b"{}"),
    (404, b"{}"),
    (421, b"{}"),
    (500, b""),
    (302, b""),
]


@pytest.mark.checklist("S10")
@pytest.mark.parametrize(("status", "body"), SQUATTERS, ids=range(len(SQUATTERS)))
def test_whoever_took_the_port_learns_no_key(
    status: int, body: bytes, runtime: Path, serve: Callable[..., RecordingServer]
) -> None:
    """A server at a dead tile's port gets a nonce, but not the key or a client's secret."""
    server = serve(Answer(body.decode("latin-1"), status, (("Location", "/control"),)))
    port = int(server.url.rpartition(":")[2])
    key = "canary-control-key-4711"
    shared = SharedSandbox(port, key, {})
    with announced(shared, server=os.getpid()):
        assert find_shared_sandbox() is None
    with pytest.raises(InputError):
        shared.join(client=None, scopes=None)
    assert len(server.arrived) == 2
    assert key not in repr(server.arrived)


@pytest.mark.checklist("S10")
def test_a_proof_cannot_be_used_again(serve: Callable[..., RecordingServer], tile: Path) -> None:
    """The real sandbox's proof for one nonce is not valid for the next."""
    shared = find_shared_sandbox()
    assert shared is not None
    nonce = "0" * 64
    heard = httpx.post(
        f"http://127.0.0.1:{shared.port}/control",
        headers={"x-sandbox-nonce": nonce},
        trust_env=False,
    )
    server = serve(Answer(heard.text))
    port = int(server.url.rpartition(":")[2])
    assert not SharedSandbox(port, shared.key, {}).answers()
