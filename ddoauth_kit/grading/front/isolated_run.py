"""Run the sandbox, front and command in a namespace, in a second process of the same program.

The process outside makes the sandbox's address available on the machine, and relays the requested
ports.
"""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.environment import trust_variables
from ddoauth_kit.grading.front.hosts import HostTable
from ddoauth_kit.grading.front.isolation import as_before, isolated, prepare
from ddoauth_kit.grading.front.process import ForeignProcess
from ddoauth_kit.grading.front.proxy import Front
from ddoauth_kit.grading.front.relays import Relay
from ddoauth_kit.grading.front.trust_files import TrustFiles
from ddoauth_kit.own_python import python_command
from ddoauth_kit.socket_folder import new_socket_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.sandbox import Sandbox

_FOLDER: Final = "DDOAUTH_ISOLATED_FOLDER"
_PORT: Final = "DDOAUTH_ISOLATED_PORT"
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Inside:
    """What runs inside the namespace, and how to start the command there."""

    sandbox: Sandbox
    ca_file: Path
    command: Sequence[str]
    environment: Mapping[str, str]


def run_isolated(
    arguments: Sequence[str], *, port: int, forward: Sequence[int], environment: Mapping[str, str]
) -> int:
    """Run `ddoauth ARGUMENTS` again inside a namespace; return its exit code.

    The sandbox's address is the same inside and outside; `port` 0 means any free port. Each port in
    `forward` leads from inside the namespace to the same port on this machine.

    Raises:
        FrontError: `no_namespaces`, `port_taken`.
    """
    folder, _ = new_socket_folder()
    try:
        with ExitStack() as stack:
            chosen = port or _free_port()
            variables = {**environment, _FOLDER: str(folder), _PORT: str(chosen)}
            command = python_command("-m", "ddoauth_kit", *arguments)
            whole, variables = isolated(command, variables)
            stack.enter_context(Relay(listen=chosen, connect=folder / "sandbox"))
            for each in dict.fromkeys(forward):
                stack.enter_context(Relay(listen=folder / str(each), connect=each))
            process = stack.enter_context(ForeignProcess(whole, environment=variables))
            return process.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def inside_namespace(
    serve: Callable[[int], AbstractContextManager[Sandbox]],
    *,
    record: Callable[[FrontRecord], None],
    command: Sequence[str],
    forward: Sequence[int],
) -> Iterator[Inside]:
    """Serve Datadog's hosts on port 443, and a sandbox that `serve` starts on a port.

    Raises:
        FrontError: `not_isolated`, `no_namespaces`, `port_taken`, `no_trustme`.
    """
    before = dict(os.environ)
    folder, port = Path(before.get(_FOLDER, "")), int(before.get(_PORT, "0"))
    with ExitStack() as stack:
        authority = Authority()
        trust = stack.enter_context(TrustFiles(authority, environment=before))
        hosts = HostTable.of_sandbox(f"http://127.0.0.1:{port}")
        # Until then, the namespace's loopback is down, even for the sandbox.
        prepare(hosts, trust, environment=before, command=command)
        sandbox = stack.enter_context(serve(port))
        stack.enter_context(Front(hosts, authority, record=record).listen_as_hosts())
        stack.enter_context(Relay(listen=folder / "sandbox", connect=port))
        for each in dict.fromkeys(forward):
            stack.enter_context(Relay(listen=each, connect=folder / str(each)))
        variables = _variables(before, trust)
        yield Inside(sandbox, trust.ca_file(), as_before(command, before), variables)


@contextmanager
def inside_prepared(
    authority: Authority, *, command: Sequence[str], forward: Sequence[int], foreign: Sequence[str]
) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Prepare this process's namespace for a sandbox and a front that the caller starts.

    Return the command to run there, and its variables. The names of `foreign` hosts also lead to
    the front.

    Raises:
        FrontError: `not_isolated`, `no_namespaces`, `port_taken`, `no_trustme`.
    """
    before = dict(os.environ)
    folder = Path(before.get(_FOLDER, ""))
    with ExitStack() as stack:
        trust = stack.enter_context(TrustFiles(authority, environment=before))
        names = HostTable.of_sandbox("http://127.0.0.1")
        prepare(names, trust, environment=before, command=command, foreign=foreign)
        for each in dict.fromkeys(forward):
            stack.enter_context(Relay(listen=each, connect=folder / str(each)))
        yield as_before(command, before), _variables(before, trust)


def _variables(before: Mapping[str, str], trust: TrustFiles) -> dict[str, str]:
    own = {n: v for n, v in before.items() if not n.startswith("DDOAUTH_ISOLATED")}
    # The machine's proxies cannot be reached from here.
    direct = {n: v for n, v in own.items() if n.lower() not in _PROXIES}
    return {**direct, **trust_variables(before, trust=trust)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
