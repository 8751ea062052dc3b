"""The command line explains itself, suggests similar words, and uses colour where it helps."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT, TESTS
from support.terminals import typed

from ddoauth_kit.cli import COMMANDS, main
from ddoauth_kit.commands.parser import Parser, nearest, wants_color
from ddoauth_kit.sandbox import FAULTS

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = {name: import_module(f"ddoauth_kit.commands.{name}").EXAMPLES for name in COMMANDS}
# These open a browser's page, ask a person, need credentials, or a server that tests/grading has:
# their lines are parsed only.
PARSED_ONLY = (
    *("ddoauth lab", "--mode live", "ddoauth login", "ddoauth logout", "--forget-all"),
    "ddoauth grade",
)
SERVES = "ddoauth sandbox"


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """Say that it is a terminal."""
        return True


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with everything that the examples name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shutil.copytree(TESTS / "publishing" / "data" / "acme_sensors", tmp_path / "my_integration")
    shutil.copytree(tmp_path / "my_integration" / "assets", tmp_path / "assets")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "ddoauth-runs").mkdir()
    (tmp_path / "report.html").write_text("<p>nothing secret</p>")
    return tmp_path


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "run"])
def test_the_examples_work_as_they_are_typed(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line at the end of a help text ends with 0, or with 1 where it is a check's finding."""
    for example in EXAMPLES[name]:
        if any(words in example for words in PARSED_ONLY):
            continue
        line = example.replace("ddoauth ", f"{sys.executable} -m ddoauth_kit ", 1)
        if example.startswith(SERVES) and " -- " not in example:
            _served(shlex.split(line))
            continue
        if example.startswith("ddoauth ") and not {"|", "--"} & set(example.split()):
            assert _exit_code(shlex.split(example)[1:]) in {0, 1}, example
            assert "Traceback" not in capsys.readouterr().err
            continue
        if "fish" in example:
            line = line.partition("|")[0]
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode in {0, 1}, f"{example}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def _exit_code(arguments: list[str]) -> int | str | None:
    """Run a command in this process; argparse ends it by itself."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def _served(command: list[str]) -> None:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_explains_every_option(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every option has a help text, the examples come last, and 60 columns are enough."""
    monkeypatch.setenv("COLUMNS", "60")
    parser = Parser(f"ddoauth {name}")
    import_module(f"ddoauth_kit.commands.{name}").configure(parser)
    assert all(action.help for action in parser._actions)
    assert main(["help", name]) == 0
    shown = capsys.readouterr().out
    assert shown == parser.format_help()
    assert 2 <= len(parser.examples) <= 3
    assert shown.rstrip().endswith(parser.examples[-1])
    assert max(map(len, shown.partition("examples:")[0].splitlines())) <= 60


def test_options_and_examples_stay_on_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest help ends with everything that people type, and 40 lines show it."""
    monkeypatch.setenv("COLUMNS", "80")
    parser = Parser("ddoauth sandbox")
    import_module("ddoauth_kit.commands.sandbox").configure(parser)
    assert main(["help", "sandbox"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: ddoauth sandbox [OPTIONS] [-- COMMAND ...]"
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in FAULTS)
    screen = "\n".join(lines[-39:])
    assert all(option in screen for option in parser._option_string_actions)
    assert all(example in screen for example in parser.examples)
    said = "\n".join(lines)
    assert re.search(r"twin of Datadog.*:.*\n.*pages", said)
    assert re.search(r"^  front +The proxy", said, re.MULTILINE)
    assert re.search(r"^  control +The sandbox's own interface", said, re.MULTILINE)


@pytest.mark.parametrize("arguments", [[], ["--color", "never"], ["help"], ["--help"]])
def test_whoever_names_no_command_sees_the_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The help is printed on stdout, lists every command, and exits successfully."""
    assert _exit_code(arguments) == 0
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prob"], "Did you mean probe?"),
        (["probe", "--mode", "lve"], "Did you mean live?"),
        (["help", "snadbox"], "Did you mean sandbox?"),
        (["run", "--site", "us11"], "Did you mean us1"),
        (["run", "--site", "eu2"], "Did you mean eu1"),
        (["run", "01_the_hole_flow"], "Did you mean 01_the_whole_flow?"),
        (["sandbox", "--fault", "rate-limitd"], "Did you mean rate-limited?"),
        (["sandbox", "--profile", "rcf"], "Did you mean rfc?"),
        (["explain", "invalid_grand"], "Did you mean invalid_grant"),
        (["probe", "metrics_read"], "Did you mean `--scope metrics_read`? See `ddoauth probe --h"),
        (["probe", "us3", "eu1"], "Did you mean `--site us3 --site eu1`?"),
        (["login", "--scpoe", "metrics_read"], "Did you mean --scope"),
        (["store", "list"], "unrecognized argument: list. See `ddoauth store --help`."),
    ],
)
def test_what_comes_close_is_named(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt command, option, site, lesson, fault, profile or code ends with 2 and a hint."""
    assert _exit_code(arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


def test_nothing_close_means_no_hint() -> None:
    """A name that is like none gets no wrong suggestion."""
    assert nearest("gremlins", ["slow", "cut-off"]) == ""


@pytest.mark.parametrize(
    ("stream", "color", "environ", "wanted"),
    [
        (Terminal(), "auto", {}, True),
        (Terminal(), "auto", {"NO_COLOR": "1"}, False),
        (Terminal(), "auto", {"NO_COLOR": ""}, True),
        (Terminal(), "auto", {"TERM": "dumb"}, False),
        (Terminal(), "never", {}, False),
        (Terminal(), "always", {"NO_COLOR": "1"}, True),
        (io.StringIO(), "auto", {}, False),
        (io.StringIO(), "always", {}, True),
    ],
)
def test_colour_is_for_terminals(
    stream: io.StringIO, color: str, environ: dict[str, str], *, wanted: bool
) -> None:
    """A terminal gets colour, a pipe none; NO_COLOR and `--color` decide otherwise."""
    assert wants_color(stream, color=color, environ=environ) is wanted


def test_a_pipe_gets_no_escape_codes() -> None:
    """Redirected help is plain text, or coloured text on request."""
    assert "\x1b" not in typed("probe", "--help").stdout
    assert "\x1b[1musage" in typed("probe", "--help", "--color", "always").stdout


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("ddoauth pro", {"probe "}),
        ("ddoauth ex", {"explain "}),
        ("ddoauth probe --mode l", {"live "}),
        ("ddoauth run --comp", {"--compare "}),
    ],
)
def test_a_shell_is_told_how_the_line_goes_on(line: str, wanted: set[str], tmp_path: Path) -> None:
    """Commands, options and choices are completed by what a shell's completion asks for."""
    out = tmp_path / "completions"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    code = "import sys; sys.argv[0] = 'ddoauth'; from ddoauth_kit.cli import main; main()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **asked}, check=False)
    assert set(out.read_text().split("\n")) == wanted


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the command and the installed version."""
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ddoauth {version('ddoauth-kit')}\n"


def test_the_version_loads_no_command() -> None:
    """Frequent questions of a script stay cheap: no command, parser or httpx is loaded."""
    code = (
        "import sys; from ddoauth_kit.cli import main; main(['--version']); "
        "print([n for n in ('argparse', 'httpx') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
