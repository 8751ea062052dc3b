"""Type lines at the command line, in this process or, if a line needs it, in a new one."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import keyring

from ddoauth_kit.cli import main
from ddoauth_kit.commands.consent import paste_consent
from ddoauth_kit.http import sender
from ddoauth_kit.store import patience
from support.terminals import ADDRESS
from support.visitors import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

STREAMS = {"<": "stdin", ">": "stdout", "2>": "stderr"}


@dataclass(frozen=True)
class Typed:
    """A line for a shell, where $D is the command, and its expected result.

    `more` contains further words if a line is a neighbour of several kinds. `fresh` is for things
    that only a new process has: a locale and its own standard streams. `spoil` is for `login
    --paste`: it turns a redirect into the text that a person pastes.
    """

    line: str
    code: int
    words: str
    fresh: bool = False
    more: tuple[str, ...] = ()
    spoil: Callable[[str], str] = str


@dataclass
class Shell:
    """Accepts lines in a folder, without any of this machine's settings.

    `names` contains the values of `$NAME` in a line, and `keyrings` the backends that
    `KEYRING=name` chooses. Only the one called `silent` is given up after a moment.
    """

    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    keyrings: dict[str, KeyringBackend] = field(default_factory=dict)
    _typed: dict[Typed, tuple[int, str]] = field(default_factory=dict)

    def type(self, typed: Typed) -> tuple[int, str]:
        """Return the exit code and everything printed; the same line is typed only once."""
        if typed not in self._typed:
            line = typed.line
            for name, value in {**self.names, "PWD": str(self.folder)}.items():
                line = line.replace(f"${name}", value)
            outcome = self._fresh(line) if typed.fresh else self._here(line, spoil=typed.spoil)
            self._typed[typed] = outcome
        return self._typed[typed]

    def _environ(self, **more: str) -> dict[str, str]:
        ours = ("DDOAUTH_", "DD_", "PYTHONIOENCODING", "DISPLAY", "BROWSER")
        plain = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        home = {"HOME": str(self.folder), "DDOAUTH_CONFIG_FOLDER": str(self.folder / "config")}
        return {**plain, "DDOAUTH_STORE": "memory", **home, **more}

    def _fresh(self, line: str) -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self._environ(D=f"{sys.executable} -m ddoauth_kit"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def _here(self, line: str, *, spoil: Callable[[str], str]) -> tuple[int, str]:
        words = shlex.split(line)
        at = words.index("$D")
        environ = self._environ(**dict(word.split("=", 1) for word in words[:at]))
        named = environ.pop("KEYRING", "")
        chosen, seconds = self.keyrings.get(named), 0.3 if named == "silent" else 60.0
        raw = io.BytesIO()
        encoding = environ.get("PYTHONIOENCODING", "utf-8")
        out = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
        with ExitStack() as stack:
            given, streams = _redirected(words[at + 1 :], out=out, stack=stack)
            stack.enter_context(chdir(self.folder))
            stack.enter_context(mock.patch.dict(os.environ, environ, clear=True))
            stack.enter_context(mock.patch.multiple(sys, **streams))
            stack.enter_context(mock.patch.object(tempfile, "tempdir", None))
            stack.enter_context(_pasting(lambda: raw.getvalue().decode(encoding), spoil))
            if chosen is not None:
                core = keyring.core
                stack.enter_context(mock.patch.object(core, "_keyring_backend", chosen))
            stack.enter_context(mock.patch.multiple(patience, SECONDS=seconds, _WAITING=[]))
            sender._trusted_certificates.cache_clear()  # SSL_CERT_FILE may be another one
            stack.callback(sender._trusted_certificates.cache_clear)
            try:
                code = main(given)
            except SystemExit as left:
                code = int(left.code or 0)
        return code, raw.getvalue().decode(encoding)


def _redirected(
    words: list[str], *, out: io.TextIOWrapper, stack: ExitStack
) -> tuple[list[str], dict[str, object]]:
    """Return the arguments, and the streams that result from redirections at the end of a line."""
    streams: dict[str, object] = {"stdin": Keyboard(), "stdout": out, "stderr": out}
    given = list(words)
    while given and given[-1].startswith(tuple(STREAMS)):
        sign, _, path = given.pop().replace("<", "< ").replace(">", "> ").partition(" ")
        mode = "r" if sign == "<" else "w"
        streams[STREAMS[sign]] = None
        if path != "&-":
            file = Path(path).open(mode)  # noqa: SIM115 - the stack closes it
            streams[STREAMS[sign]] = stack.enter_context(file)
    return given, streams


class Keyboard(io.StringIO):
    """A terminal whose user types only what `login --paste` asks for."""

    def isatty(self) -> bool:
        """Return true."""
        return True


def _pasting(printed: Callable[[], str], spoil: Callable[[str], str]) -> mock._patch[object]:
    """Let a person follow the printed address, and paste the redirect after spoiling it."""

    def ask(_prompt: str) -> str:
        url = printed().rpartition(ADDRESS)[2].split()[0]
        return spoil(Person().decide(url))

    return mock.patch.object(paste_consent, "__kwdefaults__", {"ask": ask})
