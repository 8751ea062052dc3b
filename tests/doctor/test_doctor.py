"""The doctor finds problems, says what to do, works offline, and reveals or uses up nothing."""

from __future__ import annotations

import errno
import json
import re
import socket
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import keyring
import pytest
from packaging.requirements import Requirement
from support.backends import MemoryKeyring
from support.builders import API_KEY, NOW, REFRESH_TOKEN, registration, shown, tokens
from support.graded import free_port
from support.loopback import Answer, refused_site
from support.places import ROOT

from ddoauth_kit import DATADOG_SITES, Secret
from ddoauth_kit.cli import main
from ddoauth_kit.doctor import Finding, Status, examine, packages
from ddoauth_kit.doctor import client_settings as clients
from ddoauth_kit.doctor.packages import (
    REASONS,
    check_packages,
    check_python,
    is_good,
    missing_package,
    needed,
)
from ddoauth_kit.doctor.proxy_and_tls import check_proxy, check_tls
from ddoauth_kit.doctor.reachability import Reached, check_clock, check_sites, reach
from ddoauth_kit.doctor.secret_stores import (
    check_folder,
    check_keyring_and_store,
    check_official_variables,
    check_store,
)
from ddoauth_kit.errors import InputError, NetworkError
from ddoauth_kit.oauth.callback import loopback_server
from ddoauth_kit.oauth.grant import grant_slot
from ddoauth_kit.oauth.grant_record import new_record, written
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.sites import SiteTable
from ddoauth_kit.store import MemoryStore, Slot
from ddoauth_kit.workbook.own_app.saved_registration import keep_registration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from support.loopback import RecordingServer

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _found(findings: Iterable[Finding], check: str) -> Finding:
    (finding,) = [each for each in findings if each.check == check]
    return finding


def _environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return a separate environment, whose secrets go to files."""
    folder = {"DDOAUTH_STORE_FOLDER": str(tmp_path / "kept"), "DDOAUTH_STORE": "file"}
    return {**folder, **more}


def test_it_is_useful_offline(tmp_path: Path) -> None:
    """With nothing set and nothing sent, there are no problems, and each check reports a result."""
    findings = examine(offline=True, environ=_environ(tmp_path))
    assert not [each for each in findings if each.status is Status.PROBLEM]
    assert {"python", "keyring", "store", "proxy", "TLS", "registration"} <= {
        each.check for each in findings
    }
    assert _found(findings, "sites and clock").status is Status.UNKNOWN
    for each in findings:
        assert bool(each.next_step) == (each.status is not Status.OK), each


def _requirements() -> list[str]:
    """Return what the built package's metadata will say, where extras of extras are spelled out."""
    extras = PROJECT["optional-dependencies"]

    def spelled(line: str) -> list[str]:
        if not line.startswith("ddoauth-kit["):
            return [line]
        names = line.partition("[")[2].rstrip("]").split(",")
        return [each for name in names for inner in extras[name] for each in spelled(inner)]

    lines = [
        f"{each}; extra == '{extra}'"
        for extra, listed in extras.items()
        for line in listed
        for each in spelled(line)
    ]
    return [*PROJECT["dependencies"], *lines]


def test_each_package_is_compared_with_the_project() -> None:
    """The doctor compares with the minimum versions that pip installs, under the smallest extra."""
    found = {each.requirement.name: each for each in needed(_requirements())}
    assert (found["httpx"].extra, str(found["httpx"].requirement.specifier)) == ("", ">=0.28")
    extras = {name: each.extra for name, each in found.items()}
    assert extras["sniffio"] == extras["h11"] == ""
    assert (extras["starlette"], extras["markdown-it-py"]) == ("sandbox", "publishing")
    assert (extras["pandas"], extras["distributed"], extras["flask"]) == ("workbook", "dask", "dev")
    assert set(REASONS) <= set(found)


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("starlette.routing", 'pip install "ddoauth-kit[sandbox]"'),
        ("markdown_it", 'pip install "ddoauth-kit[publishing]"'),
        ("trustme", 'pip install "ddoauth-kit[grade]"'),
        ("ipywidgets", 'pip install "ddoauth-kit[workbook]"'),
        ("jupyter_client", 'pip install "ddoauth-kit[workbook]"'),
        ("h11", "pip install ddoauth-kit."),
    ],
)
def test_a_missing_module_names_the_smallest_extra(module: str, command: str) -> None:
    """The advice never names the workbook for a command that needs less."""
    assert command in missing_package(module).what


def test_the_installed_kit_is_asked() -> None:
    """Without a list the doctor reads the installed kit's own metadata."""
    checked = {each.check for each in check_packages()}
    assert {"package httpx", "package h11", "package pandas"} <= checked
    assert check_python().status is Status.OK


def test_a_reason_is_that_of_the_project() -> None:
    """The weakness that a message names is next to the same package in pyproject.toml."""
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    for name, reason in REASONS.items():
        (line,) = {each.strip() for each in lines if re.search(rf'"{name}[<>]', each)}
        assert reason.partition(":")[0] in line


def test_a_known_bad_version_is_a_problem() -> None:
    """An old package is reported with the reason and the command; a missing one with its extra."""

    def installed(package: str) -> str:
        if package in {"flask", "tornado"}:
            raise PackageNotFoundError(package)
        return "0.14.0" if package == "h11" else "9999.0"

    findings = list(check_packages(lines=_requirements(), installed=installed))
    bad = _found(findings, "package h11")
    assert bad.status is Status.PROBLEM
    assert "CVE-2025-43859" in bad.found
    assert bad.next_step == 'pip install --upgrade "h11>=0.16.0"'
    missing = [each for each in findings if each.check == "packages"]
    assert [each.next_step for each in missing] == [
        'pip install --upgrade "ddoauth-kit[workbook]"'
    ], "flask is for contributors"


def test_a_kit_that_is_not_installed() -> None:
    """A kit without metadata is reported as such, and nothing is compared."""
    (finding,) = check_packages(lines=[])
    assert (finding.check, finding.status) == ("packages", Status.NOTE)


@pytest.mark.parametrize(
    ("found", "good", "expected"),
    [
        ("1.0", "1.0.0", True),
        ("1.10", "1.9", True),
        ("1.9.9", "1.10", False),
        ("2.0rc1", "2.0", True),
        ("0.15.9.post1", "0.16", False),
        ("1!0.1", "2.0", True),
        ("unknown", "1", False),
    ],
)
def test_versions_are_compared_by_number(found: str, good: str, *, expected: bool) -> None:
    """Ten comes after nine, zeros at the end change nothing, and a pre-release counts."""
    assert is_good(Requirement(f"some-package>={good}"), found) is expected


def test_an_old_python_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter is compared, too."""
    assert check_python().status is Status.OK
    monkeypatch.setattr(packages, "sys", SimpleNamespace(version_info=(3, 10, 4)))
    assert check_python().status is Status.PROBLEM


def test_the_folder(tmp_path: Path) -> None:
    """A missing folder is fine and stays missing; one open to others is a problem with a fix."""
    environ = _environ(tmp_path)
    assert "does not exist yet" in check_folder(environ).found
    assert not (tmp_path / "kept").exists()
    assert _found(check_store(environ), "store").status is Status.OK
    assert check_folder(environ).found.endswith("holds 0 secrets")
    (tmp_path / "kept").chmod(0o755)
    finding = check_folder(environ)
    assert finding.status is Status.PROBLEM
    assert "chmod 700" in finding.next_step
    assert check_folder({}).next_step == "set DDOAUTH_STORE_FOLDER"


def test_memory_is_told() -> None:
    """Secrets that end with the process get a note; a misspelled kind is a problem."""
    assert _found(check_store({"DDOAUTH_STORE": "memory"}), "store").status is Status.NOTE
    assert _found(check_store({"DDOAUTH_STORE": "vault"}), "store").status is Status.PROBLEM


def test_the_official_clients_variables() -> None:
    """Names are shown, values are not."""
    assert check_official_variables({}) is None
    finding = check_official_variables({"DD_API_KEY": API_KEY, "DD_APP_KEY": "x"})
    assert finding is not None
    assert finding.found == "DD_API_KEY and DD_APP_KEY are set"
    assert API_KEY not in shown([finding])


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        (
            "http://user:canary-password@proxy.example:3128",
            Status.NOTE,
            "http://proxy.example:3128",
        ),
        ("proxy.example:3128", Status.PROBLEM, "not the address"),
        ("http://proxy.example:port", Status.PROBLEM, "not the address"),
        ("", Status.OK, "none"),
    ],
)
def test_the_proxy(value: str, status: Status, words: str) -> None:
    """A proxy is named without its password, and what is none is a problem."""
    finding = check_proxy({"HTTPS_PROXY": value})
    assert finding.status is status
    assert words in finding.found
    assert "canary" not in shown([finding])


def test_tls(tmp_path: Path) -> None:
    """Certificates that are missing or broken, and a log of keys, are problems."""
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate", "utf-8")
    for environ, words in (
        ({"SSL_CERT_FILE": str(tmp_path / "nowhere")}, "does not exist"),
        ({"SSL_CERT_FILE": str(broken)}, "cannot be loaded"),
    ):
        finding = _found(check_tls(environ), "TLS")
        assert finding.status is Status.PROBLEM
        assert words in finding.found
    assert [each.status for each in check_tls({"SSLKEYLOGFILE": "x"})] == [
        Status.OK,
        Status.PROBLEM,
    ]


def test_sites_and_clock(serve: Callable[..., RecordingServer]) -> None:
    """A site that responds is fine, whatever it says; one that fails or is silent is a problem."""
    good, bad = serve(Answer("{}", 403)), serve(Answer("{}", 503))
    named = [
        replace(site, name=name)
        for name, site in (("good", good.site), ("bad", bad.site), ("gone", refused_site()))
    ]
    reached = reach(named, clock=lambda: datetime.now(UTC) + timedelta(hours=2))
    statuses = {each.check: each.status for each in check_sites(reached)}
    assert statuses == {
        "site good": Status.OK,
        "site bad": Status.PROBLEM,
        "site gone": Status.PROBLEM,
    }
    clock = check_clock(reached)
    assert clock.status is Status.PROBLEM
    assert clock.found.endswith("seconds ahead of the servers' clock")
    assert check_clock(reach(named)).status is Status.OK
    for arrived in (*good.arrived, *bad.arrived):
        assert not {"authorization", "dd-api-key", "cookie"} & arrived.headers.keys()
        assert arrived.body == b""


def test_offline_is_no_fault() -> None:
    """If no site responds, the result is unknown, not a problem, and so is the clock's."""
    unresolved = NetworkError("no_network", "The check did not reach it: Name not known.")
    reached = tuple(Reached(site, None, None, unresolved) for site in DATADOG_SITES)
    (sites,) = check_sites(reached)
    assert sites.status is Status.UNKNOWN
    assert "sandbox" in sites.next_step
    assert check_clock(reached).status is Status.UNKNOWN


def test_an_ended_sandbox_is_named() -> None:
    """If a sandbox replaces Datadog and has ended, the message names its address, not Datadog's."""
    site = refused_site()
    (found,) = check_sites(reach([site]))
    assert (found.status, found.check) == (Status.PROBLEM, "sandbox")
    assert site.api_url in found.found
    assert "datadoghq" not in found.found
    assert "ddoauth sandbox" in found.next_step


def test_a_closed_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a proxy refuses the connection, the message names it and its variable, not a password."""
    gone = refused_site().api_url.removeprefix("http://")
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:canary@{gone}")
    (found,) = check_sites(reach([DATADOG_SITES.named("us1")]))
    assert found.status is Status.PROBLEM
    assert f"did not reach api.datadoghq.com through the proxy {gone} of HTTPS_PROXY" in found.found
    assert "canary" not in found.found
    assert "proxy" in found.next_step


def test_a_sandboxs_secret_without_the_sandbox(tmp_path: Path) -> None:
    """A secret from a sandbox is a problem unless the calls go to a sandbox."""
    lines = {"DDOAUTH_CLIENT_ID": "acme", "DDOAUTH_CLIENT_SECRET": "sandbox-secret-1"}
    findings = examine(names=["us1"], offline=True, environ=_environ(tmp_path, **lines))
    found = _found(findings, "client secret")
    assert found.status is Status.PROBLEM
    assert "DDOAUTH_SANDBOX" in found.next_step
    for name in ("DDOAUTH_SANDBOX", "DDOAUTH_FRONT"):
        environ = _environ(tmp_path, **lines, **{name: "http://127.0.0.1:8470"})
        findings = examine(names=["us1"], offline=True, environ=environ)
        assert "client secret" not in {each.check for each in findings}


def test_the_registration(tmp_path: Path) -> None:
    """A missing registration is fine; one for another site or without a secret gets advice."""

    def look(**environ: str) -> list[Finding]:
        return examine(names=["eu1"], offline=True, environ=_environ(tmp_path, **environ))

    assert _found(look(), "registration").status is Status.NOTE
    elsewhere = _found(look(DDOAUTH_CLIENT_ID="acme"), "registration")
    assert elsewhere.status is Status.PROBLEM
    assert "belongs to us1" in elsewhere.found
    findings = look(DDOAUTH_CLIENT_ID_EU1="acme", DDOAUTH_REDIRECT_URIS="https://acme.example/cb")
    assert "for eu1" in _found(findings, "registration").found
    assert _found(findings, "client secret").status is Status.NOTE
    assert _found(findings, "redirect URI https://acme.example/cb").status is Status.UNKNOWN


def test_ports_of_redirect_uris(monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken port and a forbidden one are problems; `localhost` is worth a word."""
    port = free_port()
    uris = (f"http://127.0.0.1:{port}/cb",)
    with socket.create_server(("127.0.0.1", port)):
        (busy,) = clients.check_redirect_uris(registration(redirect_uris=uris))
    assert busy.status is Status.PROBLEM
    assert f"uses port {port}" in busy.next_step
    (free,) = clients.check_redirect_uris(registration(redirect_uris=uris))
    assert free.status is Status.OK
    uris = (f"http://localhost:{port}/cb",)
    (named,) = clients.check_redirect_uris(registration(redirect_uris=uris))
    assert named.status is Status.NOTE
    (none,) = clients.check_redirect_uris(registration(redirect_uris=()))
    assert none.status is Status.PROBLEM

    def forbid(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(loopback_server._Server, "server_bind", forbid)
    (low,) = clients.check_redirect_uris(registration(redirect_uris=("http://127.0.0.1/cb",)))
    assert "1024" in low.next_step


def test_kept_grants_are_compared_with_the_registration() -> None:
    """Grants of another client or site, narrower ones and unreadable ones are distinguished."""
    store, client = MemoryStore(), registration(sites=("us1",))
    good, eu1 = tokens(), tokens(site=DATADOG_SITES.named("eu1"))
    narrow = tokens(dd_oid="2", scopes=replace(good.scopes, granted=("events_read",)))
    for grant in (good, eu1, narrow):
        store.put(grant_slot(grant), written(new_record(grant, now=NOW)))
    store.put(Slot("grant", "us1", client.client_id, "", "3"), Secret("{", label="grant"))
    store.put(Slot("grant", "us1", client.client_id, "", "4"), written(new_record(eu1, now=NOW)))
    store.put(Slot("api_key", "us1", "other"), Secret(API_KEY, label="api_key"))
    findings = list(clients.check_kept(store, client))
    assert [each.status for each in findings] == [
        Status.OK,
        Status.PROBLEM,
        Status.NOTE,
        Status.PROBLEM,
        Status.PROBLEM,
        Status.NOTE,
    ]
    assert "api_keys_write" in findings[2].found
    text = shown(findings)
    assert REFRESH_TOKEN not in text
    assert API_KEY not in text


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text and JSON have the same content; the exit code is 1 for a problem, 2 for a bad site."""
    for name, value in _environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert main(["doctor", "--offline"]) == 0
    assert "next: run it without --offline" in capsys.readouterr().out
    assert main(["doctor", "--offline", "--format", "json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings[0].keys() == {"check", "status", "found", "next_step"}
    (tmp_path / "kept").chmod(0o755)
    assert main(["doctor", "--offline", "--format", "json"]) == 1
    assert main(["doctor", "--site", "mars"]) == 2


def test_it_asks_the_sites_that_are_named(serve: Callable[..., RecordingServer]) -> None:
    """Only what `--site` names is reached."""
    server = serve(Answer("{}", 403))
    table = SiteTable((server.site, replace(refused_site(), name="other")))
    findings = examine(names=["lab1"], environ={"DDOAUTH_STORE": "memory"}, sites=table)
    assert [each.check for each in findings if each.check.startswith("site ")] == ["site lab1"]
    assert len(server.arrived) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer("<html>Log in</html>", 200), "web page"),
        (Answer("<html>Blocked</html>", 403), "web page"),
        (Answer("Blocked", 403), "JSON"),
        (Answer("", 302, (("location", "https://login.corp.example/"),)), "login.corp.example"),
        (Answer("<html>", 511), "needs a login"),
        (Answer('{"valid": true}', 200), "200"),
    ],
)
def test_an_answer_that_is_not_datadogs_is_no_answer(
    serve: Callable[..., RecordingServer], answer: Answer, words: str
) -> None:
    """A proxy's login page or block page is a problem, and its clock does not count."""
    reached = reach([replace(serve(answer).site, name="us1")])
    (finding,) = check_sites(reached)
    assert finding.status is Status.PROBLEM
    assert "doesn't come from Datadog" in finding.found
    assert words in finding.found
    assert check_clock(reached).status is Status.UNKNOWN


def test_tls_that_fails_everywhere_is_a_problem() -> None:
    """It is not mistaken for being offline, and the fix is named."""
    error = NetworkError("tls_error", "TLS failed: unable to get local issuer certificate.")
    reached = tuple(Reached(site, None, None, error) for site in DATADOG_SITES)
    (finding,) = check_sites(reached)
    assert finding.status is Status.PROBLEM
    assert "SSL_CERT_FILE" in finding.next_step
    (told,) = check_tls({"REQUESTS_CA_BUNDLE": "/corp.pem"})
    assert told.status is Status.NOTE
    assert "REQUESTS_CA_BUNDLE" in told.found
    assert "SSL_CERT_FILE" in told.next_step


def test_a_kept_registration_is_found_as_the_commands_find_it(tmp_path: Path) -> None:
    """After *Keep* in lesson 09 the doctor and live mode name the same client."""
    environ = {
        "DDOAUTH_CONFIG_FOLDER": str(tmp_path / "config"),
        "DDOAUTH_STORE": "file",
        "DDOAUTH_STORE_FOLDER": str(tmp_path / "kept"),
    }
    (none,) = clients.find_registration(environ, site="us1", client="")[1]
    assert none.status is Status.NOTE
    keep_registration(
        registration(sites=("us1",)), site="us1", environ={**environ, "HOME": str(tmp_path)}
    )
    found, findings = clients.find_registration(environ, site="us1", client="")
    assert found == live_registration("us1", environ=environ)
    assert findings[0].status is Status.OK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DDOAUTH_CLIENT_KIND", "Published"),
        ("DDOAUTH_CLIENT_ID", '"x"'),
        ("DDOAUTH_REDIRECT_URIS", "http://127.0.0.1:8484/a,http://127.0.0.1:8485/b"),
        ("DDOAUTH_SCOPES", "a,b"),
    ],
)
def test_what_the_commands_refuse_is_a_problem(name: str, value: str) -> None:
    """The doctor asks the same code, so both always agree."""
    environ = {"DDOAUTH_CLIENT_ID": "x", "DDOAUTH_CLIENT_SECRET": "y", name: value}
    with pytest.raises(InputError) as caught:
        live_registration("us1", environ=environ)
    found, (finding,) = clients.find_registration(environ, site="us1", client="")
    assert (found, finding.status, finding.found) == (None, Status.PROBLEM, caught.value.what)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:0/cb", "https://127.0.0.1:8484/cb"])
def test_what_the_listener_cannot_serve_is_a_problem(uri: str) -> None:
    """Port 0 is not a usable port, and the listener does not support TLS."""
    client = SimpleNamespace(redirect_uris=(uri,), onboarding_url="")
    (finding,) = clients.check_redirect_uris(client)  # type: ignore[arg-type]
    assert finding.status is Status.PROBLEM


def test_localhost_needs_both_addresses() -> None:
    """The listener opens 127.0.0.1 and ::1, so a taken one of them is a problem."""
    try:
        taken = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with taken:
        uri = f"http://localhost:{taken.getsockname()[1]}/cb"
        (finding,) = clients.check_redirect_uris(registration(redirect_uris=(uri,)))
    assert finding.status is Status.PROBLEM


def test_a_keyring_is_asked_before_it_is_called_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers, could not be read, or is not asked because a setting names another store."""

    class Locked(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            raise OSError(f"{service} {username} is locked")

    for backend, setting, status, words in (
        (MemoryKeyring(), "", Status.OK, "answers"),
        (MemoryKeyring(), "Keyring ", Status.OK, "answers"),
        (Locked(), "", Status.UNKNOWN, "could not be used"),
        (Locked(), "file", Status.NOTE, "is not asked, because DDOAUTH_STORE says file"),
        (Locked(), "'file'", Status.NOTE, "is not asked"),
    ):
        monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
        environ = {"DDOAUTH_STORE": setting, "DDOAUTH_STORE_FOLDER": str(tmp_path / "s")}
        found = _found(check_keyring_and_store(environ), "keyring")
        assert (found.status, words in found.found) == (status, True)
