"""A shell that loaded the printed code completes commands, options and their values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

import pytest
from support.places import ROOT

from ddoauth_kit.cli import COMMANDS, main
from ddoauth_kit.commands import known_values
from ddoauth_kit.commands.parser import Parser

if TYPE_CHECKING:
    from pathlib import Path

# What is typed before the key, and the whole line after it.
LINES: Final = {
    "ddoauth pro": "ddoauth probe",
    "ddoauth probe --scope metrics_re": "ddoauth probe --scope metrics_read",
    "ddoauth run 01": "ddoauth run 01_the_whole_flow",
    "ddoauth explain invalid_gr": "ddoauth explain invalid_grant",
    "ddoauth sandbox --fault lost": "ddoauth sandbox --fault lost-answer",
}
PREPARED: Final = {
    "bash": ("bash --norc --noprofile -i", 'eval "$(ddoauth completion bash)"'),
    "zsh": (
        "zsh -f -i",
        'autoload -Uz compinit; compinit -u -D; eval "$(ddoauth completion zsh)"',
    ),
}
HOME_KEY, TAB, SECONDS = "\x01", "\t", 30


def _shell(name: str) -> str:
    """Return the path of a shell; bash must be installed where everything is tested."""
    found = shutil.which(name)
    if found is None and (name != "bash" or not os.environ.get("CI")):
        pytest.skip(f"{name} is not installed")
    assert found
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose PATH starts with a `ddoauth` from these sources."""
    own = tmp_path / "bin" / "ddoauth"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\nexec {sys.executable} -m ddoauth_kit "$@"\n')
    own.chmod(0o755)
    return {
        "PATH": f"{own.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "PS1": "$ ",
    }


@pytest.mark.parametrize("name", PREPARED)
def test_a_person_presses_tab(name: str, environment: dict[str, str]) -> None:
    """In bash and zsh the key Tab finishes commands and values on the line."""
    _shell(name)
    pexpect = pytest.importorskip("pexpect")
    command, load = PREPARED[name]
    shell = pexpect.spawn(command, env=environment, encoding="utf-8", timeout=SECONDS)
    shell.setwinsize(40, 200)
    shell.sendline(f"{load}; printf 'load%s\\n' ed")
    shell.expect("loaded")
    for typed, whole in LINES.items():
        shell.send(f"{typed}{TAB}")
        shell.expect_exact(whole.removeprefix(typed))
        shell.sendline(f"{HOME_KEY}printf '%s ' done ")
        shell.expect_exact(f"done {whole} ")
    shell.sendline("exit")
    shell.expect_exact(pexpect.EOF)
    shell.close()


def test_fish_lists_what_fits(environment: dict[str, str]) -> None:
    """Fish completes the same lines."""
    asked = "; ".join(f"complete -C '{typed}'" for typed in LINES)
    done = subprocess.run(
        [_shell("fish"), "--no-config", "-c", f"ddoauth completion fish | source; {asked}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [
        whole.split()[-1] for whole in LINES.values()
    ]


def test_every_known_value_is_offered() -> None:
    """Each list of values is complete: all sites, scopes, lessons, codes and ids."""
    smallest = {
        "sites": 9,
        "sites_or_all": 10,
        "scopes": 131,
        "lessons": 13,
        "codes": 100,
        "requirements": 56,
    }
    for name, number in smallest.items():
        values = list(getattr(known_values, name)())
        assert len(values) == len(set(values)) >= number


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        *((name, "--site", "us1-fed") for name in ("run", "probe", "login", "logout", "grade")),
        *((name, "--site", "all") for name in ("run", "probe", "grade")),
        *((name, "--scope", "metrics_read") for name in ("probe", "login")),
        ("run", "notebooks", "01_the_whole_flow"),
        ("explain", "code", "invalid_grant"),
        ("grade", "--only", "state-checked"),
        ("sandbox", "--fault", "lost-answer"),
        ("sandbox", "--profile", "no-oauth"),
    ],
)
def test_an_option_offers_its_values(command: str, option: str, value: str) -> None:
    """Each option and argument with a known set of values offers them."""
    parser = Parser(f"ddoauth {command}")
    import_module(f"ddoauth_kit.commands.{command}").configure(parser)
    (action,) = [a for a in parser._actions if option in (*a.option_strings, a.dest)]
    assert value in known_values.known_values(action)


def test_the_help_names_the_start_up_files(capsys: pytest.CaptureFixture[str]) -> None:
    """The help has each shell's start-up file and the line for it."""
    assert "completion" in COMMANDS
    main(["help", "completion"])
    shown = capsys.readouterr().out
    assert all(file in shown for file in ("~/.bashrc", "~/.zshrc", "~/.config/fish/config.fish"))
