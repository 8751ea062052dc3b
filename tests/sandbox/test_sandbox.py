"""A sandbox starts on loopback, is deterministic and isolated, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.loopback import PLAIN, held_port

from ddoauth_kit.sandbox import Sandbox, SandboxError
from ddoauth_kit.sandbox.facts.sites import SITES
from ddoauth_kit.sandbox.server import transport_faults as spoil

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

ROLES = {"app_url": "app", "api_url": "api", "logs_intake_url": "logs"}


def test_description_is_all_a_client_needs(sandbox: Sandbox) -> None:
    """The command's JSON line has nine sites and the published client."""
    said = json.loads(json.dumps(sandbox.description()))
    assert list(said) == ["sites", "client"]
    assert list(said["sites"]) == list(SITES)
    assert said["sites"]["us1-fed"] == {
        "domain": "ddog-gov.com",
        "app_url": f"{sandbox.base_url}/us1-fed/app",
        "api_url": f"{sandbox.base_url}/us1-fed/api",
        "logs_intake_url": f"{sandbox.base_url}/us1-fed/logs",
        "events_intake_url": f"{sandbox.base_url}/us1-fed/events",
    }
    keys = ["client_id", "client_secret", "redirect_uris", "onboarding_url", "scopes"]
    assert list(said["client"]) == keys


@pytest.mark.behaviour("deterministic")
def test_same_seed_same_credentials(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """Two runs of one script mint alike; another seed does not."""

    def run(**options: Any) -> tuple[object, ...]:
        sandbox = make_sandbox(**options)
        partner = make_partner(sandbox)
        tokens, key = partner.tokens(), partner.make_key().json()
        return tokens, key, sandbox.issued_secrets(), sandbox.clock.now()

    first, second, other = run(), run(), run(seed="other")
    assert first == second
    assert not set(first[2]) & set(other[2])  # type: ignore[call-overload]


@pytest.mark.behaviour("marked-credentials")
@pytest.mark.checklist("S9")
def test_every_credential_is_marked_and_known(partner: Partner, sandbox: Sandbox) -> None:
    """Every issued secret starts with the prefix and is in issued_secrets."""
    said = partner.callback()
    tokens = partner.exchange(said["code"]).json()
    key = partner.make_key(tokens["access_token"]).json()["data"]["attributes"]["key"]
    minted = {
        said["code"],
        tokens["access_token"],
        tokens["refresh_token"],
        key,
        sandbox.client.client_secret,
        *(sandbox.private_client(site).client_secret for site in SITES),
    }
    assert minted == set(sandbox.issued_secrets())
    assert all(secret.startswith("sandbox-") for secret in minted)


@pytest.mark.checklist("S9")
def test_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment stay there."""
    for name in ("DD_CLIENT_SECRET", "DDOAUTH_CLIENT_SECRET", "DD_API_KEY", "CLIENT_SECRET"):
        monkeypatch.setenv(name, "a-real-secret")
    sandbox = Sandbox()
    assert "a-real-secret" not in json.dumps(sandbox.client.description())


@pytest.mark.behaviour("loopback-only")
@pytest.mark.checklist("S9")
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.com", ""])
def test_other_hosts_are_refused(host: str) -> None:
    """It signs anyone in, so it must not be reached from outside."""
    with pytest.raises(SandboxError, match="is not a loopback address"):
        Sandbox(host=host)


@pytest.mark.behaviour("loopback-only")
def test_only_loopback_answers(sandbox: Sandbox) -> None:
    """The port is closed on every other address of this machine."""
    port = httpx.URL(sandbox.base_url).port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address")
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError), socket.create_connection((address, port), timeout=2):  # noqa: PT011
        pass


FAMILIES = {"localhost": socket.AF_INET, "::1": socket.AF_INET6}


@pytest.mark.parametrize("host", FAMILIES)
def test_other_loopback_names(make_sandbox: Callable[..., Sandbox], host: str) -> None:
    """The two other names of loopback work where the machine has them."""
    try:
        socket.create_server((host, 0), family=FAMILIES[host]).close()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    sandbox = make_sandbox(host=host)
    assert httpx.get(sandbox.base_url, **PLAIN).status_code == 200


def test_taken_port_is_explained(sandbox: Sandbox) -> None:
    """The error names the port and what to do, and leaves nothing open."""
    port = httpx.URL(sandbox.base_url).port
    with pytest.raises(SandboxError, match=re.escape(f"port {port} on 127.0.0.1 cannot")):
        Sandbox(port=port).start()
    with pytest.raises(SandboxError, match=r"port 70000 on .* cannot be opened"):
        Sandbox(port=70000).start()


def test_fixed_port_is_free_again_at_once() -> None:
    """Stopping with a connection open does not block the next start on that port."""
    with held_port() as port, httpx.Client(**PLAIN) as client:
        with Sandbox(port=port) as first:
            client.get(first.base_url)
        for _ in range(3):
            with Sandbox(port=port) as again:
                assert httpx.get(again.base_url, **PLAIN).status_code == 200


def test_nothing_is_left_behind() -> None:
    """No thread or socket outlives the context, and stopping twice does no harm."""
    before = set(threading.enumerate())
    with held_port() as port:
        with Sandbox(port=port) as sandbox:
            url = sandbox.base_url
            assert len(set(threading.enumerate()) - before) == 1
            with pytest.raises(SandboxError, match="is already running"):
                sandbox.start()
        sandbox.stop()
        assert set(threading.enumerate()) <= before
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, **PLAIN)
    with pytest.raises(SandboxError, match="not running"):
        _ = sandbox.base_url
    assert sandbox.issued_secrets()


def test_stopping_does_not_wait_for_slow_answers(partner: Partner, sandbox: Sandbox) -> None:
    """A slow response is dropped when the sandbox stops."""
    sandbox.inject("hang")
    failed: list[Exception] = []

    def ask() -> None:
        try:
            partner.call("/api/v2/current_user", timeout=None)
        except httpx.HTTPError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not sandbox.journal:
        time.sleep(0.01)
    begin = time.monotonic()
    sandbox.stop()
    thread.join()
    assert time.monotonic() - begin < spoil.HANG_SECONDS / 2
    assert len(failed) == 1


def test_sandboxes_do_not_see_each_other(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """A code, a token and a fault of one mean nothing to the other."""
    one, two = make_sandbox(seed="one"), make_sandbox(seed="two")
    here, there = make_partner(one), make_partner(two)
    one.inject("server-error")
    assert there.tokens()
    one.clear_faults()
    assert there.exchange(here.callback()["code"]).status_code == 400
    assert one.client.client_id != two.client.client_id


def test_clock_moves_by_requests_and_by_hand(partner: Partner, sandbox: Sandbox) -> None:
    """A request counts ten milliseconds, and the Date header tells the time."""
    start = sandbox.clock.now()
    assert start.isoformat() == "2026-01-01T00:00:00+00:00"
    answer = partner.http.get(sandbox.base_url)
    assert (sandbox.clock.now() - start).total_seconds() == 0.01
    assert parsedate_to_datetime(answer.headers["date"]) == start
    sandbox.clock.advance(86400)
    answer = partner.http.get(sandbox.base_url)
    assert answer.headers["date"] == "Fri, 02 Jan 2026 00:00:00 GMT"
    assert "server" not in answer.headers
    with pytest.raises(ValueError, match="only moves forward"):
        sandbox.clock.advance(-1)


def test_real_time(make_sandbox: Callable[..., Sandbox]) -> None:
    """With real time the clock is the wall's."""
    clock = make_sandbox(real_time=True).clock
    assert abs(clock.timestamp() - time.time()) < 5


def test_latency(make_sandbox: Callable[..., Sandbox]) -> None:
    """Every response, even a page, is delayed as requested; a negative delay is refused."""
    sandbox = make_sandbox(latency=0.1)
    begin = time.monotonic()
    httpx.get(sandbox.base_url, **PLAIN)
    assert time.monotonic() - begin >= 0.1
    with pytest.raises(SandboxError, match="is not between 0 and 60"):
        Sandbox(latency=-1)


def test_many_at_once(sandbox: Sandbox, make_partner: Callable[..., Partner]) -> None:
    """Forty flows in eight threads get forty different tokens, all of them good."""
    partners = [make_partner(sandbox, site) for site in list(SITES)[:8]]

    def run(partner: Partner) -> list[str]:
        return [partner.tokens()["access_token"] for _ in range(5)]

    with ThreadPoolExecutor(8) as threads:
        tokens = [token for found in threads.map(run, partners) for token in found]
    assert len(set(tokens)) == 40
    assert set(tokens) <= set(sandbox.issued_secrets())


SERVE = """
import json
import logging
from ddoauth_kit.sandbox import Sandbox
# `-X dev` also reports slow steps, and on a busy machine some are slow.
logging.getLogger("asyncio").setLevel("ERROR")
with Sandbox() as sandbox:
    say = lambda: print(json.dumps(sandbox.description()), flush=True)
    sandbox.serve_forever(announce=say)
print("stopped")
"""


@pytest.mark.parametrize(("number", "asked"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_serving_ends_at_a_signal(number: signal.Signals, *, asked: bool) -> None:
    """The command's loop ends cleanly, even at once, with no trace on stderr."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        sites = json.loads(process.stdout.readline())["sites"]
        if asked:
            answer = httpx.get(f"{sites['us1']['app_url']}/integrations", **PLAIN)
            assert answer.status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, b"stopped\n", b"")


def test_another_public_url_while_it_runs(sandbox: Sandbox) -> None:
    """Browsers that come through a proxy get pages and a cookie for its prefix; APIs stay put."""
    before = dict(sandbox.endpoints["us1"])
    url = f"{sandbox.base_url}/us1/app/integrations"
    assert httpx.get(url, headers={"host": "hub.example"}, **PLAIN).status_code == 421
    sandbox.show_at("https://hub.example/user/abc/proxy/1")
    answer = httpx.get(url, headers={"host": "hub.example"}, **PLAIN)
    assert answer.status_code == 200
    paths = [c.split("Path=")[1] for c in answer.headers.get_list("set-cookie")]
    assert paths == ["/us1", "/user/abc/proxy/1/us1"]
    assert dict(sandbox.endpoints["us1"]) == before
