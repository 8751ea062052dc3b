"""Inside a namespace Datadog's names are this machine, for clients that know no proxy."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.front import DATA, IN_CI, clean_environment, program
from support.places import ROOT

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.isolation import check_namespaces, isolated, prepare
from ddoauth_kit.grading.front.relays import Relay

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.grading.front.hosts import HostTable
    from ddoauth_kit.grading.front.trust_files import TrustFiles

INSIDE = DATA / "inside.py"
USER = "/api/v2/current_user"


def _allowed() -> str:
    try:
        check_namespaces(os.environ)
    except FrontError as error:
        return str(error)
    return ""


WHY_NOT = _allowed()
needs_namespaces = pytest.mark.skipif(bool(WHY_NOT) and not IN_CI, reason=WHY_NOT or "allowed")


def environment() -> dict[str, str]:
    """Return the variables of a process that imports what is tested here."""
    return clean_environment() | {"PYTHONPATH": str(ROOT)}


def inside(*command: str, options: tuple[str, ...] = (), **given: str) -> dict[str, object]:
    """Run a command beside sandbox and front in a namespace; return what came of it."""
    program_inside = [sys.executable, str(INSIDE), *options, "--", *command]
    whole, variables = isolated(program_inside, environment() | given)
    done = subprocess.run(
        whole, env=variables, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@needs_namespaces
def test_python_clients_that_know_no_proxy() -> None:
    """Each call arrives at the site of its host, with nothing set but trust."""
    url = f"https://api.datadoghq.eu{USER}"
    call = shlex.join([sys.executable, str(DATA / "call.py")])
    clients = ("urllib3", "http.client", "requests", "httpx")
    found = inside("sh", "-c", "; ".join(f"{call} {client} {url}" for client in clients))
    assert found["output"] == "401\n" * len(clients)
    assert found["seen"] == [["forwarded", "api.datadoghq.eu", "eu1", 401]] * len(clients)


@needs_namespaces
def test_trust_stores_are_replaced() -> None:
    """Curl and certifi trust the run without any variable."""
    url = f"https://api.datadoghq.com{USER}"
    curl = [program("curl"), "-sS", "-o", os.devnull, "-w", "%{http_code}\n", url]
    certifi = [sys.executable, str(DATA / "call.py"), "requests", url]
    bare = ("env", "-u", "SSL_CERT_FILE", "-u", "CURL_CA_BUNDLE", "-u", "REQUESTS_CA_BUNDLE")
    # The command names the Python whose certifi is replaced.
    found = inside(*bare, "sh", "-c", f'{shlex.join(curl)}; "$@"', "sh", *certifi)
    assert found["output"] == "401\n401\n"


@needs_namespaces
def test_node_inside() -> None:
    """Node needs its variable for the certificate, and no preload."""
    url = f"https://api.us5.datadoghq.com{USER}"
    call = shlex.join([program("node"), str(DATA / "call.mjs")])
    found = inside("sh", "-c", f"{call} fetch {url}; {call} https {url}")
    assert found["output"] == "401\n401\n"


@needs_namespaces
@pytest.mark.runtimes
def test_java_inside() -> None:
    """The JDK's own store trusts the run."""
    java = program("java", everywhere=False)
    found = inside(java, str(DATA / "Call.java"), f"https://api.datadoghq.com{USER}")
    assert str(found["output"]).endswith("401\n")


@needs_namespaces
def test_nothing_can_leave() -> None:
    """An address of another machine cannot be reached, at any port."""
    code = (
        "import socket\n"
        "try:\n    socket.create_connection(('192.0.2.1', 443), timeout=5)\n"
        "except OSError as error:\n    print(type(error).__name__, error.errno)\n"
    )
    assert inside(sys.executable, "-c", code)["output"] == "OSError 101\n"


@needs_namespaces
def test_port_443_taken_inside_is_one_line() -> None:
    """The front says which port, and what to do."""
    found = inside("true", options=("--take-443",))
    assert str(found["error"]).startswith("Port 443 on 127.0.0.1 cannot be opened")


@needs_namespaces
def test_a_port_of_the_machine_is_forwarded(tmp_path: Path) -> None:
    """A service outside is reached at the same port inside, through a Unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        place = tmp_path / "service"
        code = (
            "import socket\n"
            f"link = socket.create_connection(('127.0.0.1', {port}), timeout=20)\n"
            "link.sendall(b'hello')\nprint(link.recv(100).decode())\n"
        )
        with Relay(listen=place, connect=port):
            whole, variables = isolated(
                [
                    sys.executable,
                    str(INSIDE),
                    "--forward",
                    f"{port}:{place}",
                    "--",
                    sys.executable,
                    "-c",
                    code,
                ],
                environment(),
            )
            with subprocess.Popen(whole, env=variables, stdout=subprocess.PIPE) as process:
                service.settimeout(60)
                link, _ = service.accept()
                with link:
                    link.sendall(link.recv(100).upper())
                out, _ = process.communicate(timeout=60)
    assert json.loads(out)["output"] == "HELLO\n"


@needs_namespaces
@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root may become another")
def test_an_ordinary_user_gets_a_namespace_too() -> None:
    """The command runs as that user and not as root, and Datadog's names still answer."""
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not here")
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    packages = os.pathsep.join((str(ROOT), *(path for path in sys.path if "site-packages" in path)))
    variables = environment() | {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"}
    python = _python_for(other, variables)
    code = f"""
import os, sys
from ddoauth_kit.grading.front.isolation import isolated
inner = [sys.executable, {str(INSIDE)!r}, "--", "sh", "-c",
         "id -u; curl -sS -o /dev/null -w '%{{http_code}}' https://api.datadoghq.com{USER}"]
whole, variables = isolated(inner, os.environ)
os.execvpe(whole[0], whole, variables)
"""
    done = subprocess.run(
        [*other, python, "-c", code],
        env=variables,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"] == "65534\n401"


def _python_for(other: list[str], variables: dict[str, str]) -> str:
    """Find a Python that another user may run, with the packages of the tests."""
    # It must be able to start itself, too, and not only be started by root.
    code = "import os, sys, trustme, uvicorn; sys.exit(not os.access(sys.executable, os.X_OK))"
    for python in (sys.executable, "/usr/bin/python3"):
        trial = [*other, python, "-c", code]
        with suppress(OSError):
            done = subprocess.run(trial, env=variables, capture_output=True, check=False)
            if done.returncode == 0:
                return python
    pytest.skip("no Python here can be run by another user")


@needs_namespaces
def test_forbidden_namespaces_are_one_line() -> None:
    """If the system's limit is zero, the line says what to do."""
    code = (
        "import os\n"
        "open('/proc/sys/user/max_user_namespaces', 'w').write('0')\n"
        "from ddoauth_kit.grading.front.isolation import check_namespaces\n"
        "try:\n    check_namespaces(os.environ)\n"
        "except Exception as error:\n    print(error.code, error)\n"
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("no_namespaces This user may not create namespaces"), done.stderr
    assert done.stdout.count("\n") == 1
    assert "Start without --isolate" in done.stdout


def test_a_system_without_unshare_is_one_line(tmp_path: Path) -> None:
    """The line names the program and the package."""
    with pytest.raises(FrontError, match="util-linux"):
        isolated(["true"], {"PATH": str(tmp_path)})


def test_nothing_is_mounted_outside_a_namespace() -> None:
    """A process that was not started for it leaves the machine's files alone."""
    hosts: HostTable
    trust: TrustFiles
    hosts = trust = None  # type: ignore[assignment]
    with pytest.raises(FrontError, match="--isolate"):
        prepare(hosts, trust, environment={})


def test_a_relay_frees_its_end(tmp_path: Path) -> None:
    """Only its owner can use the Unix socket, which is deleted with the relay."""
    place = tmp_path / "end"
    with Relay(listen=place, connect=1):
        assert place.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(place))
            assert link.recv(10) == b""
    assert not place.exists()


def test_a_relay_at_a_taken_port_is_one_line() -> None:
    """The line names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FrontError, match=str(port)), Relay(listen=port, connect=1):
            pass
