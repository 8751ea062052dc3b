"""`ddoauth sandbox --isolate` keeps a command and all its children in a separate namespace."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading

import httpx
from support.front import DATA, clean_environment, needs_namespaces
from support.graded import free_port
from support.loopback import PLAIN
from support.places import ROOT

KIT = [sys.executable, "-m", "ddoauth_kit", "sandbox", "--isolate"]
# urllib3 reads no proxy variable, so that way A would not hold it.
CALLS = f"""
import runpy, socket, sys
sys.argv = ["call.py", "urllib3", "https://api.us3.datadoghq.com/api/v2/current_user"]
runpy.run_path({str(DATA / "call.py")!r}, run_name="__main__")
with socket.create_connection(("127.0.0.1", PORT), 60) as link:
    print(link.recv(100).decode(), flush=True)
sys.stdin.readline()
sys.exit(7)
"""


def _greet(service: socket.socket) -> None:
    link, _ = service.accept()
    with link:
        link.sendall(b"hello")


@needs_namespaces
def test_a_command_in_a_namespace() -> None:
    """Its calls arrive, an outside port responds to it, and the sandbox is reachable outside."""
    own = free_port()
    with socket.create_server(("127.0.0.1", 0)) as service:
        threading.Thread(target=_greet, args=(service,), daemon=True).start()
        forwarded = service.getsockname()[1]
        code = CALLS.replace("PORT", str(forwarded))
        arguments = ["--port", str(own), "--forward", str(forwarded)]
        with _started(*arguments, "--", sys.executable, "-c", code) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            assert [process.stdout.readline() for _ in range(2)] == ["401\n", "hello\n"]
            page = httpx.get(f"http://127.0.0.1:{own}/", timeout=60, **PLAIN)
            assert page.status_code == 200
            _, said = process.communicate("\n", timeout=60)
    assert process.returncode == 7
    assert "\nGET api.us3.datadoghq.com/api/v2/current_user 401" in said
    assert f"sandbox      http://127.0.0.1:{own} (inside and outside)" in said


@needs_namespaces
def test_ctrl_c_ends_all_of_it() -> None:
    """The signal reaches the command, and nothing of the run stays."""
    code = "import time; print('here', flush=True); time.sleep(60)"
    with _started("--", sys.executable, "-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in {1, 130}


def _started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*KIT, *arguments],
        env=clean_environment() | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_taken_port_outside_is_one_line() -> None:
    """The sandbox's address has to be free outside, too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*KIT, "--port", str(port), "--", "true"],
            env=clean_environment() | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert str(port) in done.stderr
    assert len(done.stderr.splitlines()) == 1
