"""The kit's own live mode is the first unchanged client: login, probe and lessons, by TLS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.front import scene
from support.graded import free_port
from support.terminals import Terminal, client_file

from ddoauth_kit.http import sender
from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.front import Scene

    from ddoauth_kit.grading.front.records import FrontRecord

SCOPES = ("api_keys_write", "events_read", "metrics_read", "monitors_read", "user_access_read")
LESSONS = ("00", "04", "05", "06")
WRITING = ("04", "06")


@pytest.fixture(autouse=True)
def _trust() -> Iterator[None]:
    """Have the sender read the certificates that the front's variables name, and then forget."""
    sender._trusted_certificates.cache_clear()
    yield
    sender._trusted_certificates.cache_clear()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Serve a sandbox whose client has a redirect URI at this machine, behind a front."""
    folder = tmp_path_factory.mktemp("client")
    path = client_file(folder, f"http://127.0.0.1:{free_port()}/callback", scopes=SCOPES)
    with Sandbox(client_file=path, real_time=True) as sandbox, scene(sandbox) as made:
        yield made


@pytest.fixture(scope="module")
def terminal(front: Scene, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Give a terminal that has logged in at Datadog's names once."""
    folder = tmp_path_factory.mktemp("home")
    redirect_uri = front.sandbox.client.redirect_uris[0]
    path = client_file(folder, redirect_uri, scopes=SCOPES)
    made = Terminal(front.sandbox, client_file=path, folder=folder, front=front)
    code, _, said = made.log_in()
    assert code == 0, said
    return made


@pytest.fixture(scope="module")
def at_login(terminal: Terminal, front: Scene) -> list[FrontRecord]:
    """Return what the front saw of that login."""
    return list(front.records)


@pytest.fixture(autouse=True)
def _seen(at_login: list[FrontRecord], front: Scene) -> None:
    """Forget what the front saw before this test."""
    front.records.clear()


def test_a_login_meets_datadogs_names(terminal: Terminal, at_login: list[FrontRecord]) -> None:
    """A check, the page and the exchange, each at the host that Datadog's pages name."""
    assert "DDOAUTH_SANDBOX" not in terminal.environ
    seen = [(r.treatment, r.method, r.host, r.path) for r in at_login]
    assert [kind for kind, *_ in seen] == ["forwarded"] * 4
    assert [tuple(rest) for _, *rest in seen] == [
        ("GET", "api.datadoghq.com", "/api/v1/validate"),
        ("GET", "app.datadoghq.com", "/oauth2/v1/authorize"),
        ("POST", "app.datadoghq.com", "/oauth2/v1/authorize"),
        ("POST", "api.datadoghq.com", "/api/v2/oauth2/token"),
    ]


def test_a_pasted_redirect_meets_datadogs_names(terminal: Terminal, front: Scene) -> None:
    """A person without a listener pastes the redirect, and the exchange goes to `api.`."""
    code, _, said = terminal.log_in("--paste")
    assert code == 0, said
    assert [record.path for record in front.records if record.host == "api.datadoghq.com"] == [
        "/api/v1/validate",
        "/api/v2/oauth2/token",
    ]


def test_a_probe_meets_datadogs_names(terminal: Terminal, front: Scene) -> None:
    """It finds the grant, and calls `api.` alone."""
    done = terminal.type("probe", "--mode", "live", "--format", "json")
    rows = {row["scope"]: row for row in json.loads(done.stdout)}
    assert rows["metrics_read"]["status"] == 200, done.stderr
    hosts = {record.host for record in front.records}
    assert hosts == {"api.datadoghq.com"}


def test_a_probes_summary_says_what_was_not_tried(terminal: Terminal) -> None:
    """Live and without `--writes`, a scope that only writes counts as not tried."""
    scopes = ("metrics_read", "api_keys_write")
    chosen = [part for scope in scopes for part in ("--scope", scope)]
    done = terminal.type("probe", "--mode", "live", *chosen)
    assert done.returncode == 0, done.stderr
    headline, *lines = done.stdout.splitlines()
    assert headline == "2 scopes on 1 site: no problems, 1 not tried."
    assert [line.split() for line in lines if "not tried" in line] == [[".", "not", "tried", "1"]]


@pytest.mark.long
def test_lessons_run_from_the_command_line(
    terminal: Terminal, front: Scene, tmp_path: Path
) -> None:
    """They pass without a person, and only `--writes`, which two of them heed, creates the key."""
    created = []
    for lessons, asked in ((LESSONS, ()), (WRITING, ("--writes",))):
        before = len(front.sandbox.journal)
        out = tmp_path / f"out{len(asked)}"
        done = terminal.run("run", *lessons, "--mode", "live", "--out", str(out), *asked)
        assert done.returncode == 0, done.stdout + done.stderr
        calls = front.sandbox.journal[before:]
        created.append([e.status for e in calls if e.path.endswith("/api_keys/marketplace")])
    assert created == [[], [201]]
    assert {str(record.treatment) for record in front.records} == {"forwarded"}
