"""Parse the command line, with examples in the help, suggestions for typos, and colour."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

from ddoauth_kit.commands.known_values import known_values, offer
from ddoauth_kit.errors.near_names import nearest
from ddoauth_kit.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PORTS: Final = 65_536
NARROWEST: Final = 60
WIDEST: Final = 100
_CHOICE: Final = re.compile(r"argument (.+?): invalid choice: '(.*)' \(choose from (.*)\)")
_HEADING: Final = re.compile(
    r"^(usage|options|commands|positional arguments|examples|profiles|faults|verdicts|words|"
    r"start-up files):",
    re.MULTILINE,
)
_OPTION: Final = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")
_BOLD, _CYAN, _PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[0m"
COLORS: Final = ("auto", "always", "never")


def wants_color(stream: TextIO, *, color: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether to colour a stream: a terminal, unless it is dumb or `NO_COLOR` is set.

    `always` and `never` override this. See https://no-color.org.
    """
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Parser(argparse.ArgumentParser):
    """Parse arguments; the help ends with examples, and errors suggest the nearest name.

    If `takes_command` is true, everything after `--` goes into `words`, whatever precedes it.
    """

    def __init__(self, prog: str = "ddoauth", **options: Any) -> None:  # noqa: ANN401 - argparse's own
        options.setdefault("formatter_class", _Formatter)
        super().__init__(prog, **options)
        self.examples: tuple[str, ...] = ()
        self.takes_command = False

    def describe(self, text: str, *, examples: Sequence[str], more: str = "") -> None:
        """Set the first and last parts of the help, and add the option that every command takes.

        `examples` are lines that work when typed. `more` is printed before the options, with its
        line breaks, so that the options and the examples stay on the screen.
        """
        self.description = f"{text}\n\n{more}" if more else text
        self.examples = tuple(examples)
        shown = "\n".join(f"  {example}" for example in examples)
        self.epilog = f"examples:\n{shown}"
        self.add_argument(
            "--color",
            choices=COLORS,
            default="auto",
            metavar="WHEN",
            help="auto, always or never; NO_COLOR turns auto off (auto)",
        )

    def add_argument(
        self,
        *names: str,
        values: Callable[[], Iterable[str]] | None = None,
        **options: Any,  # noqa: ANN401 - argparse's own
    ) -> argparse.Action:
        """Add an option or argument; `values` lists what a shell may complete."""
        action = super().add_argument(*names, **options)
        if values is not None:
            offer(action, values)
        return action

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse as usual, but set aside the command after `--` if this parser takes one."""
        given = list(sys.argv[1:] if args is None else args)
        at = given.index("--") if self.takes_command and "--" in given else len(given)
        found, unknown = super().parse_known_args(given[:at], namespace)
        if at < len(given):
            found.words = [*found.words, *given[at + 1 :]]
        if unknown and " " in self.prog:  # argparse would point to the help of all commands
            self._refuse(unknown)
        return found, unknown

    def _refuse(self, words: Sequence[str]) -> NoReturn:
        """Name the words that this command does not take, and the option that was meant."""
        first = words[0].partition("=")[0]
        if first.startswith("-"):
            meant = nearest(first, self._option_string_actions)
        else:
            meant = next(filter(None, (_value_of(each, words) for each in self._actions)), "")
        noun = "argument" if len(words) == 1 else "arguments"
        said = one_line(f"unrecognized {noun}: {' '.join(words)}")
        self.exit(2, f"{self.prog}: {said}.{meant} See `{self.prog} --help`.\n")

    def print_help(self, file: TextIO | None = None) -> None:  # type: ignore[override]
        """Print the help, in colour if the stream supports it."""
        stream = file or sys.stdout
        text = self.format_help()
        if wants_color(stream, color=_asked_for(sys.argv)):
            text = _HEADING.sub(rf"{_BOLD}\1{_PLAIN}:", text)
            text = _OPTION.sub(rf"{_CYAN}\1{_PLAIN}", text)
        stream.write(text)

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong and how to get help."""
        message = one_line(message)
        where = f" See `{self.prog} --help`.\n"
        if found := _CHOICE.fullmatch(message):
            known = re.findall(r"[\w-]+", found[3])
            listed = ", ".join(known)
            message = f"argument {found[1]}: invalid choice: '{found[2]}' (choose from {listed})"
            self.exit(2, f"{self.prog}: {message}.{nearest(found[2], known)}{where}")
        self.exit(2, f"{self.prog}: {message}.{where}")


def _value_of(action: argparse.Action, words: Sequence[str]) -> str:
    """Ask whether this option was meant if the words are among its values."""
    known = known_values(action) if action.option_strings else ()
    if not set(words) <= set(known):
        return ""
    option = action.option_strings[-1]
    between = " " if action.nargs == "+" else f" {option} "
    return f" Did you mean `{option} {between.join(words)}`?"


class _Formatter(argparse.HelpFormatter):
    """Wrap prose to the terminal's width, but leave lists and examples unchanged."""

    def __init__(self, prog: str, **_options: object) -> None:
        super().__init__(prog, max_help_position=26, width=_width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.split("\n\n")
        fill = super()._fill_text
        return "\n\n".join(p if "\n" in p else fill(p, width, indent) for p in parts)


def _width() -> int:
    """Return how many columns a help text may fill."""
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST) - 2


def _asked_for(arguments: Sequence[str]) -> str:
    """Return the value of `--color`, which is needed before the line is parsed."""
    for name, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if name == "--color" and value in COLORS:
            return value
        if name.startswith("--color=") and name.partition("=")[2] in COLORS:
            return name.partition("=")[2]
    return "auto"


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell's request for completions; otherwise do nothing and load nothing."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    import argcomplete

    argcomplete.autocomplete(parser)


def listed(title: str, summaries: Mapping[str, str]) -> str:
    """Format names and their descriptions in two columns under a title, for a help text."""
    column = max(map(len, summaries)) + 4
    lines = [f"{title}:"]
    for name, text in summaries.items():
        lines += textwrap.wrap(
            text,
            _width(),
            initial_indent=f"  {name}".ljust(column),
            subsequent_indent=" " * column,
        )
    return "\n".join(lines)


def port_number(text: str) -> int:
    """Read a port number; 0 means any free port."""
    if not text.isdecimal() or int(text) >= PORTS:
        raise argparse.ArgumentTypeError(f"{text} is not a port: ports are 0 to {PORTS - 1}")
    return int(text)
