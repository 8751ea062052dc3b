"""Use a Linux namespace (way B), where Datadog's hosts are this machine and no traffic leaves it.

The program that serves the sandbox and the front restarts itself inside the namespace (`isolated`)
and sets up the namespace from there (`prepare`). The namespace has only one interface, its own
loopback.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.trust_files import SYSTEM_FILES, java_store_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ddoauth_kit.grading.front.hosts import HostTable
    from ddoauth_kit.grading.front.trust_files import TrustFiles

_UNSHARE: Final = ("unshare", "--user", "--map-root-user", "--net", "--mount")
_MARK: Final = "DDOAUTH_ISOLATED"
_GET_FLAGS: Final = 0x8913
_SET_FLAGS: Final = 0x8914
_UP: Final = 0x1


def isolated(
    command: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the command that runs `command` inside a new namespace, and its environment.

    Raises:
        FrontError: `no_namespaces`, if the system does not offer or allow namespaces.
    """
    check_namespaces(environment)
    mark = f"{os.getuid()}:{os.getgid()}"
    return [*_UNSHARE, "--", *command], {**environment, _MARK: mark}


def is_isolated(environment: Mapping[str, str]) -> bool:
    """Return whether this process was started by `isolated`."""
    return bool(environment.get(_MARK))


def check_namespaces(environment: Mapping[str, str]) -> None:
    """Check that a namespace can be created.

    Raises:
        FrontError: `no_namespaces`.
    """
    if not sys.platform.startswith("linux") or not shutil.which(
        "unshare", path=environment.get("PATH")
    ):
        raise FrontError(
            "no_namespaces",
            "--isolate needs Linux and the program unshare (package util-linux). "
            "Start without --isolate, or in a Linux container.",
        )
    trial = [*_UNSHARE, "--", "true"]
    done = subprocess.run(  # noqa: S603 - a fixed command
        trial, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = done.stderr.strip().rpartition(": ")[2] or "unshare failed"
        raise FrontError(
            "no_namespaces",
            f"This user may not create namespaces on this system ({why}). Start without "
            "--isolate, or ask an administrator to allow user namespaces (on Ubuntu: sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0).",
        )


def prepare(
    hosts: HostTable,
    trust: TrustFiles,
    *,
    environment: Mapping[str, str],
    command: Sequence[str] = (),
    foreign: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Set up the namespace's loopback, names and trust stores; return the replaced files.

    `command` identifies the Python installation whose certificates come from the package certifi.
    `foreign` lists the names of other hosts that should lead to the front, which refuses and
    records them.

    Raises:
        FrontError: `not_isolated`, `no_namespaces`.
    """
    if not is_isolated(environment):
        raise FrontError(
            "not_isolated", "This process has no namespace of its own. Start it with --isolate."
        )
    _raise_loopback()
    placed = [_bind(_hosts_file((*_names(hosts), *foreign), trust), Path("/etc/hosts"))]
    bundle = trust.bundle("SSL_CERT_FILE")
    stores = {path.resolve() for path in map(Path, SYSTEM_FILES) if path.is_file()}
    stores |= set(certifi_files(environment, command))
    placed += [_bind(bundle, store) for store in sorted(stores)]
    java = java_store_of(environment)
    if java is not None:
        placed.append(_bind(trust.java_store(unsealed=True), java.resolve()))
    return tuple(placed)


def as_before(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return a command that runs `command` as the user who started the program.

    Otherwise, the command would run as root, which some servers refuse to do.
    """
    user, _, group = environment.get(_MARK, "").partition(":")
    if user in {"", "0"}:
        return list(command)
    return ["unshare", "--user", f"--map-user={user}", f"--map-group={group}", "--", *command]


def certifi_files(environment: Mapping[str, str], command: Sequence[str]) -> Iterator[Path]:
    """Find the certifi file of each Python interpreter that the command is likely to use."""
    path = environment.get("PATH")
    programs = [shutil.which(name, path=path) for name in (*command, "python3", "python")]
    # In a virtual environment, the program is a link to the system's Python, so both count.
    places = [Path(program).parent.parent for program in programs if program]
    places += [Path(environment["VIRTUAL_ENV"])] if environment.get("VIRTUAL_ENV") else []
    for place in dict.fromkeys(places):
        for pattern in ("lib/python3*/site-packages", "lib/python3*/dist-packages"):
            yield from (f.resolve() for f in place.glob(f"{pattern}/certifi/cacert.pem"))


def _raise_loopback() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        _, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _GET_FLAGS, asked))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


def _hosts_file(hosts: Iterable[str], trust: TrustFiles) -> Path:
    names = ("localhost", socket.gethostname(), *hosts)
    lines = [f"127.0.0.1 {name}\n" for name in dict.fromkeys(names)]
    path = trust.folder / "hosts"
    path.write_text("".join(["::1 localhost\n", *lines]), encoding="ascii")
    path.chmod(0o644)
    return path


def _names(hosts: HostTable) -> Iterable[str]:
    return (host.name for host in hosts)


def _bind(source: Path, target: Path) -> Path:
    # The command may not run as the user who owns the folder.
    done = subprocess.run(  # noqa: S603 - a fixed program
        ["mount", "--bind", str(source), str(target)],  # noqa: S607 - where the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FrontError(
            "no_namespaces",
            f"{target} cannot be replaced inside the namespace ({done.stderr.strip()}). "
            "Start without --isolate.",
        )
    return target
