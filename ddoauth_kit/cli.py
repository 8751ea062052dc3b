"""Run the kit's commands; exit with 0 for success, 1 for findings, 2 for bad usage or input."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.streams import existing_streams, prepare_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.commands.parser import Parser

_FOUND: Final = 1
COLORS: Final = ("auto", "always", "never")
DESCRIPTION: Final = (
    "Learn, run and check Datadog's OAuth flow; offline by default. To begin, run a lesson with "
    "`ddoauth run 01`, or open all of them with `ddoauth lab`. To log in without an account at "
    "Datadog, start `ddoauth sandbox` and type the lines that it prints."
)
# A command's module is loaded only if the command line names it.
COMMANDS: Final = {
    "run": "execute the notebooks for one site or more",
    "lab": "open JupyterLab on the notebooks",
    "sandbox": "serve the sandbox until it is interrupted",
    "grade": "run your own server against the sandbox, and grade its OAuth",
    "login": "authorize in your browser, and store the grant",
    "logout": "revoke the stored grants, and forget them",
    "probe": "confirm data flow for each scope on each site",
    "check": "check an integration's folder before a reviewer does",
    "explain": "explain an error code, and what to do",
    "skill": "print a skill that teaches coding assistants Datadog's OAuth",
    "scan": "find secrets in notebooks, reports and folders",
    "doctor": "find what is missing or misconfigured, and say what to do",
    "completion": "print shell code that completes commands and options",
    "store": "list, forget or export the secrets that are stored here",
}
EXAMPLES: Final = ("ddoauth run 01", "ddoauth help probe", "ddoauth explain invalid_grant")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if arguments is None:
        prepare_streams()
    with existing_streams():
        return _written(list(sys.argv[1:] if arguments is None else arguments))


def _written(given: list[str]) -> int:
    """Run the command, and report an error if its output can't be written."""
    try:
        try:
            return _answered(given)
        finally:
            sys.stdout.flush()  # writing the help text can fail, too
    except BrokenPipeError:
        sys.stderr.close()
        return _FOUND
    except OSError as error:
        from ddoauth_kit.commands.terminal import not_written

        return not_written(error)


def _answered(given: list[str]) -> int:
    if given == ["--version"]:
        return _version()
    parser = _parser(given)
    if _is_bare(given):
        parser.print_help()
        return 0
    return _run(parser, given)


def _run(parser: Parser, given: list[str]) -> int:
    from ddoauth_kit.commands.terminal import INTERRUPTED, complain, say
    from ddoauth_kit.errors import DdoauthError

    options = parser.parse_args(given)
    try:
        return int(options.command(options))
    except DdoauthError as error:
        return complain(error)
    except ModuleNotFoundError as error:
        from ddoauth_kit.doctor.packages import missing_package

        return complain(missing_package(error.name or "a package"))
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def _version() -> int:
    from importlib.metadata import version

    print(f"ddoauth {version('ddoauth-kit')}")  # noqa: T201 - the answer
    return 0


def _is_bare(given: Sequence[str]) -> bool:
    """Return whether the command line is empty, apart from `--color`."""
    return not [word for word in given if not word.startswith("--color") and word not in COLORS]


def _parser(given: Sequence[str]) -> Parser:
    """Return the parser, with the options of only those commands that the command line names."""
    from ddoauth_kit.commands.parser import Parser, complete

    parser = Parser()
    parser.describe(DESCRIPTION, examples=EXAMPLES)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=Parser
    )
    # A shell that completes a line sets COMP_LINE.
    line = [*given, *os.environ.get("COMP_LINE", "").split()]
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, prog=f"ddoauth {name}")
        if name in line:
            import_module(f"ddoauth_kit.commands.{name}").configure(command)
    _add_help(commands.add_parser("help", help="show the help of a command"), parser)
    complete(parser)
    return parser


def _add_help(command: Parser, parser: Parser) -> None:
    command.description = "Show the help of one command, or of all commands."
    command.add_argument("about", nargs="?", choices=[*COMMANDS], metavar="COMMAND")

    def show(options: object) -> int:
        about = getattr(options, "about", None)
        (_only(about) if about else parser).print_help()
        return 0

    command.set_defaults(command=show)


def _only(name: str) -> Parser:
    from ddoauth_kit.commands.parser import Parser

    command = Parser(prog=f"ddoauth {name}")
    import_module(f"ddoauth_kit.commands.{name}").configure(command)
    return command
