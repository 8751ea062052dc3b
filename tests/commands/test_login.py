"""From a plain terminal to a stored grant, and back: login, probe without a person, logout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.graded import free_port
from support.loopback import refused_site
from support.terminals import Terminal, client_file

from ddoauth_kit.cli import main
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration.against_sandbox import sandbox_sites
from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Give a terminal whose client has a loopback redirect URI at a sandbox."""
    path = client_file(tmp_path, f"http://127.0.0.1:{free_port()}/callback")
    with Sandbox(client_file=path, real_time=True) as sandbox:
        yield Terminal(sandbox, client_file=path, folder=tmp_path)


def _secrets_of(terminal: Terminal) -> list[str]:
    """Return the client secret and every credential in the store's files."""
    kept = Path(terminal.environ["DDOAUTH_STORE_FOLDER"]).rglob("*")
    texts = [path.read_text(errors="replace") for path in kept if path.is_file()]
    minted = re.findall(r"sandbox-(?:access|refresh)-\w+", " ".join(texts))
    return [terminal.environ["DDOAUTH_CLIENT_SECRET"], *minted]


def test_a_login_is_enough_for_probes_without_a_person(terminal: Terminal) -> None:
    """The grant is stored, named with its organization, used by a probe, and ended by logout."""
    code, out, said = terminal.log_in()
    assert code == 0, said
    assert "organization  Acme (us1)" in out
    assert re.search(r"^scopes +[a-z_ ]*\bmetrics_read\b[a-z_ ]*$", out, re.MULTILINE)
    assert "Consent came from the organization Acme (us1)" in said
    probed = terminal.type("probe", "--mode", "live", "--scope", "metrics_read", "--format", "json")
    assert probed.returncode == 0, probed.stderr
    (row,) = json.loads(probed.stdout)
    assert (row["scope"], row["status"]) == ("metrics_read", 200)
    ended = terminal.type("logout")
    assert ended.returncode == 0, ended.stderr
    assert "revoked and forgotten" in ended.stderr
    again = terminal.type("logout")
    assert again.returncode == 1
    assert "no grant of this client is stored for us1" in again.stderr
    missing = terminal.type("probe", "--mode", "live", "--scope", "metrics_read")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "[not_logged_in] No grant is stored for us1" in missing.stderr
    assert "ddoauth login" in missing.stderr


def test_a_login_asks_for_the_scopes_that_are_typed(terminal: Terminal) -> None:
    """The scopes replace those in the settings; a probe of another one says what to type."""
    code, out, said = terminal.log_in("--scope", "metrics_read")
    assert code == 0, said
    assert "Asking for 1 scope: metrics_read" in said
    assert f"at the sandbox at {terminal.sandbox.base_url}" in out
    assert re.search(r"^scopes +metrics_read$", out, re.MULTILINE)
    asked = ("--scope", "events_read", "api_keys_write")
    probed = terminal.type("probe", "--mode", "live", *asked)
    assert probed.returncode == 1
    assert f"Probing with the sandbox at {terminal.sandbox.base_url}, not Datadog." in probed.stderr
    right = terminal.environ["DDOAUTH_CLIENT_SECRET"]
    terminal.environ["DDOAUTH_CLIENT_SECRET"] = "sandbox-secret-0"
    table = terminal.type("probe", "--mode", "live", "--scope", "metrics_read").stdout
    refused = " ".join(table.split())
    assert "The server said: invalid_client" in refused
    assert "ddoauth explain invalid_client" in refused
    terminal.environ["DDOAUTH_CLIENT_SECRET"] = right
    elsewhere = terminal.type("probe", "--scope", "metrics_read")
    assert elsewhere.returncode == 0
    assert "note: DDOAUTH_SANDBOX is for --mode live" in elsewhere.stderr
    told = terminal.type("doctor", "--offline").stdout
    assert told.count("kept: grant of ") == 1
    assert (
        "us1: the grant is for 1 scope, without events_read api_keys_write. Next: ddoauth login "
        "--site us1 --scope metrics_read events_read api_keys_write"
    ) in probed.stderr


def test_a_reason_that_many_sites_share_is_said_once(terminal: Terminal) -> None:
    """The table and the next steps name the sites and scopes of a sentence, not one line each."""
    code, _, said = terminal.log_in()
    assert code == 0, said
    for name in ("DDOAUTH_CLIENT_ID", "DDOAUTH_CLIENT_SECRET"):
        terminal.environ |= {f"{name}_{site}": terminal.environ[name] for site in ("US3", "EU1")}
    sites = ("us1", "us3", "eu1", "uk1", "ap1")
    asked = [word for site in sites for word in ("--site", site)]
    scopes = ("metrics_read", "events_read")
    probed = terminal.type("probe", "--mode", "live", *asked, "--scope", *scopes)
    assert probed.returncode == 1, probed.stderr
    why = " ".join(probed.stdout.partition("\nWhy\n")[2].split())
    assert why == (
        "fail events_read, metrics_read on us3, eu1: No grant is stored for these sites. "
        "fail events_read, metrics_read on uk1, ap1: The private client in the environment belongs "
        "to us1, not to these sites."
    )
    assert probed.stderr.count("No grant is stored") == 1
    assert "Next: ddoauth login --site us3, and the same for the other sites" in probed.stderr
    assert "belongs to us1" not in probed.stderr


def test_the_sandboxs_client_logs_in_at_another_site(terminal: Terminal) -> None:
    """It is good on all sites, so only the site of its credentials has to be named."""
    terminal.environ["DDOAUTH_CLIENT_SITE"] = "eu1"
    code, out, said = terminal.log_in("--site", "eu1")
    assert code == 0, said
    assert re.search(r"^site +eu1 \(datadoghq\.eu\)", out, re.MULTILINE)


def test_a_misspelt_scope_is_named_before_the_browser_opens(terminal: Terminal) -> None:
    """An unknown scope in the settings gets a warning that suggests a similar name."""
    terminal.environ["DDOAUTH_SCOPES"] = "metric_read"
    first, *_ = terminal.type("login").stderr.splitlines()
    assert first.startswith("warning: Scope 'metric_read' is not a known scope. Did you mean")


def test_a_refused_grant_is_said_to_be_deleted(terminal: Terminal) -> None:
    """A grant that the site has revoked is deleted from the store, and the probe says so."""
    code, _, said = terminal.log_in()
    assert code == 0, said
    terminal.sandbox.inject("revoked-grant:1")
    probed = terminal.type("probe", "--mode", "live", "--scope", "metrics_read")
    assert probed.returncode == 2
    assert "us1 refused the stored grant, and it has been deleted." in probed.stderr


def test_the_doctor_reaches_the_named_sandbox(terminal: Terminal) -> None:
    """Its sites answer, and a secret that no sandbox issued is refused before anything is sent."""
    told = terminal.type("doctor", "--site", "us1", "--format", "json")
    assert told.stdout, told.stderr
    findings = json.loads(told.stdout)["findings"]
    assert any("127.0.0.1" in each["found"] and each["status"] == "ok" for each in findings), told
    terminal.environ["DDOAUTH_CLIENT_SECRET"] = "a-real-looking-client-secret"
    asked = len(terminal.sandbox.journal)
    refused = terminal.type("doctor", "--site", "us1")
    assert refused.returncode == 2
    assert "not a sandbox's secret" in refused.stderr
    assert len(terminal.sandbox.journal) == asked


def test_no_secret_is_printed(terminal: Terminal) -> None:
    """No stream contains the client secret or a token."""
    _, out, said = terminal.log_in()
    secrets = _secrets_of(terminal)
    assert len(secrets) >= 3
    assert not [secret for secret in secrets if secret in out + said]


def test_a_denied_consent_keeps_nothing(terminal: Terminal) -> None:
    """The refusal is one line with its explanation; the exit code is 2, and nothing is stored."""
    code, out, said = terminal.log_in(decision="deny")
    assert (code, out) == (2, "")
    assert "[access_denied]" in said
    assert "ddoauth explain access_denied" in said
    assert terminal.type("logout").returncode == 1


def test_without_a_terminal_it_refuses_at_once(terminal: Terminal) -> None:
    """A job without a person gets an error, and no request is sent."""
    done = terminal.type("login")
    assert done.returncode == 2
    assert "[no_person]" in done.stderr
    assert not list(terminal.sandbox.journal)


def test_without_a_loopback_redirect_uri_it_names_the_ways(tmp_path: Path) -> None:
    """The private client and `--paste` are named; by paste the login works, with a warning."""
    path = client_file(tmp_path, "https://acme.example.com/callback")
    with Sandbox(client_file=path, real_time=True) as sandbox:
        terminal = Terminal(sandbox, client_file=path, folder=tmp_path)
        code, _, said = terminal.log_in()
        assert code == 2
        assert "[no_loopback_redirect_uri]" in said
        assert "private client" in said
        assert "ddoauth login --paste" in said
        code, out, said = terminal.log_in("--paste")
        assert code == 0, said
        assert "The code also reaches the server at acme.example.com" in said
        assert "organization  Acme (us1)" in out


def test_real_credentials_never_go_to_a_sandbox(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With DDOAUTH_SANDBOX set, a secret that no sandbox issued is refused by name."""
    monkeypatch.setenv("DDOAUTH_CLIENT_ID", "real")
    monkeypatch.setenv("DDOAUTH_CLIENT_SECRET", "real-secret-0815")
    monkeypatch.setenv("DDOAUTH_SANDBOX", "http://127.0.0.1:8470")
    assert main(["logout"]) == 2
    said = capsys.readouterr().err
    assert "[not_sandbox_credentials]" in said
    assert "real-secret-0815" not in said


@pytest.mark.parametrize("command", [["login"], ["probe", "--mode", "live"], ["logout"]])
def test_sandbox_credentials_never_go_to_datadog(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without DDOAUTH_SANDBOX, a secret that a sandbox issued is refused with the variable."""
    monkeypatch.setenv("DDOAUTH_CLIENT_ID", "acme")
    monkeypatch.setenv("DDOAUTH_CLIENT_SECRET", "sandbox-secret-1")
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "[sandbox_credentials]" in said
    assert "set DDOAUTH_SANDBOX" in said


@pytest.mark.parametrize("command", [["login"], ["probe", "--mode", "live"], ["doctor"]])
def test_a_sandbox_alone_is_not_enough(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With only the first of the lines that a sandbox prints, the message asks for all of them."""
    monkeypatch.setenv("DDOAUTH_SANDBOX", "http://127.0.0.1:8470")
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "the environment names no private client for us1" in said
    assert "type all the lines that `ddoauth sandbox` prints" in said


def test_an_ended_sandbox_is_named_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A probe names the sandbox's address, and not Datadog's host, which nobody called."""
    monkeypatch.setenv("DDOAUTH_CLIENT_ID", "acme")
    monkeypatch.setenv("DDOAUTH_CLIENT_SECRET", "sandbox-secret-1")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path))
    monkeypatch.setenv("DDOAUTH_SANDBOX", refused_site().api_url)
    assert main(["probe", "--mode", "live", "--scope", "metrics_read"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "[no_sandbox] The sandbox at http://127.0.0.1:" in said
    assert "datadoghq" not in said


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8470",
        "http://example.com:80",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:8470/us1",
        "http://user@127.0.0.1:8470",
        "http://127.0.0.1:99999",
        "127.0.0.1:8470",
        "http://[::1",
        "http://127.0.0.1.evil.example:80",
    ],
)
def test_only_this_machine_is_a_sandbox(url: str) -> None:
    """Another host, scheme, path or an address without a port is refused before any request."""
    with pytest.raises(InputError) as caught:
        sandbox_sites(url)
    assert caught.value.code == "bad_sandbox_url"


def test_the_sites_of_a_sandbox_are_its_own_addresses() -> None:
    """The values derived from the address are the ones that the sandbox reports."""
    with Sandbox() as sandbox:
        table = sandbox_sites(sandbox.base_url)
        for name, urls in sandbox.endpoints.items():
            if name in table.names:
                site = table.named(name)
                assert site.endpoints.app_url == urls["app_url"]
                assert site.endpoints.api_url == urls["api_url"]
                assert site.endpoints.logs_intake_url == urls["logs_intake_url"]
                assert site.endpoints.events_intake_url == urls["events_intake_url"]
